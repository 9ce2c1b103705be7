{{ config(indexes=unique_index(['geography_key'])) }}

with mentioned as (

    select
        postal_code,
        city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state
    from {{ ref('citizens') }}
    {% if 'aca' in var('subjects') %}
    union all
    select
        postal_code,
        city,
        county,
        state
    from {{ ref('members') }}
    union all
    select
        postal_code,
        city,
        county,
        state
    from {{ ref('providers') }}
    {% endif %}

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
