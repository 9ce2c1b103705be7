{# Everything in which the engines differ, by name. Each engine's own file in this folder answers. #}

{#- SQL that excludes, until the end of the transaction, every other writer of the dataset. -#}
{% macro lock_sql(dataset) %}{{ return(adapter.dispatch('lock_sql')(dataset)) }}{% endmacro %}

{#- DDL of the ledger, harmless when it is there. -#}
{% macro create_ledger_sql(ledger) %}{{ return(adapter.dispatch('create_ledger_sql')(ledger)) }}{% endmacro %}

{#- DDL of a temporary table made of a query. -#}
{% macro create_temporary_table_sql(relation, sql) %}
    {{ return(adapter.dispatch('create_temporary_table_sql')(relation, sql)) }}
{% endmacro %}

{% macro default__create_temporary_table_sql(relation, sql) %}
    create temporary table {{ relation.include(database=false, schema=false) }} as {{ sql }}
{% endmacro %}

{#- MD5 of a text in UTF-8, as 32 lower-case hex digits. -#}
{% macro md5_hex(text) %}{{ return(adapter.dispatch('md5_hex')(text)) }}{% endmacro %}

{#- 15 hex digits as a number. -#}
{% macro hex_to_bigint(hex) %}{{ return(adapter.dispatch('hex_to_bigint')(hex)) }}{% endmacro %}

{#- A timestamp as text with microseconds, whatever the session's settings. -#}
{% macro timestamp_text(timestamp) %}{{ return(adapter.dispatch('timestamp_text')(timestamp)) }}{% endmacro %}

{#- Completed years between two dates. -#}
{% macro age_in_years(born_on, on_date) %}{{ return(adapter.dispatch('age_in_years')(born_on, on_date)) }}{% endmacro %}

{#- A query that gives each day from `first_day` to `last_day` of a one-row relation, as `date_day`. -#}
{% macro day_series(relation) %}{{ return(adapter.dispatch('day_series')(relation)) }}{% endmacro %}

{#- year, quarter, month, day, isoyear, week (ISO) or isodow of a date, as integer. -#}
{% macro date_part(part, date) %}{{ return(adapter.dispatch('date_part')(part, date)) }}{% endmacro %}
