{{ config(materialized='table', as_columnstore=true) }}

with lines as (

    select
        claims.*,
        periods.period_start,
        periods.data_period,
        cast({{ dbt.date_trunc('month', 'claims.service_date') }} as date) as service_month
    from {{ ref('claims') }} as claims
    inner join {{ delivered_periods(ref('claims')) }} as periods on claims.dbt_valid_from = periods.period_start
    where claims.dbt_valid_to is null

),

-- Keys are hashed once for a version, not once for each of its lines.
members as (

    {{ versions_by_day(ref('members'), 'member_id', [
        'birth_date', geography_key('postal_code', 'city', 'county', 'state') ~ ' as geography_key'
    ]) }}

),

health_plans as (

    {{ versions_by_day(ref('health_plans'), 'health_plan_id', []) }}

),

providers as (

    {{ versions_by_day(ref('providers'), 'provider_id', []) }}

),

described as (

    select
        lines.*,
        coalesce(members.version_key, {{ unknown_key() }}) as member_key,
        coalesce(health_plans.version_key, {{ unknown_key() }}) as health_plan_key,
        coalesce(providers.version_key, {{ unknown_key() }}) as provider_key,
        coalesce(members.geography_key, {{ unknown_key() }}) as geography_key,
        {{ age_at_month_start('members.birth_date', 'lines.service_month') }} as age_years
    from lines
    left join members
        on lines.member_id = members.member_id
        and lines.service_date >= members.taken_from
        and lines.service_date < members.taken_until
    left join health_plans
        on lines.health_plan_id = health_plans.health_plan_id
        and lines.service_date >= health_plans.taken_from
        and lines.service_date < health_plans.taken_until
    left join providers
        on lines.provider_id = providers.provider_id
        and lines.service_date >= providers.taken_from
        and lines.service_date < providers.taken_until

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
