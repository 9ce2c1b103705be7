{{ config(indexes=unique_index(['citizen_key'])) }}

with known as (

    select
        {{ surrogate_key(['citizen_id', timestamp_text('dbt_valid_from')]) }} as citizen_key,
        citizen_id,
        first_name,
        last_name,
        birth_date,
        gender,
        email,
        phone,
        street,
        house_number,
        postal_code,
        city,
        moved_in_on,
        {{ geography_key('postal_code', 'city') }} as geography_key,
        cast(dbt_valid_from as date) as valid_from,
        coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
        cast(case when dbt_valid_to is null then 1 else 0 end as {{ dbt.type_boolean() }}) as is_current
    from {{ ref('citizens') }}

),

unknown as (

    select
        {{ unknown_key() }} as citizen_key,
        'unknown' as citizen_id,
        'Unknown' as first_name,
        'Unknown' as last_name,
        cast(null as date) as birth_date,
        'U' as gender,
        cast(null as varchar(254)) as email,
        cast(null as varchar(16)) as phone,
        cast(null as varchar(100)) as street,
        cast(null as varchar(10)) as house_number,
        cast(null as varchar(5)) as postal_code,
        'Unknown' as city,
        cast(null as date) as moved_in_on,
        {{ unknown_key() }} as geography_key,
        cast('1900-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast(1 as {{ dbt.type_boolean() }}) as is_current

)

select * from known
union all
select * from unknown
