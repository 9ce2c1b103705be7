{{ config(as_columnstore=true) }}

select
    service_month,
    member_id,
    member_key,
    {{ claim_sums() }}
from {{ ref('fct_claim_line') }}
group by service_month, member_id, member_key
