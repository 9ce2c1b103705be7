{# Everything in which the engines differ, by name. Each engine's own file in this folder answers. #}

{#- SQL that excludes, until the end of the transaction, everybody else who takes the same name: a dataset, a table. -#}
{% macro lock_sql(name) %}{{ return(adapter.dispatch('lock_sql')(name)) }}{% endmacro %}

{#- Begins the transaction of an operation, where the adapter would not: dbt has just committed on its connection. -#}
{% macro begin_operation() %}{{ return(adapter.dispatch('begin_operation')()) }}{% endmacro %}
{% macro default__begin_operation() %}{% endmacro %}

{#- SQL that fails unless the transaction still has a lock, where a server may end one without a word. -#}
{% macro lock_is_held_sql(name) %}{{ return(adapter.dispatch('lock_is_held_sql')(name)) }}{% endmacro %}
{% macro default__lock_is_held_sql(name) %}{% endmacro %}

{#- SQL that keeps the transaction of an incremental model together where the adapter would commit it in parts. -#}
{% macro hold_transaction_sql() %}{{ return(adapter.dispatch('hold_transaction_sql')()) }}{% endmacro %}
{% macro default__hold_transaction_sql() %}{% endmacro %}

{#- Undoes it, as the last thing before the adapter commits. -#}
{% macro release_transaction_sql() %}{{ return(adapter.dispatch('release_transaction_sql')()) }}{% endmacro %}
{% macro default__release_transaction_sql() %}{% endmacro %}

{#- DDL of the ledger, harmless when it is there. -#}
{% macro create_ledger_sql() %}{{ return(adapter.dispatch('create_ledger_sql')()) }}{% endmacro %}

{% macro default__create_ledger_sql() %}
    {% if not adapter.check_schema_exists(ledger().database, ledger().schema) %}
    create schema if not exists {{ ledger().schema }};
    {% endif %}
    create table if not exists {{ ledger() }} ({{ ledger_columns() }});
{% endmacro %}

{#- Makes a table, without rows, of columns of another. -#}
{% macro empty_copy_sql(relation, columns, source) %}
    {{ return(adapter.dispatch('empty_copy_sql')(relation, columns, source)) }}
{% endmacro %}

{% macro default__empty_copy_sql(relation, columns, source) %}
    create table {{ relation }} as select {{ columns }} from {{ source }} where 1 = 0
{% endmacro %}

{#-
    SQL that keeps the rows of a table in the order of columns, where one emptied by DELETE would keep its empty pages;
    harmless when they lie so already.
-#}
{% macro cluster_sql(relation, columns) %}{{ return(adapter.dispatch('cluster_sql')(relation, columns)) }}{% endmacro %}
{% macro default__cluster_sql(relation, columns) %}{% endmacro %}

{#- Makes a table of a query that lasts until it is dropped, or no longer than the session. -#}
{% macro create_temporary_table(relation, sql) %}
    {{ return(adapter.dispatch('create_temporary_table')(relation, sql)) }}
{% endmacro %}

{% macro default__create_temporary_table(relation, sql) %}
    {% do run_query('create temporary table ' ~ relation.include(database=false, schema=false) ~ ' as ' ~ sql) %}
{% endmacro %}

{% macro drop_temporary_table(relation) %}
    {{ return(adapter.dispatch('drop_temporary_table')(relation)) }}
{% endmacro %}

{% macro default__drop_temporary_table(relation) %}
    {% do run_query('drop table ' ~ relation.include(database=false, schema=false)) %}
{% endmacro %}

{#- Gives the planner the number of rows of a work table, where nobody else does. -#}
{% macro refresh_statistics(relation) %}{{ return(adapter.dispatch('refresh_statistics')(relation)) }}{% endmacro %}
{% macro default__refresh_statistics(relation) %}{% endmacro %}

{#- Any query as something to select from, for work on `relation`: in brackets, or a relation made for it. -#}
{% macro subquery_of(relation, sql) %}{{ return(adapter.dispatch('subquery_of')(relation, sql)) }}{% endmacro %}
{% macro default__subquery_of(relation, sql) %}{{ return('(' ~ sql ~ ')') }}{% endmacro %}

{% macro drop_subquery(subquery) %}{{ return(adapter.dispatch('drop_subquery')(subquery)) }}{% endmacro %}
{% macro default__drop_subquery(subquery) %}{% endmacro %}

{#- The columns that a query gives, with their types, for work on `relation`. -#}
{% macro columns_of_query(relation, sql) %}{{ return(adapter.dispatch('columns_of_query')(relation, sql)) }}{% endmacro %}

{#- What else in the database hinders that the type of a column changes: views, by schema and name. -#}
{% macro views_on(relation, column_name) %}{{ return(adapter.dispatch('views_on')(relation, column_name)) }}{% endmacro %}
{% macro default__views_on(relation, column_name) %}{{ return([]) }}{% endmacro %}

{#-
    Overrides dbt's own, which makes a new column, and drops the old one with all views on it. A column without a value
    may become anything.
-#}
{% macro default__alter_column_type(relation, column_name, new_column_type) %}
    {% do refuse_hindered(relation, column_name, new_column_type) %}
    {% if has_values(relation, column_name) %}
        {% do run_query(
            'alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(column_name) ~ ' type ' ~ new_column_type
        ) %}
    {% else %}
        {% do empty_as_type(relation, column_name, new_column_type) %}
    {% endif %}
{% endmacro %}

{#- Gives a column another type, whatever it was, and no values. -#}
{% macro empty_as_type(relation, column_name, new_type) %}
    {{ return(adapter.dispatch('empty_as_type')(relation, column_name, new_type)) }}
{% endmacro %}

{% macro default__empty_as_type(relation, column_name, new_type) %}
    {% do run_query(
        'alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(column_name) ~ ' type ' ~ new_type
        ~ ' using cast(null as ' ~ new_type ~ ')'
    ) %}
{% endmacro %}

{#-
    Whether two values are not the same: NULL is the same as NULL, and text is the same when all its code points are.
    docs/use/servers.md says what that means on each engine.
-#}
{% macro is_distinct(left, right) -%}
    {{ any_distinct([(left, right)]) }}
{%- endmacro %}

{#- Whether two rows differ in any of the columns. -#}
{% macro rows_differ(columns, left, right) -%}
    {%- set pairs = [] -%}
    {%- for column in columns -%}
        {%- do pairs.append((left ~ '.' ~ column, right ~ '.' ~ column)) -%}
    {%- endfor -%}
    {{ any_distinct(pairs) }}
{%- endmacro %}

{#- Whether the values of any of the pairs are not the same. -#}
{% macro any_distinct(pairs) %}{{ return(adapter.dispatch('any_distinct')(pairs)) }}{% endmacro %}

{% macro default__any_distinct(pairs) -%}
    (
        {%- for left, right in pairs -%}
        {{ left }} is distinct from {{ right }}{{ ' or ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{#- Any value as text that keeps every letter. -#}
{% macro text(value) %}{{ return(adapter.dispatch('text')(value)) }}{% endmacro %}

{% macro default__text(value) -%}
    cast({{ value }} as {{ dbt.type_string() }})
{%- endmacro %}

{#- A text constant that keeps every letter. -#}
{% macro text_literal(value) %}{{ return(adapter.dispatch('text_literal')(value)) }}{% endmacro %}

{% macro default__text_literal(value) -%}
    '{{ value | replace("'", "''") }}'
{%- endmacro %}

{#- Value of the config `indexes` that keeps a key unique, where the engine has indexes: see duckdb.sql. -#}
{% macro unique_index(columns) %}
    {{ return([{'columns': columns, 'unique': true}]) }}
{% endmacro %}

{#- The indexes of a history beside those of its config: list of {columns, where}. See history/indexes.sql. -#}
{% macro history_indexes(relation, key) %}
    {{ return(adapter.dispatch('history_indexes')(relation, key)) }}
{% endmacro %}

{#- How many letters the texts of a key may have to be indexed. -#}
{% macro longest_indexed_text() %}{{ return(adapter.dispatch('longest_indexed_text')()) }}{% endmacro %}

{#- Names of the indexes of a table that begin like that. -#}
{% macro indexes_named(relation, prefix) %}{{ return(adapter.dispatch('indexes_named')(relation, prefix)) }}{% endmacro %}

{% macro drop_index_sql(relation, name) %}{{ return(adapter.dispatch('drop_index_sql')(relation, name)) }}{% endmacro %}

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

{#- Whole numbers divided, without the remainder. -#}
{% macro integer_quotient(dividend, divisor) %}{{ return(adapter.dispatch('integer_quotient')(dividend, divisor)) }}{% endmacro %}

{% macro default__integer_quotient(dividend, divisor) -%}
    (({{ dividend }}) / ({{ divisor }}))
{%- endmacro %}
