{{ config(
    materialized='incremental', incremental_strategy='period_sum', unique_key=['counted_month', 'name'],
    meta={'count': 'orders'}
) }}

select
    counted_month,
    coalesce(name, 'nobody') as name,
    sum(order_count) as orders,
    sum({{ order_price() }}) as price
from {{ changes_of(ref('fct_order_state')) }}
group by counted_month, coalesce(name, 'nobody')
