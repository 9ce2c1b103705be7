-- Months of service in which an aggregate and the claim lines differ in number or in an amount.
with months as (

    select distinct
        date_day,
        month_start
    from {{ ref('dim_date') }}

),

facts as (

    select
        service_month as month_start,
        {{ claim_totals() }}
    from {{ ref('fct_claim_line') }}
    group by service_month

),

aggregates as (

    select
        'agg_claims_daily_plan_provider' as aggregate_name,
        months.month_start,
        {{ claim_totals() }}
    from {{ ref('agg_claims_daily_plan_provider') }} as daily
    inner join months on daily.service_date = months.date_day
    group by months.month_start
    union all
    select
        'agg_claims_monthly_member' as aggregate_name,
        service_month as month_start,
        {{ claim_totals() }}
    from {{ ref('agg_claims_monthly_member') }}
    group by service_month

),

names as (

    select 'agg_claims_daily_plan_provider' as aggregate_name
    union all
    select 'agg_claims_monthly_member' as aggregate_name

),

expected as (

    select
        names.aggregate_name,
        facts.*
    from names
    cross join facts

)

select
    coalesce(expected.aggregate_name, aggregates.aggregate_name) as aggregate_name,
    coalesce(expected.month_start, aggregates.month_start) as month_start,
    expected.claim_line_count as claim_lines_of_fact,
    aggregates.claim_line_count,
    expected.paid_amount as paid_amount_of_fact,
    aggregates.paid_amount
from expected
full join aggregates
    on expected.aggregate_name = aggregates.aggregate_name and expected.month_start = aggregates.month_start
where {{ rows_differ(claim_measures(), 'expected', 'aggregates') }}
