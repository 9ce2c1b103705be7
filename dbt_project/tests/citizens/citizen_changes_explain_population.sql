-- Periods in which arrivals, returns and departures do not explain how the number of citizens changed.
with population as (

    select
        periods.period_start,
        count(facts.citizen_id) as citizens
    from {{ delivered_periods(ref('fct_citizen_monthly')) }} as periods
    left join {{ ref('fct_citizen_monthly') }} as facts on periods.period_start = facts.period_start
    group by periods.period_start

),

changed as (

    select
        period_start,
        citizens - coalesce(lag(citizens) over (order by period_start), 0) as difference
    from population

),

explained as (

    select
        period_start,
        sum(
            case
                when change_type in ('arrived', 'returned') then 1
                when change_type = 'left' then -1
                else 0
            end
        ) as difference
    from {{ ref('fct_citizen_change') }}
    group by period_start

)

select
    changed.period_start,
    changed.difference,
    explained.difference as explained_difference
from changed
left join explained on changed.period_start = explained.period_start
where changed.difference <> coalesce(explained.difference, 0)
