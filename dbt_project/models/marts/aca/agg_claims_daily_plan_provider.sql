{{ config(as_columnstore=true) }}

select
    service_date,
    health_plan_key,
    provider_key,
    {{ claim_sums() }}
from {{ ref('fct_claim_line') }}
group by service_date, health_plan_key, provider_key
