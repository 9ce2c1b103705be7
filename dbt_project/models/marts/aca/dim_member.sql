{{ config(indexes=unique_index(['member_key'])) }}

with known as (

    select
        {{ surrogate_key(['member_id', timestamp_text('dbt_valid_from')]) }} as member_key,
        member_id,
        first_name,
        last_name,
        birth_date,
        gender,
        email,
        phone,
        street,
        city,
        county,
        state,
        postal_code,
        rating_area,
        tobacco_use,
        {{ geography_key('postal_code', 'city', 'county', 'state') }} as geography_key,
        {{ validity() }}
    from {{ ref('members') }}

),

unknown as (

    select
        {{ unknown_key() }} as member_key,
        'unknown' as member_id,
        'Unknown' as first_name,
        'Unknown' as last_name,
        cast(null as date) as birth_date,
        'U' as gender,
        cast(null as varchar(254)) as email,
        cast(null as varchar(16)) as phone,
        cast(null as varchar(100)) as street,
        'Unknown' as city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state,
        cast(null as varchar(5)) as postal_code,
        -1 as rating_area,
        'U' as tobacco_use,
        {{ unknown_key() }} as geography_key,
        {{ always_valid() }}

)

select * from known
union all
select * from unknown
