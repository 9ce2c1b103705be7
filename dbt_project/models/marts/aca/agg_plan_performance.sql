{{ config(as_columnstore=true) }}

-- Days until the last drop: what comes later is neither earned nor claimed yet.
with drops as (

    select max(period_start) as last_day
    from {{ delivered_periods(ref('claims')) }} as periods

),

paid as (

    select
        health_plan_id,
        service_date as date_day,
        sum(paid_amount) as paid_amount
    from {{ ref('agg_claims_daily_plan_provider') }}
    group by health_plan_id, service_date

),

premiums as (

    select
        health_plan_id,
        period_start,
        {{ in_cents('sum(premium_amount)') }} as premium_cents
    from {{ ref('fct_enrollment') }}
    group by health_plan_id, period_start

),

months as (

    select
        month_start,
        max(day_of_month) as day_count
    from {{ ref('dim_date') }}
    where date_key > 0
    group by month_start

),

-- A month's premium is earned day by day; the cents of the days add up to those of the month.
earned as (

    select
        premiums.health_plan_id,
        calendar.date_day,
        {{ integer_quotient('premiums.premium_cents * calendar.day_of_month', 'months.day_count') }}
        - {{ integer_quotient('premiums.premium_cents * (calendar.day_of_month - 1)', 'months.day_count') }}
            as premium_cents
    from premiums
    inner join months on premiums.period_start = months.month_start
    inner join {{ ref('dim_date') }} as calendar on premiums.period_start = calendar.month_start
    inner join drops on calendar.date_day <= drops.last_day

),

first_days as (

    select
        health_plan_id,
        min(date_day) as first_day
    from (
        select
            health_plan_id,
            date_day
        from paid
        union all
        select
            health_plan_id,
            date_day
        from earned
    ) as seen
    group by health_plan_id

),

-- Every day since the plan's first one, with and without claims: rows of the window are days.
daily as (

    select
        first_days.health_plan_id,
        calendar.date_day,
        calendar.date_key,
        cast(coalesce(paid.paid_amount, 0) as decimal(18, 2)) as paid_amount,
        {{ from_cents('coalesce(earned.premium_cents, 0)') }} as premium_amount
    from first_days
    cross join drops
    inner join {{ ref('dim_date') }} as calendar
        on calendar.date_day >= first_days.first_day and calendar.date_day <= drops.last_day
    left join paid on first_days.health_plan_id = paid.health_plan_id and calendar.date_day = paid.date_day
    left join earned on first_days.health_plan_id = earned.health_plan_id and calendar.date_day = earned.date_day

),

rolling as (

    select
        health_plan_id,
        date_day,
        date_key,
        cast({{ dbt.dateadd('year', -1, 'date_day') }} as date) as day_year_before,
        paid_amount,
        premium_amount,
        cast(
            sum(paid_amount) over (
                partition by health_plan_id order by date_day rows between 29 preceding and current row
            ) as decimal(18, 2)
        ) as paid_amount_30_days,
        cast(
            sum(premium_amount) over (
                partition by health_plan_id order by date_day rows between 29 preceding and current row
            ) as decimal(18, 2)
        ) as premium_amount_30_days
    from daily

),

health_plans as (

    {{ versions_by_day(ref('health_plans'), 'health_plan_id') }}

)

select
    rolling.date_day,
    rolling.date_key,
    rolling.health_plan_id,
    coalesce(health_plans.version_key, {{ unknown_key() }}) as health_plan_key,
    rolling.paid_amount,
    rolling.premium_amount,
    rolling.paid_amount_30_days,
    rolling.premium_amount_30_days,
    {{ ratio('rolling.paid_amount_30_days', 'rolling.premium_amount_30_days') }} as loss_ratio_30_days,
    year_before.paid_amount_30_days as paid_amount_30_days_year_before,
    year_before.premium_amount_30_days as premium_amount_30_days_year_before,
    {{ ratio('year_before.paid_amount_30_days', 'year_before.premium_amount_30_days') }}
        as loss_ratio_30_days_year_before
from rolling
left join rolling as year_before
    on rolling.health_plan_id = year_before.health_plan_id and rolling.day_year_before = year_before.date_day
left join health_plans
    on rolling.health_plan_id = health_plans.health_plan_id
    and rolling.date_day >= health_plans.taken_from
    and rolling.date_day < health_plans.taken_until
