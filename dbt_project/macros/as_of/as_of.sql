{#-
    The versions of a history that were in force on a day or at a time:
    select * from {{ as_of(ref('citizens'), "cast('2025-06-01' as date)") }} as citizens
-#}
{% macro as_of(snapshot_relation, moment) -%}
    (
        select *
        from {{ snapshot_relation }}
        where dbt_valid_from <= {{ moment }} and (dbt_valid_to is null or dbt_valid_to > {{ moment }})
    )
{%- endmacro %}
