{#
    Facts that follow a history by whole periods. Such a model is configured with `materialized: incremental` and
    `incremental_strategy: period_replace`, has the column period_start (a date), and filters its new rows by
    `period_start >= {{ first_stale_period() }}` when it is incremental.
#}

{% macro get_incremental_period_replace_sql(arg_dict) %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict['target_relation'] }} where period_start >= {{ first_stale_period() }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}
