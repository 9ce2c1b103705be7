{#
    The snapshot strategy `period`. dbt's snapshot materialization calls the strategy first, then either
    build_snapshot_table (first run) or snapshot_staging_table and snapshot_merge_sql. Each of these three is
    overridden for this strategy and left to the adapter for any other.
#}

{% macro snapshot_period_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set history = history_of(node) %}
    {% do lock_dataset(history.dataset) %}
    {% if not target_exists and relation_exists_now(this) %}
        {% do history_error(node, 'another build created it meanwhile; nothing was changed, run this build again') %}
    {% endif %}

    {% set columns = data_columns(node, history, get_columns_in_query(node.compiled_code)) %}
    {% set rebase = find_rebase(node, history) if target_exists else {'is_stale': true, 'windows': []} %}
    {% set core = core_of(this, columns) if target_exists else none %}
    {% if core and rebase.is_stale %}
        {% do follow_types(node, this, node.compiled_code, rebase.windows | length == 0) %}
    {% endif %}
    {% if core and rebase.is_stale and core.surplus %}
        {% do drop_history_indexes(this) %}
        {% do alter_relation_add_remove_columns(this.incorporate(type='table'), none, core.surplus) %}
    {% endif %}
    {% set strategy = {
        'name': 'period',
        'unique_key': node.config.unique_key,
        'hard_deletes': 'ignore',
        'history': history,
        'columns': columns,
        'core': core,
        'is_stale': rebase.is_stale,
    } %}
    {% for window in rebase.windows[:-1] %}
        {% do write_difference(this, strategy_for(strategy, window), node.compiled_code) %}
    {% endfor %}
    {{ return(strategy_for(strategy, rebase.windows[-1] if rebase.windows else none)) }}
{% endmacro %}

{#- The strategy for one of the windows (history/window.sql), none for all of history. -#}
{% macro strategy_for(strategy, window) %}
    {% set unknown = find_unknown(strategy.history, window) if strategy.is_stale else {} %}
    {{ return(dict(
        strategy, window=window, has_unknown=unknown.is_there, has_incomplete=unknown.is_incomplete,
        periods=periods_to_read(strategy.history, window) if window else []
    )) }}
{% endmacro %}

{#- Taken first in the transaction: under it, the active loads and the staged rows of the dataset stay as they are. -#}
{% macro lock_dataset(dataset) %}
    {% call statement('lock', auto_begin=true) %}{{ lock_sql(dataset) }}{% endcall %}
{% endmacro %}

{#- What of history has to be worked out again: its windows, none of them when that is all. -#}
{% macro find_rebase(node, history) %}
    {% set found = run_query(
        'select min(case when is_stale = 1 then period_start end) as since, coalesce(sum(is_stale), 0) as stale, '
        ~ 'count(*) as periods, coalesce(max(is_redefined), 0) as is_redefined '
        ~ 'from (' ~ compared_loads(node) ~ ') as compared'
    ).rows[0] %}
    {% if found['is_redefined'] %}
        {% do log(node.name ~ ': key, tracked columns, kind or SQL changed, all periods are stale', info=true) %}
    {% endif %}
    {% if found['is_redefined'] or found['stale'] in [0, found['periods']] %}
        {{ return({'is_stale': found['stale'] > 0, 'windows': []}) }}
    {% endif %}
    {{ return({'is_stale': true, 'windows': find_windows(node, history, found['since'] | string)}) }}
{% endmacro %}

{#-
    Names of the periods to read, in their order, to be said in so many words: an engine then reads no other, whatever it thinks of a join.
    None where they are too many for that.
-#}
{% macro periods_to_read(history, window) %}
    {% set names = [] %}
    {% for row in run_query(
        'select data_period from ' ~ dataset_version() ~ " where dataset = '" ~ history.dataset ~ "' and " ~ is_active()
        ~ ' and ' ~ is_read('period_start', window) ~ ' order by period_start'
    ) %}
        {% do names.append(row['data_period'] | string) %}
    {% endfor %}
    {{ return(names if names | length <= 100 else []) }}
{% endmacro %}

{#-
    Whether keys may be unknown in the periods to read, and whether some of these are incomplete. Where no key is unknown
    history needs no look at them.
-#}
{% macro find_unknown(history, window) %}
    {% if history.kind == 'delta' %}
        {{ return({'is_there': false, 'is_incomplete': false}) }}
    {% endif %}
    {% set found = run_query(
        'select count(*) as loads, count(case when ' ~ is_incomplete() ~ ' then 1 end) as incomplete_loads from '
        ~ dataset_version()
        ~ " where dataset = '" ~ history.dataset ~ "' and " ~ is_active() ~ ' and ' ~ has_unknown()
        ~ ' and ' ~ is_read('period_start', window)
    ).rows[0] %}
    {{ return({'is_there': found['loads'] > 0, 'is_incomplete': found['incomplete_loads'] > 0}) }}
{% endmacro %}

{#- dbt hands over the query of the snapshot; some adapters the view that they made of it. -#}
{% macro selectable(source) %}
    {{ return('(' ~ source ~ ')' if source is string else source) }}
{% endmacro %}

{% macro build_snapshot_table(strategy, sql) %}
    {% if strategy.get('name') == 'period' %}
        {{ return(first_history_sql(strategy, selectable(sql))) }}
    {% endif %}
    {{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}
{% endmacro %}

{% macro snapshot_staging_table(strategy, source_sql, target_relation) %}
    {% if strategy.get('name') == 'period' %}
        {{ return(difference_sql(strategy, selectable(source_sql))) }}
    {% endif %}
    {{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}
{% endmacro %}

{% macro snapshot_merge_sql(target, source, insert_cols) %}
    {% if config.get('strategy') == 'period' %}
        {% do refresh_statistics(source) %}
        {% do run_query(apply_difference_sql(target, source, insert_cols)) %}
        {% do refuse_unsound(target, config.get('unique_key'), source) %}
        {#- dbt runs what it is given, and says what became of it. #}
        {{ return('select count(*) as written from ' ~ source) }}
    {% endif %}
    {{ return(adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols)) }}
{% endmacro %}
