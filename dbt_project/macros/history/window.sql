{#
    Which periods a build reads: windows, each a run of stale periods and what follows them up to a period after which
    nothing can have moved.

    Whether a key has a boundary at a period depends on what that delivery says of it, and on what the one before does
    that knows it. So a boundary can only have moved at a stale period, and at the first delivered period behind it in which
    the key is not unknown. There the window ends, for that key: the delivery is the one that was applied, it knows the key,
    so the key is in force there as it was, and all its boundaries behind are where they were. That is the invariant:

        in the last period of a window a key is in force with what is staged if, and only if, it is in core;
        the version in force there ends where it ended in core.

    Of core a window needs the versions that reach into it. What a window changes lies in it, and the end of versions that
    reach into it from before. So windows are worked out one after the other, in any order.

    A window: {start, last, until, stale}. `start` is that of its first period, which is stale. `last` is the first period
    behind the stale ones that is applied and complete: up to it all is read. Keys that the load of `last` names as unknown
    are read up to `until`, the first complete period in which none of them is unknown. Where one is none, the window reaches
    to the last delivery. A delta has one window, without `last`: the next row of a key may come in any period. Where periods
    follow that are not stale, `stale` lists the starts of those that are, and only keys are read that their old or
    new loads name. (What an old load named without leaving a trace in core changed nothing.)
#}

{#- The windows of a history; none when all of it is to be worked out. Too many are read as one. -#}
{% macro find_windows(node, history, since) %}
    {% if history.kind == 'delta' %}
        {% set stale, is_followed = [], run_query(followed_sql(node)).rows[0]['periods'] > 0 %}
        {% for row in run_query(stale_periods_sql(node)) if is_followed %}
            {% do stale.append(row['period_start'] | string) %}
        {% endfor %}
        {{ return([{'start': since, 'last': none, 'until': none, 'stale': stale}]) }}
    {% endif %}
    {% set windows = [] %}
    {% for row in run_query(windows_sql(node)) %}
        {% do windows.append({
            'start': row['window_start'] | string,
            'last': row['window_last'] | string if row['window_last'] else none,
            'until': row['window_until'] | string if row['window_until'] else none,
            'stale': []
        }) %}
    {% endfor %}
    {% if windows | length > 12 %}
        {{ return([dict(windows[-1], start=windows[0].start)]) }}
    {% endif %}
    {{ return(windows) }}
{% endmacro %}

{% macro stale_periods_sql(node) %}
    select distinct period_start from ({{ compared_loads(node) }}) as compared where is_stale = 1 order by period_start
{% endmacro %}

{#- How many periods follow the first stale one and are not stale. -#}
{% macro followed_sql(node) %}
    {% set compared = compared_loads(node) %}
    select count(*) as periods
    from ({{ compared }}) as compared
    where is_stale = 0
        and period_start > (select min(period_start) from ({{ compared }}) as compared where is_stale = 1)
{% endmacro %}

{#- window_start, window_last and window_until of each window of a full dataset. Those that overlap are one. -#}
{% macro windows_sql(node) %}
{% set history = history_of(node) %}
{% set to_the_last = 'order by period_start rows between current row and unbounded following' %}
with loads as (

    select
        compared.period_start,
        compared.is_stale,
        compared.load_id,
        case when compared.is_stale = 1 or {{ is_incomplete('versions') }} then 0 else 1 end as is_end,
        coalesce(versions.unknown_keys, 0) as unknown_keys
    from ({{ compared_loads(node) }}) as compared
    left join {{ dataset_version() }} as versions on compared.load_id = versions.load_id

),

runs as (

    select
        period_start,
        is_stale,
        min(case when is_end = 1 then period_start end) over ({{ to_the_last }}) as window_last
    from loads

),

windows as (

    select
        min(period_start) as window_start,
        window_last
    from runs
    where is_stale = 1
    group by window_last

),

reaching as (

    select
        windows.window_start,
        windows.window_last,
        case
            when loads.unknown_keys > 0
                then (
                    select min(later.period_start)
                    from {{ dataset_version() }} as later
                    where later.dataset = '{{ history.dataset }}' and {{ is_active('later') }}
                        and later.period_start > windows.window_last
                        and case when {{ is_incomplete('later') }} then 0 else 1 end = 1
                        and not exists (
                            select 1
                            from {{ unknown_keys_of(history) }} as named
                            inner join {{ unknown_keys_of(history) }} as again
                                on {{ same_key(quoted(history.key), 'named', 'again') }}
                            where named._load_id = loads.load_id and again._load_id = later.load_id
                        )
                )
            else windows.window_last
        end as window_until
    from windows
    left join loads on windows.window_last = loads.period_start

),

apart as (

    select
        *,
        case
            when window_start > lag(window_until) over (order by window_start) then 1
            when lag(window_start) over (order by window_start) is null then 1
            else 0
        end as is_apart
    from reaching

),

numbered as (

    select
        *,
        sum(is_apart) over (order by window_start rows unbounded preceding) as window_number,
        lead(is_apart) over (order by window_start) as is_next_apart
    from apart

),

joined as (

    select
        *,
        min(window_start) over (partition by window_number) as first_start
    from numbered

)

select
    first_start as window_start,
    window_last,
    window_until
from joined
where is_next_apart is null or is_next_apart = 1
order by first_start
{% endmacro %}

{#- Whether a period is read at all. -#}
{% macro is_read(start, window) -%}
    {%- if not window -%}
    1 = 1
    {%- else -%}
    {{ start }} >= {{ timestamp_literal(window.start) }}
        {%- if window.until %} and {{ start }} <= {{ timestamp_literal(window.until) }}{% endif %}
    {%- endif -%}
{%- endmacro %}

{#- Whether of the periods behind `last` some keys are read. -#}
{% macro has_rest(window) %}{{ return(window.last is not none and window.until != window.last) }}{% endmacro %}

{#- A CTE of the keys of which more is read, where it is not that of all: those unknown in `last`, or those that a delta names. -#}
{% macro keys_to_read_ctes(strategy, source) %}
{% set history, window = strategy.history, strategy.window %}
{% set key = quoted(history.key) %}
{% if window and has_rest(window) %}
keys_to_read as (

    select distinct {% for column in key %}named.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

    from {{ unknown_keys_of(history) }} as named
    inner join periods on named._data_period = periods.data_period and named._load_id = periods.load_id
    where periods._period_start = {{ timestamp_literal(window.last) }}

),
{% elif window.stale %}
{% set starts = [] %}
{% for start in window.stale %}
    {% do starts.append(timestamp_literal(start)) %}
{% endfor %}
keys_to_read as (

    select {% for column in key %}staged.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

    from {{ source }} as staged
    inner join periods on staged._data_period = periods.data_period and staged._load_id = periods.load_id
    where periods._period_start in ({{ starts | join(', ') }})
    {% for bound in ['dbt_valid_from', 'dbt_valid_to'] %}
    union
    select {{ key | join(', ') }}
    from {{ strategy.core.relation }}
    where {{ bound }} in ({{ starts | join(', ') }})
    {% endfor %}

),
{% endif %}
{% endmacro %}

{#- The condition, after others, that what a row of `rows` says at the moment `at` is to be read. -#}
{% macro keys_to_read(strategy, rows, at) -%}
    {%- set window = strategy.window -%}
    {%- if strategy.periods %}
        and {{ rows }}._data_period in ({{ sql_list(strategy.periods) }})
    {%- endif -%}
    {{- rest_to_read(strategy, rows, at) }}
    {%- if window.stale %}
        and {{ is_key_to_read(strategy, rows) }}
    {%- endif -%}
{%- endmacro %}

{#- The part of it that holds of the periods behind `last`. -#}
{% macro rest_to_read(strategy, rows, at) -%}
    {%- set window = strategy.window -%}
    {%- if window and has_rest(window) %}
        and ({{ at }} <= {{ timestamp_literal(window.last) }} or {{ is_key_to_read(strategy, rows) }})
    {%- endif -%}
{%- endmacro %}

{% macro is_key_to_read(strategy, rows) -%}
    exists (select 1 from keys_to_read where {{ same_key(quoted(strategy.history.key), 'keys_to_read', rows) }})
{%- endmacro %}

{#-
    The versions of core that reach into the periods to read: conditions that exclude each other. Of the current ones of a
    delta only those of keys that it names; said apart, as an engine finds these by their key.
-#}
{% macro versions_to_read(strategy) %}
    {% set history, window = strategy.history, strategy.window %}
    {% if not window %}
        {{ return(['1 = 1']) }}
    {% endif %}
    {% set start = timestamp_literal(window.start) %}
    {% set is_named = is_key_to_read(strategy, 'versions') %}
    {% if window.stale %}
        {{ return(['dbt_valid_to >= ' ~ start ~ ' and ' ~ is_named, 'dbt_valid_to is null and ' ~ is_named]) }}
    {% elif history.kind == 'delta' %}
        {{ return([
            'dbt_valid_to >= ' ~ start,
            'dbt_valid_to is null and dbt_valid_from >= ' ~ start,
            'dbt_valid_to is null and dbt_valid_from < ' ~ start ~ ' and exists (select 1 from newer_rows where '
            ~ same_key(quoted(history.key), 'newer_rows', 'versions') ~ ')',
        ]) }}
    {% endif %}
    {% set reaching = '(dbt_valid_to is null or dbt_valid_to >= ' ~ start ~ ')' %}
    {% if not window.last %}
        {{ return([reaching]) }}
    {% endif %}
    {% set last = timestamp_literal(window.last) %}
    {% set conditions = ['dbt_valid_from <= ' ~ last ~ ' and ' ~ reaching] %}
    {% if has_rest(window) %}
        {% do conditions.append(
            'dbt_valid_from > ' ~ last ~ ' and ' ~ is_named
            ~ (' and dbt_valid_from <= ' ~ timestamp_literal(window.until) if window.until else '')
        ) %}
    {% endif %}
    {{ return(conditions) }}
{% endmacro %}

{#- A CTE: where the versions end that are in force in the last period of the window, and go on behind it. -#}
{% macro reaching_beyond_cte(strategy) %}
{% set window = strategy.window %}
{% set last = timestamp_literal(window.last) %}
beyond as (

    select
        {{ quoted(strategy.history.key) | join(', ') }},
        dbt_valid_to as _ends_at
    from core_versions as versions
    where dbt_valid_from <= {{ last }} and (dbt_valid_to is null or dbt_valid_to > {{ last }})
    {% if has_rest(window) %}
        and not {{ is_key_to_read(strategy, 'versions') }}
    {% if window.until %}
    union all
    select
        {{ quoted(strategy.history.key) | join(', ') }},
        dbt_valid_to as _ends_at
    from core_versions as versions
    where (dbt_valid_to is null or dbt_valid_to > {{ timestamp_literal(window.until) }})
        and {{ is_key_to_read(strategy, 'versions') }}
    {% endif %}
    {% endif %}

),
{% endmacro %}
