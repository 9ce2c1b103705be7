{#
    What history should be, in the periods that are read (history/window.sql says which; docs/understand/history.md has the
    picture).

    A row of a delivery is compared with the row that its key had before: the newer of the two starts at its period,
    the older is set against the next delivered period in which its key is not unknown (full), or against the next
    delivered row of its key (delta). Where the two differ is a boundary: the older version ends there, and a living
    newer row starts a version.

    What is worked out beside the columns of a snapshot is called by names that begin with _, which those of a contract never
    do.
#}

{#- The CTEs up to `desired_versions`: columns, dbt_scd_id, dbt_valid_from, dbt_valid_to. -#}
{% macro desired_versions_ctes(strategy, source) %}
{%- set history, window = strategy.history, strategy.window -%}
{%- set key = quoted(history.key) -%}
with periods as (

    select
        data_period,
        load_id,
        period_start as _period_start,
        {% if strategy.has_unknown %}
        row_number() over (order by period_start) as _period_number,
        {% if strategy.has_incomplete %}
        case when {{ is_incomplete() }} then 1 else 0 end as is_incomplete,
        {% endif %}
        {% endif %}
        lead(period_start) over (order by period_start) as _next_start
    from {{ dataset_version() }}
    where dataset = '{{ history.dataset }}' and {{ is_active() }} and {{ is_read('period_start', window) }}

),

{{ keys_to_read_ctes(strategy, source) }}
newer_rows as (

    {{ staged_rows(strategy, source, '_period_start') }}

),
{% if strategy.core %}
core_versions as (

    {% for is_there in versions_to_read(strategy) %}
    select
        {{ core_columns(strategy, source) }},
        dbt_scd_id,
        dbt_valid_from,
        dbt_valid_to
    from {{ strategy.core.relation }} as versions
    where {{ is_there }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),
{% endif %}
{% if window %}
in_force as (

    select *
    from core_versions
    where dbt_valid_from < {{ timestamp_literal(window.start) }}

),
{% endif %}
{% if strategy.has_unknown %}
{{ runs_of_unknown_ctes(strategy, source) }}
{% endif %}

older_rows as (

    {% if history.kind == 'delta' %}{{ older_delta_rows(strategy, source) }}
    {% elif strategy.has_unknown %}{{ older_rows_past_unknown(strategy, source) }}
    {% else %}{{ older_full_rows(strategy, source) }}{% endif %}

),

boundaries as (

    select
        {% for column in quoted(strategy.columns) %}
        {% if column in key %}
        coalesce(newer.{{ column }}, older.{{ column }}) as {{ column }},
        {% else %}
        newer.{{ column }},
        {% endif %}
        {% endfor %}
        newer._is_alive,
        coalesce(newer._starts_at, older._starts_at) as _starts_at
    from newer_rows as newer
    full join older_rows as older
        on newer._starts_at = older._starts_at
        {% for column in key %}
        and newer.{{ column }} = older.{{ column }}
        {% endfor %}
    where {{ rows_differ(['_is_alive'] + quoted(history.tracked), 'newer', 'older') }}

),
{% if window.last %}
{{ reaching_beyond_cte(strategy) }}
{% endif %}
spans as (

    select
        boundaries.*,
        lead(boundaries._starts_at) over (
            partition by {% for column in key %}boundaries.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

            order by boundaries._starts_at
        ) as _next_boundary
        {% if window.last %}
        , beyond._ends_at as _ends_beyond
        {% endif %}
    from boundaries
    {% if window.last %}
    left join beyond on {{ same_key(key, 'boundaries', 'beyond') }}
    {% endif %}

),

desired_versions as (

    select
        {{ quoted(strategy.columns) | join(',\n        ') }},
        {{ version_id(key, '_starts_at') }} as dbt_scd_id,
        _starts_at as dbt_valid_from,
        {{ 'coalesce(_next_boundary, _ends_beyond)' if window.last else '_next_boundary' }} as dbt_valid_to
    from spans
    where _is_alive = 1

)
{%- endmacro %}

{#- Rows of the periods to read, with `_starts_at` taken from the given column of the period. -#}
{% macro staged_rows(strategy, source, start) %}
    {%- set marker = strategy.history.end_marker -%}
    select
        {% for column in quoted(strategy.columns) %}
        staged.{{ column }},
        {% endfor %}
        {% if marker %}
        case when staged.{{ adapter.quote(marker.column) }} = {{ text_literal(marker.value) }} then 0 else 1 end as _is_alive,
        {% else %}
        1 as _is_alive,
        {% endif %}
        periods.{{ start }} as _starts_at
    from {{ source }} as staged
    inner join periods on staged._data_period = periods.data_period and staged._load_id = periods.load_id
    where periods.{{ start }} is not null{{ keys_to_read(strategy, 'staged', 'periods.' ~ start) }}
{%- endmacro %}

{#-
    A full delivery lists every living key: each row is set against the next delivered period, absent there or not. Of a
    window the rows are those that were read as newer ones; of all of history they are too many to be kept for that.
-#}
{% macro older_full_rows(strategy, source) %}
    {%- if not strategy.window %}
    {{- staged_rows(strategy, source, '_next_start') }}
    {%- else %}
    {%- if (strategy.periods or []) | length != 1 %}
    select
        {% for column in quoted(strategy.columns) %}
        newer_rows.{{ column }},
        {% endfor %}
        newer_rows._is_alive,
        periods._next_start as _starts_at
    from newer_rows
    inner join periods on newer_rows._starts_at = periods._period_start
    where periods._next_start is not null{{ rest_to_read(strategy, 'newer_rows', 'periods._next_start') }}
    union all
    {%- endif %}
    select
        {{ quoted(strategy.columns) | join(', ') }},
        1 as _is_alive,
        (select min(_period_start) from periods) as _starts_at
    from in_force
    {%- endif %}
{%- endmacro %}

{#-
    The same where keys are unknown in some of the periods: a row is set against the period after the run of periods in
    which its key is unknown, and against none when the run reaches the last.
-#}
{% macro older_rows_past_unknown(strategy, source) %}
    select
        {% for column in quoted(strategy.columns) %}
        older.{{ column }},
        {% endfor %}
        older._is_alive,
        case when runs._first_start is null then older._starts_at else runs._next_start end as _starts_at
    from (
        {{ older_full_rows(strategy, source) }}
    ) as older
    left join runs_of_unknown as runs
        on older._starts_at = runs._first_start
        {% for column in quoted(strategy.history.key) %}
        and older.{{ column }} = runs.{{ column }}
        {% endfor %}
    where runs._first_start is null or runs._next_start is not null
{%- endmacro %}

{#-
    The CTEs up to `runs_of_unknown`: of each key the runs of periods, one after the other, in which it is unknown; with
    the start of the first of them and of the period after the last. Unknown is a key that the load names as such, or
    that an incomplete load does not state.
-#}
{% macro runs_of_unknown_ctes(strategy, source) %}
{%- set key = quoted(strategy.history.key) -%}
{%- set keys = key | join(', ') -%}
stated as (

    select
        {% for column in key %}
        staged.{{ column }},
        {% endfor %}
        periods._period_start
    from {{ source }} as staged
    inner join periods on staged._data_period = periods.data_period and staged._load_id = periods.load_id
    where 1 = 1{{ keys_to_read(strategy, 'staged', 'periods._period_start') }}

),
{% if strategy.has_incomplete %}
known_keys as (

    select {{ keys }}
    from stated
    {% if strategy.window %}
    union
    select {{ keys }}
    from in_force
    {% else %}
    group by {{ keys }}
    {% endif %}

),
{% endif %}

unstated as (

    select
        {% for column in key %}
        named.{{ column }},
        {% endfor %}
        periods._period_number,
        periods._period_start,
        periods._next_start
    from {{ unknown_keys_of(strategy.history) }} as named
    inner join periods on named._data_period = periods.data_period and named._load_id = periods.load_id
    {% if strategy.has_incomplete %}
    union
    select
        {% for column in key %}
        known_keys.{{ column }},
        {% endfor %}
        periods._period_number,
        periods._period_start,
        periods._next_start
    from known_keys
    cross join periods
    where periods.is_incomplete = 1
    {% endif %}

),

unknown as (

    select
        {% for column in key %}
        unstated.{{ column }},
        {% endfor %}
        unstated._period_start,
        unstated._next_start,
        unstated._period_number - row_number() over (
            partition by {% for column in key %}unstated.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

            order by unstated._period_number
        ) as _run_number
    from unstated
    left join stated
        on unstated._period_start = stated._period_start
        {% for column in key %}
        and unstated.{{ column }} = stated.{{ column }}
        {% endfor %}
    where stated._period_start is null

),

runs_of_unknown as (

    select
        {{ keys }},
        min(_period_start) as _first_start,
        case when count(_next_start) = count(*) then max(_next_start) end as _next_start
    from unknown
    group by {{ keys }}, _run_number

),
{%- endmacro %}

{#- A delta lists changes only: each row is set against the next row of its key, in whatever period that comes. -#}
{% macro older_delta_rows(strategy, source) %}
    select *
    from (
        select
            {{ quoted(strategy.columns) | join(', ') }},
            _is_alive,
            lead(_starts_at) over (
                partition by {{ quoted(strategy.history.key) | join(', ') }} order by _starts_at
            ) as _starts_at
        from (
            select * from newer_rows
            {% if strategy.window %}
            union all
            select
                {{ quoted(strategy.columns) | join(', ') }},
                1 as _is_alive,
                dbt_valid_from as _starts_at
            from in_force
            {% endif %}
        ) as rows_of_key
    ) as rows_with_next
    where _starts_at is not null
{%- endmacro %}

{#- First run: there is no core to compare with. -#}
{% macro first_history_sql(strategy, source) %}
{{ desired_versions_ctes(strategy, source) }}

select * from desired_versions
{% endmacro %}

{#- Identity of a version: key and start, so that it survives a rebuild. -#}
{% macro version_id(key, valid_from) -%}
    {{ md5_hex(unambiguous_text(key + [timestamp_text(valid_from)])) }}
{%- endmacro %}
