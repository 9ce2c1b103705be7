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
        {{ validity() }}
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
        {{ always_valid() }}

)

select * from known
union all
select * from unknown
