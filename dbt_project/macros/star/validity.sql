{#- From when until before when a dimension has a row of a history, and whether it still has it. -#}
{% macro validity() -%}
    cast(dbt_valid_from as date) as valid_from,
    coalesce(cast(dbt_valid_to as date), cast('9999-12-31' as date)) as valid_to,
    cast(case when dbt_valid_to is null then 1 else 0 end as {{ dbt.type_boolean() }}) as is_current
{%- endmacro %}

{#- The same of the unknown member. -#}
{% macro always_valid() -%}
    cast('1900-01-01' as date) as valid_from,
    cast('9999-12-31' as date) as valid_to,
    cast(1 as {{ dbt.type_boolean() }}) as is_current
{%- endmacro %}
