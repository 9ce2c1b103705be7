-- Plans and months in which what was paid is not that of the claim lines, or the premium earned is not that of the
-- enrollments; of a month that is not over, only the first.
with last_drop as (

    select max(date_day) as last_day
    from {{ ref('agg_plan_performance') }}

),

months as (

    select
        calendar.month_start,
        max(calendar.date_day) as last_day
    from {{ ref('dim_date') }} as calendar
    group by calendar.month_start

),

earned as (

    select
        performance.health_plan_id,
        calendar.month_start,
        sum(performance.paid_amount) as paid_amount,
        sum(performance.premium_amount) as premium_amount
    from {{ ref('agg_plan_performance') }} as performance
    inner join {{ ref('dim_date') }} as calendar on performance.date_key = calendar.date_key
    group by performance.health_plan_id, calendar.month_start

),

facts as (

    select
        health_plan_id,
        month_start,
        sum(paid_amount) as paid_amount,
        sum(premium_amount) as premium_amount
    from (
        select
            health_plan_id,
            service_month as month_start,
            paid_amount,
            0 as premium_amount
        from {{ ref('fct_claim_line') }}
        union all
        select
            health_plan_id,
            period_start as month_start,
            0 as paid_amount,
            premium_amount
        from {{ ref('fct_enrollment') }}
    ) as paid_and_earned
    group by health_plan_id, month_start

),

compared as (

    select
        coalesce(facts.health_plan_id, earned.health_plan_id) as health_plan_id,
        coalesce(facts.month_start, earned.month_start) as month_start,
        coalesce(facts.paid_amount, 0) as paid_amount_of_facts,
        coalesce(earned.paid_amount, 0) as paid_amount,
        coalesce(facts.premium_amount, 0) as premium_amount_of_facts,
        coalesce(earned.premium_amount, 0) as premium_amount
    from facts
    full join earned on facts.health_plan_id = earned.health_plan_id and facts.month_start = earned.month_start

)

select compared.*
from compared
inner join months on compared.month_start = months.month_start
cross join last_drop
where compared.paid_amount_of_facts <> compared.paid_amount
    or (months.last_day <= last_drop.last_day and compared.premium_amount_of_facts <> compared.premium_amount)
