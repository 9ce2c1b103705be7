{#
    What of core differs from what history should be: rows of core's columns and dbt_change_type
    (insert, update, delete). Nothing else is written.
#}

{#- The core table as it is: its relation, and which of the columns it lacks or has no more. -#}
{% macro core_of(relation, columns) %}
    {% set own = ['dbt_scd_id', 'dbt_valid_from', 'dbt_valid_to'] %}
    {% set existing = adapter.get_columns_in_relation(relation) %}
    {{ return({
        'relation': relation,
        'missing': columns | reject('in', existing | map(attribute='name') | list) | list,
        'surplus': existing | rejectattr('name', 'in', columns + own) | list,
    }) }}
{% endmacro %}

{#-
    The columns of the snapshot as core has them: NULL where dbt will add one later in this transaction, of the type that
    it has in stage (SQL Server takes a NULL alone for a number).
-#}
{% macro core_columns(strategy, source) -%}
    {%- for column in quoted(strategy.columns) -%}
        {%- if strategy.columns[loop.index0] in strategy.core.missing -%}
            (select staged.{{ column }} from {{ source }} as staged where 1 = 0) as {{ column }}
        {%- else -%}
            {{ column }}
        {%- endif -%}
        {{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro difference_sql(strategy, source) %}
{%- set columns = quoted(strategy.columns) -%}
{%- set key = quoted(strategy.history.key) -%}
{%- set new_end = 'coalesce(ends._ends_at, beyond._ends_at)' if strategy.window.last else 'ends._ends_at' -%}
{%- if not strategy.is_stale %}
{{ no_difference_sql(strategy) }}
{%- else -%}
{{ desired_versions_ctes(strategy, source) }},

{% if strategy.window %}
ends as (

    select
        {{ key | join(', ') }},
        min(_starts_at) as _ends_at
    from boundaries
    group by {{ key | join(', ') }}

),

reopened_or_ended as (

    select
        {% for column in columns %}
        in_force.{{ column }},
        {% endfor %}
        in_force.dbt_scd_id,
        in_force.dbt_valid_from,
        {{ new_end }} as dbt_valid_to,
        'update' as dbt_change_type
    from in_force
    left join ends on {{ same_key(key, 'in_force', 'ends') }}
    {% if strategy.window.last %}
    left join beyond on {{ same_key(key, 'in_force', 'beyond') }}
    {% endif %}
    where {{ is_distinct('in_force.dbt_valid_to', new_end) }}

),
{% endif %}
rewritten as (

    select
        {% for column in columns %}
        desired.{{ column }},
        {% endfor %}
        coalesce(desired.dbt_scd_id, core.dbt_scd_id) as dbt_scd_id,
        desired.dbt_valid_from,
        desired.dbt_valid_to,
        case
            when core.dbt_scd_id is null then 'insert'
            when desired.dbt_scd_id is null then 'delete'
            else 'update'
        end as dbt_change_type
    from desired_versions as desired
    full join {{ begun_versions(strategy) }} as core on desired.dbt_scd_id = core.dbt_scd_id
    where {{ rows_differ(['dbt_scd_id', 'dbt_valid_to'] + columns, 'desired', 'core') }}
        {% if strategy.may_repeat %}or core._copies > 1{% endif %}

)

select * from rewritten
{% if strategy.window %}
union all
select * from reopened_or_ended
{% endif %}
{%- endif %}
{% endmacro %}

{#-
    The versions of core that are set against the desired ones: those that begin in the periods that are read. One that stands
    twice, as none should, is written anew.
-#}
{% macro begun_versions(strategy) -%}
    {%- if strategy.window -%}
    (select * from core_versions where dbt_valid_from >= {{ timestamp_literal(strategy.window.start) }})
    {%- elif strategy.may_repeat -%}
    (
        select *
        from (
            select
                *,
                row_number() over (partition by dbt_scd_id order by dbt_valid_from) as _copy,
                count(*) over (partition by dbt_scd_id) as _copies
            from core_versions
        ) as copies
        where _copy = 1
    )
    {%- else -%}
    core_versions
    {%- endif -%}
{%- endmacro %}

{% macro no_difference_sql(strategy) %}
select
    {{ quoted(strategy.columns) | join(', ') }},
    dbt_scd_id,
    dbt_valid_from,
    dbt_valid_to,
    'none' as dbt_change_type
from {{ strategy.core.relation }}
where 1 = 0
{% endmacro %}

{#- Works out a difference and writes it, beside what dbt does by itself; gives how many versions differed. -#}
{% macro write_difference(core, strategy, source_sql) %}
    {% set source = subquery_of(core, source_sql) %}
    {% set difference = make_temp_relation(core) %}
    {% do create_temporary_table(difference, difference_sql(strategy, source)) %}
    {% set differing = run_query('select count(*) as row_count from ' ~ difference).rows[0]['row_count'] %}
    {% do refresh_statistics(difference) %}
    {% set written = quoted(strategy.columns + ['dbt_scd_id', 'dbt_valid_from', 'dbt_valid_to']) %}
    {% do run_query(apply_difference_sql(core, difference, written)) %}
    {% do refuse_unsound(core, strategy.history.key, difference) %}
    {% do drop_temporary_table(difference) %}
    {% do drop_subquery(source) %}
    {{ return(differing) }}
{% endmacro %}

{#-
    Writes the difference: `columns` are the quoted columns of core that the table `source` brings. Versions are
    replaced rather than updated: on a columnar engine an update of all columns costs fifty times as much.
-#}
{% macro apply_difference_sql(target, source, columns) %}
    delete from {{ target }}
    where dbt_scd_id in (select dbt_scd_id from {{ source }});

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ source }}
    where dbt_change_type <> 'delete';
{% endmacro %}
