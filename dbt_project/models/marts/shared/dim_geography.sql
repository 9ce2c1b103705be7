{{ config(indexes=unique_index(['geography_key'])) }}

-- Of no subject: names and types of the columns that each adds.
with mentioned as (

    select
        cast(null as varchar(5)) as postal_code,
        cast(null as varchar(60)) as city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state
    where 1 = 0
    {% for places in parts_of('dim_geography') %}
    union all
    {{ places() }}
    {% endfor %}

),

places as (

    select distinct
        postal_code,
        city,
        county,
        state
    from mentioned
    where postal_code is not null or city is not null

),

known as (

    select
        {{ geography_key('postal_code', 'city', 'county', 'state') }} as geography_key,
        postal_code,
        city,
        county,
        state,
        substring(postal_code, 1, 2) as postal_region,
        case
            when state is null then concat(postal_code, ' ', city) else concat(city, ', ', state, ' ', postal_code)
        end as place
    from places

),

unknown as (

    select
        {{ unknown_key() }} as geography_key,
        cast(null as varchar(5)) as postal_code,
        'Unknown' as city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state,
        cast(null as varchar(2)) as postal_region,
        'Unknown' as place

)

select * from known
union all
select * from unknown
