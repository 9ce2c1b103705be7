{{ config(indexes=unique_index(['geography_key'])) }}

with places as (

    select distinct
        postal_code,
        city
    from {{ ref('citizens') }}
    where postal_code is not null or city is not null

),

known as (

    select
        {{ geography_key('postal_code', 'city') }} as geography_key,
        postal_code,
        city,
        substring(postal_code, 1, 2) as postal_region,
        concat(postal_code, ' ', city) as place
    from places

),

unknown as (

    select
        {{ unknown_key() }} as geography_key,
        cast(null as varchar(5)) as postal_code,
        'Unknown' as city,
        cast(null as varchar(2)) as postal_region,
        'Unknown' as place

)

select * from known
union all
select * from unknown
