-- Levels of the cube whose cells do not add up to the facts.
{% set of_enrollments = ['member_months', 'premium_amount', 'subsidy_amount'] %}

with claimed as (

    select {{ claim_totals() }}
    from {{ ref('fct_claim_line') }}

),

enrolled as (

    select
        {{ totals(of_enrollments) }}
    from {{ ref('fct_enrollment') }}

),

levels as (

    select
        grouping_level,
        {{ totals(claim_measures() + of_enrollments) }}
    from {{ ref('cube_claims') }}
    group by grouping_level

)

select levels.*
from levels
cross join claimed
cross join enrolled
where {{ totals_differ(claim_measures(), 'levels', 'claimed') }}
    or {{ totals_differ(of_enrollments, 'levels', 'enrolled') }}
