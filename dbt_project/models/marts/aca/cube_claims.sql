{{ config(as_columnstore=true) }}

{% set dimensions = cube_dimensions() %}
{% set counts = ['claim_line_count', 'denied_line_count', 'units', 'member_months'] %}
{% set amounts = [
    'billed_amount', 'allowed_amount', 'paid_amount', 'member_amount',
    'premium_amount', 'subsidy_amount', 'net_premium_amount',
] %}

with claims as (

    select
        claims.service_month as month_start,
        health_plans.metal_tier,
        members.rating_area,
        claims.age_band,
        {{ totals(counts[:3] + amounts[:4]) }},
        0 as member_months,
        0 as premium_amount,
        0 as subsidy_amount,
        0 as net_premium_amount
    from {{ ref('agg_claims_monthly_member') }} as claims
    inner join {{ ref('dim_health_plan') }} as health_plans on claims.health_plan_key = health_plans.health_plan_key
    inner join {{ ref('dim_member') }} as members on claims.member_key = members.member_key
    group by claims.service_month, health_plans.metal_tier, members.rating_area, claims.age_band

),

premiums as (

    select
        enrollments.period_start as month_start,
        health_plans.metal_tier,
        members.rating_area,
        enrollments.age_band,
        sum(cast(enrollments.member_months as bigint)) as member_months,
        {{ totals(['premium_amount', 'subsidy_amount', 'net_premium_amount']) }}
    from {{ ref('fct_enrollment') }} as enrollments
    inner join {{ ref('dim_health_plan') }} as health_plans
        on enrollments.health_plan_key = health_plans.health_plan_key
    inner join {{ ref('dim_member') }} as members on enrollments.member_key = members.member_key
    group by enrollments.period_start, health_plans.metal_tier, members.rating_area, enrollments.age_band

),

cells as (

    select
        {{ (dimensions + counts + amounts) | join(',\n        ') }}
    from claims
    union all
    select
        {{ dimensions | join(',\n        ') }},
        0 as claim_line_count,
        0 as denied_line_count,
        0 as units,
        member_months,
        0 as billed_amount,
        0 as allowed_amount,
        0 as paid_amount,
        0 as member_amount,
        premium_amount,
        subsidy_amount,
        net_premium_amount
    from premiums

),

rolled_up as (

    select
        {{ dimensions | join(',\n        ') }},
        {{ grouping_level(dimensions) }} as grouping_level,
        {{ typed_totals(counts, 'bigint') }},
        {{ typed_totals(amounts, 'decimal(18, 2)') }}
    from cells
    group by grouping sets ({{ all_grouping_sets(dimensions) }})

)

select
    *,
    {{ ratio('paid_amount', 'premium_amount') }} as loss_ratio
from rolled_up
