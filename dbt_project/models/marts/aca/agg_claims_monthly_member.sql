{% set groups = ['service_month', 'member_id', 'health_plan_id', 'member_key', 'health_plan_key', 'age_band'] %}

{{ config(
    materialized='incremental', incremental_strategy='period_sum', unique_key=groups, meta={'count': 'claim_line_count'},
    as_columnstore=true, indexes=unique_index(groups)
) }}

select
    {{ groups | join(',\n    ') }},
    {{ claim_sums() }}
from {{ changes_of(ref('fct_claim_line')) }}
group by {{ groups | join(', ') }}
