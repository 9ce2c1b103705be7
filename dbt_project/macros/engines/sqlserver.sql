{#
    What SQL Server says in its own way (T-SQL, 2019 and newer).

    dbt-sqlserver commits each statement by itself unless `dbt_sqlserver_use_dbt_transactions` is on; dbt_project.yml
    turns it on, for history and ledger change together or not at all.
#}

{#- Held until the transaction ends. The loader takes the same name for a load and a rollback of the dataset. -#}
{% macro sqlserver__lock_sql(name) %}
    {% if not adapter.behavior.dbt_sqlserver_use_dbt_transactions %}
        {% do exceptions.raise_compiler_error(
            'the flag dbt_sqlserver_use_dbt_transactions is off, which would let go of the lock; dbt_project.yml sets it'
        ) %}
    {% endif %}
    {% set variable = '@lock_' ~ local_md5(name)[:8] %}
    if @@trancount = 0 throw 50000, 'the lock {{ lock_name(name) }} needs an open transaction; none was begun', 1;
    declare {{ variable }} int;
    exec {{ variable }} = sp_getapplock
        @Resource = N'{{ lock_name(name) }}', @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = -1;
    if {{ variable }} < 0 throw 50000, 'the lock {{ lock_name(name) }} was not granted; run the same command again', 1
{% endmacro %}

{#- An attention, which is how a driver gives up a statement, rolls back under XACT_ABORT and is not an error. -#}
{% macro sqlserver__lock_is_held_sql(name) %}
    if isnull(applock_mode('public', N'{{ lock_name(name) }}', 'Transaction'), 'NoLock') <> 'Exclusive'
        throw 50000, 'the lock {{ lock_name(name) }} was lost while the node was built; run this build again', 1;
{% endmacro %}

{#-
    dbt-sqlserver commits between the statements of a first or full build of an incremental model, and once more at
    its end. Each of its commits closes one level of transactions: the level that is opened here keeps the lock, and
    all that was written under it, until the last of them.
-#}
{% macro sqlserver__hold_transaction_sql() %}
    begin transaction;
{% endmacro %}

{% macro sqlserver__release_transaction_sql() %}
    commit transaction
{% endmacro %}

{#- Two builds at once could both find that there is no table, hence the lock. -#}
{% macro sqlserver__create_ledger_sql() %}
    begin transaction;
    {{ lock_sql(name_of(ledger())) }};
    if schema_id('{{ ledger().schema }}') is null exec('create schema {{ ledger().schema }}');
    if object_id('{{ name_of(ledger()) }}', 'U') is null
        create table {{ ledger().include(database=false) }} ({{ ledger_columns() }});
    {{ cluster_sql(ledger(), ['consumer', 'dataset', 'data_period']) }}
    commit transaction
{% endmacro %}

{% macro sqlserver__empty_copy_sql(relation, columns, source) %}
    select {{ columns }} into {{ relation }} from {{ source }} where 1 = 0
{% endmacro %}

{#- With row versions a heap frees no page, whoever locks it: KB 913399. -#}
{% macro sqlserver__cluster_sql(relation, columns) %}
    {% set table = relation.include(database=false) %}
    if not exists (select * from sys.indexes where object_id = object_id('{{ table }}') and index_id = 1)
        create clustered index ix_{{ relation.identifier }} on {{ table }} ({{ columns | join(', ') }});
{% endmacro %}

{#- Temporary tables of the adapter are tables with a name of their own; the query goes into a view first. -#}
{% macro sqlserver__create_temporary_table(relation, sql) %}
    {% do run_query(get_create_table_as_sql(true, relation, sql)) %}
{% endmacro %}

{% macro sqlserver__drop_temporary_table(relation) %}
    {% do adapter.drop_relation(relation.incorporate(type='table')) %}
{% endmacro %}

{#- A CTE cannot stand in a subquery here: the query goes into a view, as it does in the adapter's own snapshots. -#}
{% macro sqlserver__subquery_of(relation, sql) %}
    {% set view = relation.incorporate(
        path={'identifier': relation.identifier ~ '_snapshot_staging_temp_view'}, type='view'
    ) %}
    {% do run_query(get_create_view_as_sql(view, sql)) %}
    {{ return(view) }}
{% endmacro %}

{% macro sqlserver__drop_subquery(subquery) %}
    {% do adapter.drop_relation(subquery) %}
{% endmacro %}

{#- `intersect` takes NULL for equal to NULL, as `is distinct from` (2022) does. `=` pads with blanks, hence the lengths. -#}
{% macro sqlserver__any_distinct(pairs) -%}
    not exists (
        select {% for left, right in pairs %}{{ left }}, datalength({{ left }}){{ ', ' if not loop.last }}{% endfor %}

        intersect
        select {% for left, right in pairs %}{{ right }}, datalength({{ right }}){{ ', ' if not loop.last }}{% endfor %}

    )
{%- endmacro %}

{% macro sqlserver__text(value) -%}
    cast({{ value }} as nvarchar(4000))
{%- endmacro %}

{#-
    The adapter puts a query into exec('...'), a text of the database's code page: a letter outside it becomes ?, whatever N
    it has. Its bytes are those of any code page.
-#}
{% macro sqlserver__text_literal(value) -%}
    {%- if value.isascii() -%}
        N'{{ value | replace("'", "''") }}'
    {%- else -%}
        {%- set bytes = value.encode('utf-16-le') -%}
        cast(0x{{ bytes.hex() }} as nvarchar({{ bytes | length // 2 }}))
    {%- endif -%}
{%- endmacro %}

{#- Overrides dbt's own, which writes the values as texts of the code page. -#}
{% macro sqlserver__test_accepted_values(model, column_name, values, quote=True) %}
    {% set listed = [] %}
    {% for value in values %}
        {% do listed.append(text_literal(value | string) if quote else value) %}
    {% endfor %}
    select {{ column_name }} as value_field, count(*) as n_records
    from {{ model }}
    where {{ column_name }} not in ({{ listed | join(', ') }})
    group by {{ column_name }}
{% endmacro %}

{#- A collation in UTF-8 makes the cast encode in UTF-8, which keeps every letter. -#}
{% macro sqlserver__md5_hex(text) -%}
    lower(
        convert(
            varchar(32),
            hashbytes('MD5', cast({{ text }} collate Latin1_General_100_BIN2_UTF8 as varchar(8000))),
            2
        )
    )
{%- endmacro %}

{% macro sqlserver__hex_to_bigint(hex) -%}
    cast(convert(varbinary(8), concat('0', {{ hex }}), 2) as bigint)
{%- endmacro %}

{% macro sqlserver__timestamp_text(timestamp) -%}
    convert(varchar(26), cast({{ timestamp }} as datetime2(6)), 121)
{%- endmacro %}

{% macro sqlserver__age_in_years(born_on, on_date) -%}
    datediff(year, {{ born_on }}, {{ on_date }})
    - case
        when month({{ on_date }}) * 100 + day({{ on_date }}) < month({{ born_on }}) * 100 + day({{ born_on }}) then 1
        else 0
    end
{%- endmacro %}

{#-
    Numbers from digits: `generate_series` came with 2022 only. Thousands first, as many as there are, so that every day
    from year 1 to 9999 is among them.
-#}
{% macro sqlserver__day_series(relation) %}
    select dateadd(day, thousands.number * 1000 + ones.number, calendar.first_day) as date_day
    from {{ relation }} as calendar
    inner join ({{ sqlserver_numbers(4) }}) as thousands
        on thousands.number * 1000 <= datediff(day, calendar.first_day, calendar.last_day)
    inner join ({{ sqlserver_numbers(3) }}) as ones
        on thousands.number * 1000 + ones.number <= datediff(day, calendar.first_day, calendar.last_day)
{% endmacro %}

{#- All numbers of so many digits, as `number`. -#}
{% macro sqlserver_numbers(digits) -%}
    select {% for power in range(digits) %}digit_{{ power }}.digit * {{ 10 ** power }}{{ ' + ' if not loop.last }}{% endfor %} as number
    from {% for power in range(digits) %}
        {{- 'cross join ' if not loop.first -}}
        (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as digit_{{ power }} (digit)
    {% endfor %}
{%- endmacro %}

{#- Overrides dbt-sqlserver's own, which counts from a `datetime`: that has no day before 1753. -#}
{% macro sqlserver__date_trunc(datepart, date) -%}
    {%- set first_day -%}
        cast('0001-01-01' as date)
    {%- endset -%}
    dateadd({{ datepart }}, datediff({{ datepart }}, {{ first_day }}, {{ date }}), {{ first_day }})
{%- endmacro %}

{#- The first day of year 1 was a Monday; `datepart(weekday)` would hang on the session's DATEFIRST. -#}
{% macro sqlserver__date_part(part, date) -%}
    {%- set isodow -%}
        (datediff(day, cast('0001-01-01' as date), {{ date }}) % 7 + 1)
    {%- endset -%}
    {%- if part == 'isodow' -%}
        {{ isodow }}
    {%- elif part == 'isoyear' -%}
        year(dateadd(day, 4 - {{ isodow }}, {{ date }}))
    {%- else -%}
        datepart({{ 'iso_week' if part == 'week' else part }}, {{ date }})
    {%- endif -%}
{%- endmacro %}

{#-
    The next two override dbt-sqlserver's own, which give a column of text the collation of the database when they add
    or widen it: core and stage could then not be compared.
-#}
{% macro sqlserver__create_columns(relation, columns) %}
    {% set collations = collations_of(make_temp_relation(relation)) %}
    {% call statement('create_columns') %}
        alter table {{ relation }} add
        {% for column in columns %}
            {{ adapter.quote(column.name) }} {{ column.data_type }} {{ collations.get(column.name, '') }}
            {{- ', ' if not loop.last }}
        {% endfor %}
    {% endcall %}
{% endmacro %}

{#- What is not said to be NOT NULL becomes nullable, and a column of an index keeps its type but for longer texts. -#}
{% macro sqlserver__alter_column_type(relation, column_name, new_column_type) %}
    {% do refuse_hindered(relation, column_name, new_column_type) %}
    {% if has_values(relation, column_name) %}
        {% do drop_indexes_of_model(relation, column_name, new_column_type) %}
        {% set may_be_null = run_query(
            "select columnproperty(object_id('" ~ relation.include(database=false) ~ "'), '" ~ column_name
            ~ "', 'AllowsNull') as answer"
        ).rows[0]['answer'] %}
        {% do run_query(
            'alter table ' ~ relation ~ ' alter column ' ~ adapter.quote(column_name) ~ ' ' ~ new_column_type ~ ' '
            ~ collation_of(relation, column_name, new_column_type) ~ (' null' if may_be_null else ' not null')
        ) %}
    {% else %}
        {% do empty_as_type(relation, column_name, new_column_type) %}
    {% endif %}
{% endmacro %}

{#- Most types cannot be converted to each other, be it of nothing. -#}
{% macro sqlserver__empty_as_type(relation, column_name, new_type) %}
    {% set column, collation = adapter.quote(column_name), collation_of(relation, column_name, new_type) %}
    {% do drop_indexes_of_model(relation, column_name, 'another') %}
    {% do run_query('alter table ' ~ relation ~ ' drop column ' ~ column) %}
    {% do run_query('alter table ' ~ relation ~ ' add ' ~ column ~ ' ' ~ new_type ~ ' ' ~ collation) %}
{% endmacro %}

{#- That of the column as it is; of one that becomes text, that of the texts of stage. -#}
{% macro collation_of(relation, column_name, new_type) %}
    {% if 'char' in new_type | lower %}
        {{ return(collations_of(relation).get(column_name, 'collate Latin1_General_100_BIN2')) }}
    {% endif %}
    {{ return('') }}
{% endmacro %}

{#- Those of the config `indexes` that hold a column, and ours; adapter and post-hook make them again before the commit. -#}
{% macro drop_indexes_of_model(relation, column_name, new_type) %}
    {% set own = [] %}
    {% for index in config.get('indexes') or [] if 'char' not in new_type | lower %}
        {% do own.append(index['columns'] | join(',')) %}
    {% endfor %}
    {% for row in run_query(
        "select indexes.name, string_agg(col_name(uses.object_id, uses.column_id), ',') "
        ~ 'within group (order by uses.key_ordinal) as columns_of_index '
        ~ 'from sys.indexes as indexes inner join sys.index_columns as uses '
        ~ 'on indexes.object_id = uses.object_id and indexes.index_id = uses.index_id '
        ~ "where indexes.object_id = object_id('" ~ relation.include(database=false) ~ "') "
        ~ 'and indexes.type = 2 and indexes.is_primary_key = 0 and indexes.is_unique_constraint = 0 '
        ~ 'group by indexes.name'
    ) if column_name in row['columns_of_index'].split(',') and (
        row['columns_of_index'] in own or (row['name'].startswith('history_') and 'char' not in new_type | lower)
    ) %}
        {% do run_query('drop index ' ~ adapter.quote(row['name']) ~ ' on ' ~ relation) %}
    {% endfor %}
{% endmacro %}

{#- `collate ...` of each column of text, by name. -#}
{% macro collations_of(relation) %}
    {% set found = {} %}
    {% for row in run_query(
        "select name, collation_name from sys.columns where collation_name is not null and object_id = object_id('"
        ~ relation.include(database=false) ~ "')"
    ) %}
        {% do found.update({row['name']: 'collate ' ~ row['collation_name']}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro sqlserver__columns_of_query(relation, sql) %}
    {{ return(sql_convert_columns_in_relation(run_query(
        'select selected.name, types.name as data_type, '
        ~ "case when types.name in ('nchar', 'nvarchar') and selected.max_length <> -1 then selected.max_length / 2 "
        ~ 'else selected.max_length end as size, selected.precision, selected.scale '
        ~ "from sys.dm_exec_describe_first_result_set(N'" ~ sql | replace("'", "''") ~ "', null, 0) as selected "
        ~ 'inner join sys.types as types on selected.system_type_id = types.user_type_id '
        ~ 'order by selected.column_ordinal'
    ))) }}
{% endmacro %}

{#- Those that are bound to the schema; others follow. -#}
{% macro sqlserver__views_on(relation, column_name) %}
    {% set table = "object_id('" ~ relation.include(database=false) ~ "')" %}
    {{ return(run_query(
        "select distinct concat(object_schema_name(referencing_id), '.', object_name(referencing_id)) as name "
        ~ 'from sys.sql_expression_dependencies where is_schema_bound_reference = 1 and referenced_id = ' ~ table
        ~ ' and referencing_id <> ' ~ table
        ~ " and referenced_minor_id = columnproperty(" ~ table ~ ", '" ~ column_name ~ "', 'ColumnId') order by name"
    ).columns['name'].values() | list) }}
{% endmacro %}

{#- An entry has at most 1,700 bytes, a letter two. -#}
{% macro sqlserver__longest_indexed_text() %}{{ return(800) }}{% endmacro %}

{% macro sqlserver__indexes_named(relation, prefix) %}
    {{ return(run_query(
        "select name from sys.indexes where object_id = object_id('" ~ relation.include(database=false)
        ~ "') and name like '" ~ prefix ~ "%'"
    ).columns['name'].values() | list) }}
{% endmacro %}

{% macro sqlserver__drop_index_sql(relation, name) %}
    drop index {{ name }} on {{ relation }}
{% endmacro %}
