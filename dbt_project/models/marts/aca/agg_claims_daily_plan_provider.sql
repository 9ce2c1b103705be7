{{ config(
    materialized='incremental', incremental_strategy='follow', meta={'date': 'service_date'}, as_columnstore=true
) }}

select
    service_date,
    health_plan_id,
    provider_id,
    health_plan_key,
    provider_key,
    {{ claim_sums() }}
from {{ ref('fct_claim_line') }}
where {{ has_changed('service_date') }}
group by service_date, health_plan_id, provider_id, health_plan_key, provider_key
