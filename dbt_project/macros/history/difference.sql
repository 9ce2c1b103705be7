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
{%- if not strategy.is_stale %}
{{ no_difference_sql(strategy) }}
{%- else -%}
{{ desired_versions_ctes(strategy, source) }},

core_versions as (

    select
        {{ core_columns(strategy, source) }},
        dbt_scd_id,
        dbt_valid_from,
        dbt_valid_to
    from {{ strategy.core.relation }}
    {% if strategy.since %}where dbt_valid_from >= {{ timestamp_literal(strategy.since) }}{% endif %}

),
{% if strategy.since %}
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
        ends._ends_at as dbt_valid_to,
        'update' as dbt_change_type
    from in_force
    left join ends
        on {% for column in key %}in_force.{{ column }} = ends.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}

    where {{ is_distinct('in_force.dbt_valid_to', 'ends._ends_at') }}

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
    full join core_versions as core on desired.dbt_scd_id = core.dbt_scd_id
    where {{ rows_differ(['dbt_scd_id', 'dbt_valid_to'] + columns, 'desired', 'core') }}

)

select * from rewritten
{% if strategy.since %}
union all
select * from reopened_or_ended
{% endif %}
{%- endif %}
{% endmacro %}

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
