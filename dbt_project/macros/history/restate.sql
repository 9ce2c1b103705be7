{#
    Facts with one row for each key of a history: the row as it was stated last. Such a model is configured with
    `materialized: incremental`, `incremental_strategy: restate` and `unique_key`, and has the column period_start (a
    date): since when the row is as it is. When it is incremental it gives, for every key that may have changed, its row;
    or a row in which period_start is NULL, and the key leaves the fact. What differs is written, nothing else.
#}

{#-
    The keys of a history of which the fact may not have the current version, as SQL, to be read under the lock: those
    with a version or a row since the first stale period, and those that are current again because a load was replaced or
    taken back, which leaves no trace in the history.
-#}
{% macro restated_keys(snapshot_relation) %}
    {%- set key = quoted(as_list(config.get('unique_key'))) -%}
    select {{ key | join(', ') }}
    from {{ snapshot_relation }}
    where dbt_valid_from >= {{ first_stale_period(snapshot_relation) }}
        or dbt_valid_to >= {{ first_stale_period(snapshot_relation) }}
    union
    select {{ key | join(', ') }}
    from {{ this }}
    where period_start >= {{ first_stale_period(snapshot_relation) }}
    union
    select {{ key | join(', ') }}
    from {{ snapshot_relation }} as history
    where dbt_valid_to is null
        and dbt_valid_from < {{ first_replaced_period(snapshot_relation) }}
        and not exists (
            select 1
            from {{ this }} as fact
            where fact.period_start < {{ first_replaced_period(snapshot_relation) }}
                {%- for column in key %}
                and fact.{{ column }} = history.{{ column }}
                {%- endfor %}

        )
{%- endmacro %}

{#-
    The keys of the rows that may take another version of a history than before (see versions_by_day), now that it has
    changed: those of a day since the first stale period, and those that took a version of after their day, or found none.
-#}
{% macro keys_with_another_version(snapshot_relation, version_key, day) %}
    {%- set key = quoted(as_list(config.get('unique_key'))) -%}
    select {{ key | join(', ') }}
    from {{ this }}
    where {{ day }} >= {{ first_stale_period(snapshot_relation) }}
    union
    select {{ key | join(', ') }}
    from {{ this }} as fact
    where {{ first_stale_period(snapshot_relation) }} is not null
        and not exists (
            select 1
            from {{ snapshot_relation }} as history
            where history.{{ version_key }} = fact.{{ version_key }} and history.dbt_valid_from <= fact.{{ day }}
        )
{%- endmacro %}

{% macro get_incremental_restate_sql(arg_dict) %}
    {% set target, difference = arg_dict['target_relation'], arg_dict['temp_relation'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list %}
    {% set there, here = adapter.quote(target.identifier), adapter.quote(difference.identifier) %}
    {% set same_key %}
        {%- for column in quoted(as_list(arg_dict['unique_key'])) -%}
        {{ there }}.{{ column }} = {{ here }}.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor -%}
    {% endset %}

    delete from {{ difference }}
    where exists (
        select 1 from {{ target }} where {{ same_key }} and not {{ rows_differ(columns, there, here) }}
    );

    {{ note_dates_sql(
        model, [target ~ ' where exists (select 1 from ' ~ difference ~ ' where ' ~ same_key ~ ')', difference]
    ) }}

    delete from {{ target }}
    where exists (select 1 from {{ difference }} where {{ same_key }});

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ difference }}
    where period_start is not null;
{% endmacro %}
