{# What DuckDB says in its own way. The same names in the other files of this folder say it for their engine. #}

{#- The file lock keeps every other process out; a statement is still needed to open the transaction. -#}
{% macro duckdb__lock_sql(name) %}
    select 1
{% endmacro %}

{% macro duckdb__md5_hex(text) -%}
    md5({{ text }})
{%- endmacro %}

{% macro duckdb__hex_to_bigint(hex) -%}
    cast('0x' || {{ hex }} as bigint)
{%- endmacro %}

{% macro duckdb__timestamp_text(timestamp) -%}
    strftime({{ timestamp }}, '%Y-%m-%d %H:%M:%S.%f')
{%- endmacro %}

{% macro duckdb__age_in_years(born_on, on_date) -%}
    cast(
        extract(year from {{ on_date }}) - extract(year from {{ born_on }})
        - case when strftime({{ on_date }}, '%m%d') < strftime({{ born_on }}, '%m%d') then 1 else 0 end
        as integer
    )
{%- endmacro %}

{% macro duckdb__day_series(relation) %}
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day
    from {{ relation }}
{% endmacro %}

{% macro duckdb__date_part(part, date) -%}
    cast(extract({{ part }} from {{ date }}) as integer)
{%- endmacro %}

{#- `/` gives floating point here. -#}
{% macro duckdb__integer_quotient(dividend, divisor) -%}
    (({{ dividend }}) // ({{ divisor }}))
{%- endmacro %}

{#- The config `indexes` is left to the servers: there is one writer here, and rows are found as quickly without. -#}
{% macro duckdb__create_indexes(relation) %}{% endmacro %}
{% macro duckdb__history_indexes(relation, key) %}{{ return([]) }}{% endmacro %}
{% macro duckdb__indexes_named(relation, prefix) %}{{ return([]) }}{% endmacro %}
{% macro duckdb__longest_indexed_text() %}{{ return(0) }}{% endmacro %}
{% macro duckdb__drop_index_sql(relation, name) %}{% endmacro %}

{#- Nor is anything granted: a file has no accounts. -#}
{% macro duckdb__apply_grants(relation, grant_config, should_revoke=true) %}{% endmacro %}

{% macro duckdb__columns_of_query(relation, sql) %}
    {{ return(sql_convert_columns_in_relation(run_query(
        'select column_name, column_type, cast(null as bigint) as size, cast(null as bigint) as digits, '
        ~ 'cast(null as bigint) as scale from (describe ' ~ sql ~ ')'
    ))) }}
{% endmacro %}
