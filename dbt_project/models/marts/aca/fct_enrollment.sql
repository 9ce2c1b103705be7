{{ config(materialized='incremental', incremental_strategy='rebase', as_columnstore=true) }}

with periods as (

    select *
    from {{ delivered_periods(ref('enrollments')) }} as periods
    {% if is_incremental() %}
    where period_start >= {{ first_stale_period() }}
    {% endif %}

),

members as (

    {{ versions_by_day(ref('members'), 'member_id', [
        'birth_date', geography_key('postal_code', 'city', 'county', 'state') ~ ' as geography_key'
    ]) }}

),

health_plans as (

    {{ versions_by_day(ref('health_plans'), 'health_plan_id', []) }}

),

enrolled as (

    select
        coalesce(members.version_key, {{ unknown_key() }}) as member_key,
        coalesce(health_plans.version_key, {{ unknown_key() }}) as health_plan_key,
        coalesce(members.geography_key, {{ unknown_key() }}) as geography_key,
        periods.period_start,
        periods.data_period,
        enrollments.member_id,
        enrollments.health_plan_id,
        {{ age_at_month_start('members.birth_date', 'periods.period_start') }} as age_years,
        enrollments.premium_amount,
        enrollments.subsidy_amount
    from periods
    inner join {{ ref('enrollments') }} as enrollments
        on periods.period_start >= enrollments.dbt_valid_from
        and (enrollments.dbt_valid_to is null or periods.period_start < enrollments.dbt_valid_to)
    left join members
        on enrollments.member_id = members.member_id
        and periods.period_start >= members.taken_from
        and periods.period_start < members.taken_until
    left join health_plans
        on enrollments.health_plan_id = health_plans.health_plan_id
        and periods.period_start >= health_plans.taken_from
        and periods.period_start < health_plans.taken_until

)

select
    member_key,
    health_plan_key,
    geography_key,
    period_start,
    data_period,
    member_id,
    health_plan_id,
    age_years,
    {{ age_band('age_years', premium_bands()) }} as age_band,
    1 as member_months,
    premium_amount,
    subsidy_amount,
    cast(premium_amount - subsidy_amount as decimal(10, 2)) as net_premium_amount
from enrolled
