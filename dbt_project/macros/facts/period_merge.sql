{#
    Facts with one row for each key of a history: the row as it was stated last. Such a model is configured with
    `materialized: incremental`, `incremental_strategy: period_merge` and `unique_key`, and has the column period_start
    (a date): since when the row is as it is. When it is incremental it returns, for every key that may have changed, its
    row; or a row in which period_start is NULL, and the key leaves the fact. What differs is written, nothing else.
#}

{#-
    The keys of a history of which the fact may not have the current version, as SQL, to be read under the lock: those
    with a version or a row since the first stale period, and those that are current again because a load was replaced or
    taken back, which leaves no trace in the history.
-#}
{% macro stale_keys(snapshot_relation) %}
    {%- set key = quoted(as_list(config.get('unique_key'))) -%}
    {%- for bound in ['dbt_valid_from', 'dbt_valid_to'] %}
    select history.{{ key | join(', history.') }}
    from {{ snapshot_relation }} as history
    inner join {{ stale_since(snapshot_relation) }} as stale on history.{{ bound }} >= stale.first_period
    union
    {%- endfor %}
    select fact.{{ key | join(', fact.') }}
    from {{ this }} as fact
    inner join {{ stale_since(snapshot_relation) }} as stale on fact.period_start >= stale.first_period
    union
    select history.{{ key | join(', history.') }}
    from {{ snapshot_relation }} as history
    inner join {{ replaced_since(snapshot_relation) }} as replaced on history.dbt_valid_from < replaced.first_period
    left join (
        select fact.{{ key | join(', fact.') }}
        from {{ this }} as fact
        inner join {{ replaced_since(snapshot_relation) }} as replaced on fact.period_start < replaced.first_period
    ) as known
        on {% for column in key %}history.{{ column }} = known.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}

    where history.dbt_valid_to is null and known.{{ key[0] }} is null
{%- endmacro %}

{#-
    The keys of the rows that may take another version of a history than before (see versions_by_day), now that it has
    changed: those of a day since the first stale period, and those that took a version of after their day, or found none.
-#}
{% macro keys_with_another_version(snapshot_relation, version_key, day) %}
    {%- set key = quoted(as_list(config.get('unique_key'))) -%}
    select fact.{{ key | join(', fact.') }}
    from {{ this }} as fact
    cross join {{ stale_since(snapshot_relation) }} as stale
    left join (
        select
            {{ version_key }},
            min(dbt_valid_from) as _first_from
        from {{ snapshot_relation }}
        group by {{ version_key }}
    ) as firsts
        on fact.{{ version_key }} = firsts.{{ version_key }}
    where fact.{{ day }} >= stale.first_period
        or firsts._first_from is null
        or firsts._first_from > fact.{{ day }}
{%- endmacro %}

{#-
    Since when the current versions of all these keys are, as a table of one row, first_period: the first stale period,
    or ever, when an earlier version may be current again or one of the other histories has changed.
-#}
{% macro stale_keys_since(snapshot_relation, others) %}
    (
        select min(first_period) as first_period
        from (
            select first_period
            from {{ stale_since(snapshot_relation) }} as stale
            union all
            select cast('0001-01-01' as date) as first_period
            from {{ replaced_since(snapshot_relation) }} as replaced
            {% for other in others %}
            union all
            select cast('0001-01-01' as date) as first_period
            from {{ stale_since(other) }} as stale
            {% endfor %}
        ) as bounds
    )
{%- endmacro %}

{% macro get_incremental_period_merge_sql(arg_dict) %}
    {% set target, difference = arg_dict['target_relation'], arg_dict['temp_relation'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list %}
    {% do refresh_statistics(difference) %}
    {% set there, here = adapter.quote(target.identifier), adapter.quote(difference.identifier) %}
    {% set same_key %}
        {%- for column in quoted(as_list(arg_dict['unique_key'])) -%}
        {{ there }}.{{ column }} = {{ here }}.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor -%}
    {% endset %}

    {#- That the periods are the same is said apart: a columnar engine then reads these periods only. #}
    delete from {{ difference }}
    where exists (
        select 1
        from {{ target }}
        where {{ same_key }}
            and {{ there }}.period_start = {{ here }}.period_start
            and not {{ rows_differ(columns, there, here) }}
    );

    {{ write_down_changes_sql(model, target, difference, same_key) }}

    delete from {{ target }}
    where exists (select 1 from {{ difference }} where {{ same_key }});

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ difference }}
    where period_start is not null;
{% endmacro %}
