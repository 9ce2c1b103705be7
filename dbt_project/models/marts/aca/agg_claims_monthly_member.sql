{{ config(
    materialized='incremental', incremental_strategy='follow', meta={'date': 'service_month', 'date_part': 'month'},
    as_columnstore=true
) }}

select
    service_month,
    member_id,
    health_plan_id,
    member_key,
    health_plan_key,
    age_band,
    {{ claim_sums() }}
from {{ ref('fct_claim_line') }}
where {{ has_changed('service_month') }}
group by service_month, member_id, health_plan_id, member_key, health_plan_key, age_band
