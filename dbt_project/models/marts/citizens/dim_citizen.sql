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
        {{ validity() }}
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
        {{ always_valid() }}

)

select * from known
union all
select * from unknown
