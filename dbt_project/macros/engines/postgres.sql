{# What PostgreSQL says in its own way. #}

{#- Held until the transaction ends. The loader takes the same key for a load and a rollback of the dataset. -#}
{% macro postgres__lock_sql(name) %}
    {% if target.get('autocommit') %}
        {% do exceptions.raise_compiler_error(
            'target ' ~ target.name ~ ' has `autocommit: true`, which would let go of the lock; take it out'
        ) %}
    {% endif %}
    select pg_advisory_xact_lock({{ postgres_lock_key(name) }})
{% endmacro %}

{#-
    dbt sends a COMMIT as text before an operation, after which psycopg2 takes a transaction for open and begins none: each
    statement would be committed by itself, and let go of the lock.
-#}
{% macro postgres__begin_operation() %}
    {% do run_query('begin') %}
{% endmacro %}

{% macro postgres_lock_key(name) -%}
    hashtextextended('{{ lock_name(name) }}', 0)
{%- endmacro %}

{#-
    `create ... if not exists` of two builds at once can collide in the catalog, hence the lock. dbt leaves the
    transaction of an `on-run-start` hook open, hence the commit.
-#}
{% macro postgres__create_ledger_sql() %}
    select pg_advisory_xact_lock({{ postgres_lock_key(name_of(ledger())) }});
    {{ default__create_ledger_sql() }}
    {% if not indexes_named(ledger(), 'ix_' ~ ledger().identifier) %}{# `if not exists` waits for whoever writes rows #}
    create index if not exists ix_{{ ledger().identifier }} on {{ ledger() }} (consumer, dataset, data_period);
    {% endif %}
    commit;
{% endmacro %}

{#- Autovacuum sees no temporary table. -#}
{% macro postgres__refresh_statistics(relation) %}
    {% do run_query('analyze ' ~ relation) %}
{% endmacro %}

{#- Hashed as UTF-8 whatever the database is encoded in. -#}
{% macro postgres__md5_hex(text) -%}
    md5(convert_to({{ text }}, 'UTF8'))
{%- endmacro %}

{% macro postgres__hex_to_bigint(hex) -%}
    cast(cast('x' || {{ hex }} as bit(60)) as bigint)
{%- endmacro %}

{#- Not a cast: its result hangs on the session's DateStyle. -#}
{% macro postgres__timestamp_text(timestamp) -%}
    to_char({{ timestamp }}, 'YYYY-MM-DD HH24:MI:SS.US')
{%- endmacro %}

{% macro postgres__age_in_years(born_on, on_date) -%}
    cast(
        extract(year from {{ on_date }}) - extract(year from {{ born_on }})
        - case when to_char({{ on_date }}, 'MMDD') < to_char({{ born_on }}, 'MMDD') then 1 else 0 end
        as integer
    )
{%- endmacro %}

{% macro postgres__day_series(relation) %}
    select cast(generate_series(first_day, last_day, interval '1 day') as date) as date_day
    from {{ relation }}
{% endmacro %}

{% macro postgres__date_part(part, date) -%}
    cast(extract({{ part }} from {{ date }}) as integer)
{%- endmacro %}

{#- Only a table tells how long its texts are. -#}
{% macro postgres__columns_of_query(relation, sql) %}
    {% set empty = make_temp_relation(relation, '__types') %}
    {% do create_temporary_table(empty, 'select * from (' ~ sql ~ ') as selected where 1 = 0') %}
    {% set columns = adapter.get_columns_in_relation(empty) %}
    {% do drop_temporary_table(empty) %}
    {{ return(columns) }}
{% endmacro %}

{% macro postgres__views_on(relation, column_name) %}
    {{ return(run_query(
        "select distinct schemas.nspname || '.' || views.relname as name"
        ~ ' from pg_attribute as columns'
        ~ ' inner join pg_depend as uses on uses.refobjid = columns.attrelid and uses.refobjsubid = columns.attnum'
        ~ " inner join pg_rewrite as rules on uses.classid = 'pg_rewrite'::regclass and uses.objid = rules.oid"
        ~ ' inner join pg_class as views on rules.ev_class = views.oid'
        ~ ' inner join pg_namespace as schemas on views.relnamespace = schemas.oid'
        ~ " where columns.attrelid = '" ~ relation ~ "'::regclass and columns.attname = '" ~ column_name ~ "'"
        ~ ' order by name'
    ).columns['name'].values() | list) }}
{% endmacro %}

{#- An entry has at most a third of a page of 8 kB, a letter at most four bytes. -#}
{% macro postgres__longest_indexed_text() %}{{ return(640) }}{% endmacro %}

{% macro postgres__indexes_named(relation, prefix) %}
    {{ return(run_query(
        "select indexname as name from pg_indexes where schemaname = '" ~ relation.schema ~ "' and tablename = '"
        ~ relation.identifier ~ "' and indexname like '" ~ prefix ~ "%'"
    ).columns['name'].values() | list) }}
{% endmacro %}

{% macro postgres__drop_index_sql(relation, name) %}
    drop index {{ relation.schema }}.{{ name }}
{% endmacro %}
