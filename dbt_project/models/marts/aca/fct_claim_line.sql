{{ config(
    materialized='incremental', incremental_strategy='period_merge', unique_key=['claim_id', 'line_number'],
    meta={'measures': claim_measures()}, as_columnstore=true, indexes=unique_index(['claim_id', 'line_number'])
) }}

{% set stated = [
    'member_id', 'health_plan_id', 'provider_id', 'claim_type', 'place_of_service', 'procedure_code', 'line_status',
    'service_date', 'received_date', 'units', 'billed_amount', 'allowed_amount', 'paid_amount', 'member_amount',
] %}

{% set dimensions = [
    (ref('members'), 'member_id'), (ref('health_plans'), 'health_plan_id'), (ref('providers'), 'provider_id')
] %}

with current_lines as (

    select
        claims.claim_id,
        claims.line_number,
        claims.{{ stated | join(',\n        claims.') }},
        cast({{ dbt.date_trunc('month', 'claims.service_date') }} as date) as service_month,
        claims.dbt_valid_from
    from {{ ref('claims') }} as claims
    {% if is_incremental() %}
    inner join {{ stale_keys_since(ref('claims'), dimensions | map('first') | list) }} as stale
        on claims.dbt_valid_from >= stale.first_period
    {% endif %}
    where claims.dbt_valid_to is null

),

{% if is_incremental() %}
touched as (

    {{ stale_keys(ref('claims')) }}
    {% for history, key in dimensions %}
    union
    {{ keys_with_another_version(history, key, 'service_date') }}
    {% endfor %}

),

-- A key without a current line comes out without period_start.
claim_lines as (

    select
        touched.claim_id,
        touched.line_number,
        current_lines.{{ stated | join(',\n        current_lines.') }},
        current_lines.service_month,
        current_lines.dbt_valid_from
    from touched
    left join current_lines
        on touched.claim_id = current_lines.claim_id and touched.line_number = current_lines.line_number

),
{% else %}
claim_lines as (

    select * from current_lines

),
{% endif %}

-- Keys are hashed once for a version, not once for each of its lines.
members as (

    {{ members_by_day(ref('members'), among='claim_lines' if is_incremental() else none) }}

),

health_plans as (

    {{ versions_by_day(ref('health_plans'), 'health_plan_id') }}

),

providers as (

    {{ versions_by_day(ref('providers'), 'provider_id') }}

),

described as (

    select
        claim_lines.*,
        periods.period_start,
        periods.data_period,
        coalesce(members.version_key, {{ unknown_key() }}) as member_key,
        coalesce(health_plans.version_key, {{ unknown_key() }}) as health_plan_key,
        coalesce(providers.version_key, {{ unknown_key() }}) as provider_key,
        coalesce(members.geography_key, {{ unknown_key() }}) as geography_key,
        {{ age_at_month_start('members.birth_date', 'claim_lines.service_month') }} as age_years
    from claim_lines
    left join {{ delivered_periods(ref('claims')) }} as periods on claim_lines.dbt_valid_from = periods.period_start
    left join members
        on claim_lines.member_id = members.member_id
        and claim_lines.service_date >= members.taken_from
        and claim_lines.service_date < members.taken_until
    left join health_plans
        on claim_lines.health_plan_id = health_plans.health_plan_id
        and claim_lines.service_date >= health_plans.taken_from
        and claim_lines.service_date < health_plans.taken_until
    left join providers
        on claim_lines.provider_id = providers.provider_id
        and claim_lines.service_date >= providers.taken_from
        and claim_lines.service_date < providers.taken_until

)

select
    claim_id,
    line_number,
    {{ date_key('service_date') }} as service_date_key,
    {{ date_key('received_date') }} as received_date_key,
    member_key,
    health_plan_key,
    provider_key,
    geography_key,
    period_start,
    data_period,
    service_date,
    service_month,
    received_date,
    member_id,
    health_plan_id,
    provider_id,
    claim_type,
    place_of_service,
    procedure_code,
    line_status,
    age_years,
    {{ age_band('age_years', premium_bands()) }} as age_band,
    1 as claim_line_count,
    units,
    billed_amount,
    allowed_amount,
    paid_amount,
    member_amount
from described
