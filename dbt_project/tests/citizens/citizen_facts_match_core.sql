-- Periods whose monthly facts differ in number from the versions in force, or whose population is not that of the
-- aggregate.
with periods as (

    select *
    from {{ delivered_periods(ref('fct_citizen_monthly')) }} as periods

),

in_force as (

    {{ versions_in_force(ref('citizens'), 'periods') }}

),

facts as (

    select
        period_start,
        count(*) as row_count
    from {{ ref('fct_citizen_monthly') }}
    group by period_start

),

aggregate as (

    select
        period_start,
        sum(population) as row_count
    from {{ ref('agg_population_monthly') }}
    group by period_start

),

compared as (

    select
        periods.period_start,
        coalesce(in_force.version_count, 0) as versions_in_force,
        coalesce(facts.row_count, 0) as monthly_facts,
        coalesce(aggregate.row_count, 0) as population
    from periods
    left join in_force on periods.period_start = in_force.period_start
    left join facts on periods.period_start = facts.period_start
    left join aggregate on periods.period_start = aggregate.period_start

)

select *
from compared
where versions_in_force <> monthly_facts or monthly_facts <> population
