{{ config(
    materialized='incremental', incremental_strategy='follow', meta={'date': 'counted_month', 'date_part': 'month'}
) }}

select
    cast({{ dbt.date_trunc('month', 'counted_on') }} as date) as counted_month,
    name,
    count(*) as orders,
    sum(coalesce(price, 0)) as price
from {{ ref('fct_order_state') }}
where {{ has_changed(dbt.date_trunc('month', 'counted_on')) }}
group by {{ dbt.date_trunc('month', 'counted_on') }}, name
