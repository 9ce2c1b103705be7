with delivered as (

    select
        period_start,
        data_period,
        cast({{ dbt.dateadd('month', -1, 'period_start') }} as date) as month_before,
        cast({{ dbt.dateadd('year', -1, 'period_start') }} as date) as year_before
    from {{ delivered_periods(ref('fct_citizen_monthly')) }} as periods

),

-- A period to compare with is NULL when it was not delivered.
periods as (

    select
        delivered.period_start,
        delivered.data_period,
        month_before.period_start as month_before,
        year_before.period_start as year_before
    from delivered
    left join delivered as month_before on delivered.month_before = month_before.period_start
    left join delivered as year_before on delivered.year_before = year_before.period_start

),

population as (

    select
        facts.period_start,
        facts.geography_key,
        citizens.gender,
        facts.age_band,
        sum(facts.citizen_count) as population
    from {{ ref('fct_citizen_monthly') }} as facts
    inner join {{ ref('dim_citizen') }} as citizens on facts.citizen_key = citizens.citizen_key
    group by facts.period_start, facts.geography_key, citizens.gender, facts.age_band

),

-- A group that was there in a period compared with, and is gone, counts with 0: changes add up to the total.
comparisons as (

    select
        period_start,
        period_start as compared_start
    from periods
    union all
    select
        period_start,
        month_before as compared_start
    from periods
    union all
    select
        period_start,
        year_before as compared_start
    from periods

),

groups as (

    select distinct
        comparisons.period_start,
        population.geography_key,
        population.gender,
        population.age_band
    from comparisons
    inner join population on comparisons.compared_start = population.period_start

),

compared as (

    select
        periods.period_start,
        periods.data_period,
        groups.geography_key,
        groups.gender,
        groups.age_band,
        coalesce(present.population, 0) as population,
        case
            when periods.month_before is not null then coalesce(month_before.population, 0)
        end as population_month_before,
        case
            when periods.year_before is not null then coalesce(year_before.population, 0)
        end as population_year_before
    from groups
    inner join periods on groups.period_start = periods.period_start
    left join population as present
        on periods.period_start = present.period_start
        and groups.geography_key = present.geography_key
        and groups.gender = present.gender
        and groups.age_band = present.age_band
    left join population as month_before
        on periods.month_before = month_before.period_start
        and groups.geography_key = month_before.geography_key
        and groups.gender = month_before.gender
        and groups.age_band = month_before.age_band
    left join population as year_before
        on periods.year_before = year_before.period_start
        and groups.geography_key = year_before.geography_key
        and groups.gender = year_before.gender
        and groups.age_band = year_before.age_band

)

select
    period_start,
    data_period,
    geography_key,
    gender,
    age_band,
    cast(population as bigint) as population,
    cast(population_month_before as bigint) as population_month_before,
    cast(population - population_month_before as bigint) as month_over_month_change,
    cast(population_year_before as bigint) as population_year_before,
    cast(population - population_year_before as bigint) as year_over_year_change
from compared
