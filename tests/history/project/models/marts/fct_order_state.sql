{{ config(
    materialized='incremental', incremental_strategy='period_merge', unique_key=['shop', 'number'],
    meta={'measures': ['order_count', 'price']}
) }}

{% set people, orders = ref('people'), ref('orders') %}

with current_orders as (

    select
        shop,
        number,
        state,
        price,
        cast(dbt_valid_from as date) as period_start,
        case when price is null then cast('2024-11-30' as date) else cast('2025-01-15' as date) end as counted_on
    from {{ orders }}
    where dbt_valid_to is null

),

touched as (

    {% if is_incremental() %}
    {{ stale_keys(orders) }}
    union
    select shop, number from {{ this }} where counted_on >= {{ first_stale_period(people) }}
    {% else %}
    select shop, number from current_orders
    {% endif %}

)

select
    touched.shop,
    touched.number,
    current_orders.state,
    current_orders.price,
    current_orders.period_start,
    current_orders.counted_on,
    cast({{ dbt.date_trunc('month', 'current_orders.counted_on') }} as date) as counted_month,
    1 as order_count,
    person.name,
    person.size
from touched
left join current_orders on touched.shop = current_orders.shop and touched.number = current_orders.number
left join {{ people }} as person
    on person.person = '001'
    and current_orders.counted_on >= person.dbt_valid_from
    and (person.dbt_valid_to is null or current_orders.counted_on < person.dbt_valid_to)
