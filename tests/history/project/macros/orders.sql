{#- What an order counts with in a sum. -#}
{% macro order_price() %}coalesce(price, 0){% endmacro %}
