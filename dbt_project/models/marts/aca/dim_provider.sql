{{ config(indexes=unique_index(['provider_key'])) }}

with known as (

    select
        {{ surrogate_key(['provider_id', timestamp_text('dbt_valid_from')]) }} as provider_key,
        provider_id,
        provider_name,
        provider_type,
        specialty,
        street,
        city,
        county,
        state,
        postal_code,
        network_status,
        {{ geography_key('postal_code', 'city', 'county', 'state') }} as geography_key,
        cast(dbt_valid_from as date) as valid_from,
        coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
        cast(case when dbt_valid_to is null then 1 else 0 end as {{ dbt.type_boolean() }}) as is_current
    from {{ ref('providers') }}

),

unknown as (

    select
        {{ unknown_key() }} as provider_key,
        'unknown' as provider_id,
        'Unknown' as provider_name,
        'Unknown' as provider_type,
        'Unknown' as specialty,
        cast(null as varchar(100)) as street,
        'Unknown' as city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state,
        cast(null as varchar(5)) as postal_code,
        'Unknown' as network_status,
        {{ unknown_key() }} as geography_key,
        cast('1900-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast(1 as {{ dbt.type_boolean() }}) as is_current

)

select * from known
union all
select * from unknown
