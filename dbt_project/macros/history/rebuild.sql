{#-
    dbt run-operation rebuild_history --args '{snapshot: citizens}'

    Works out one history from nothing but the staged rows, and writes what differs from core, in one transaction. The
    rows of a sound history are the same afterwards, which the closing line says. Facts are rebuilt by the next
    build if something differed.
-#}
{% macro rebuild_history(snapshot) %}
    {% set node = period_snapshot(snapshot) %}
    {% set history = history_of(node) %}
    {% set core = api.Relation.create(
        database=node.database, schema=node.schema, identifier=node.alias, type='table'
    ) %}
    {% do begin_operation() %}
    {% do lock_dataset(history.dataset) %}
    {% if not relation_exists_now(core) %}
        {% do history_error(node, 'core has no such table yet; run `dbt snapshot --select ' ~ snapshot ~ '`') %}
    {% endif %}

    {% set source_sql = render(node.raw_code) %}
    {% set columns = data_columns(node, history, get_columns_in_query(source_sql)) %}
    {% set strategy = {
        'history': history, 'columns': columns, 'core': core_of(core, columns), 'is_stale': true, 'may_repeat': true
    } %}
    {% if strategy.core.missing or strategy.core.surplus %}
        {% do history_error(node, 'its columns changed; `dbt snapshot --select ' ~ snapshot ~ '` rebuilds it') %}
    {% endif %}

    {% do follow_types(node, core, source_sql, false) %}
    {% set differing = write_difference(core, strategy_for(strategy, none), source_sql) %}
    {% do run_query(lock_is_held_sql(history.dataset) ~ record_applied_loads_sql(node)) %}
    {% if differing %}
        {% do run_query(forget_facts_sql(history)) %}
    {% endif %}
    {% do adapter.commit() %}
    {% do log(history.consumer ~ ': rebuilt from all delivered periods, ' ~ differing ~ ' rows differed', info=true) %}
{% endmacro %}

{#- The consumers of a dataset other than its snapshot have applied nothing: the next build makes them anew. -#}
{% macro forget_facts_sql(history) %}
    delete from {{ ledger() }}
    where dataset = '{{ history.dataset }}' and consumer <> '{{ history.consumer }}'
{% endmacro %}

{% macro period_snapshot(name) %}
    {% for node in graph.nodes.values() if node.resource_type == 'snapshot' and node.name == name %}
        {% if node.config.strategy == 'period' %}
            {{ return(node) }}
        {% endif %}
    {% endfor %}
    {% do exceptions.raise_compiler_error('there is no snapshot ' ~ name ~ ' with strategy period') %}
{% endmacro %}
