{{ config(
    materialized='incremental', incremental_strategy='period_merge', unique_key=['member_id', 'data_period'],
    as_columnstore=true, indexes=unique_index(['member_id', 'data_period'])
) }}

{% set in_force %}
periods.period_start >= enrollments.dbt_valid_from
        and (enrollments.dbt_valid_to is null or periods.period_start < enrollments.dbt_valid_to)
{% endset %}

with periods as (

    select *
    from {{ delivered_periods(ref('enrollments')) }} as periods

),

{% if is_incremental() %}
touched as (

    select
        enrollments.member_id,
        periods.data_period
    from periods
    inner join {{ ref('enrollments') }} as enrollments
        on {{ in_force | trim }}
    where periods.period_start >= {{ first_stale_period(ref('enrollments')) }}
    union
    select
        member_id,
        data_period
    from {{ this }}
    where period_start >= {{ first_stale_period(ref('enrollments')) }}
    {% for history, key in [(ref('members'), 'member_id'), (ref('health_plans'), 'health_plan_id')] %}
    union
    {{ keys_with_another_version(history, key, 'period_start') }}
    {% endfor %}

),

-- Who is no longer enrolled comes out without period_start.
member_months as (

    select
        touched.member_id,
        touched.data_period,
        case when enrollments.member_id is not null then periods.period_start end as period_start,
        enrollments.health_plan_id,
        enrollments.premium_amount,
        enrollments.subsidy_amount
    from touched
    left join periods on touched.data_period = periods.data_period
    left join {{ ref('enrollments') }} as enrollments
        on touched.member_id = enrollments.member_id
        and {{ in_force | trim }}

),
{% else %}
member_months as (

    select
        enrollments.member_id,
        periods.data_period,
        periods.period_start,
        enrollments.health_plan_id,
        enrollments.premium_amount,
        enrollments.subsidy_amount
    from periods
    inner join {{ ref('enrollments') }} as enrollments
        on {{ in_force | trim }}

),
{% endif %}

members as (

    {{ members_by_day(ref('members'), among='member_months' if is_incremental() else none) }}

),

health_plans as (

    {{ versions_by_day(ref('health_plans'), 'health_plan_id') }}

),

described as (

    select
        member_months.*,
        coalesce(members.version_key, {{ unknown_key() }}) as member_key,
        coalesce(health_plans.version_key, {{ unknown_key() }}) as health_plan_key,
        coalesce(members.geography_key, {{ unknown_key() }}) as geography_key,
        {{ age_at_month_start('members.birth_date', 'member_months.period_start') }} as age_years
    from member_months
    left join members
        on member_months.member_id = members.member_id
        and member_months.period_start >= members.taken_from
        and member_months.period_start < members.taken_until
    left join health_plans
        on member_months.health_plan_id = health_plans.health_plan_id
        and member_months.period_start >= health_plans.taken_from
        and member_months.period_start < health_plans.taken_until

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
from described
