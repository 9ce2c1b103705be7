{#
    Which periods are stale for whom. Stale is a period whose upstream load is distinct from the applied one: never
    "newer than", a rollback makes load ids go down. A load that lost rows to `loader purge` has the fingerprint
    `purged` in the ledger, which no rule has.
#}

{#-
    What a node consumes, none if it is no consumer: {consumer, histories, is_fact}, the histories being those that a
    fact reads (a snapshot reads the loads themselves).
-#}
{% macro consumer_of(node) %}
    {% if node.resource_type == 'snapshot' and node.config.strategy == 'period' %}
        {% set history = history_of(node) %}
        {{ return({'consumer': history.consumer, 'histories': [history], 'is_fact': false}) }}
    {% elif node.resource_type == 'model' and node.config.get('incremental_strategy') in ['period_replace', 'period_merge'] %}
        {% set histories = [] %}
        {% for id in node.depends_on.nodes | sort if id.startswith('snapshot.') %}
            {% if graph.nodes[id].config.strategy == 'period' %}
                {% do histories.append(history_of(graph.nodes[id])) %}
            {% endif %}
        {% endfor %}
        {% if histories | length == 0 %}
            {% do history_error(node, 'its incremental strategy needs a ref() to a snapshot with strategy period') %}
        {% endif %}
        {{ return({'consumer': name_of(node), 'histories': histories, 'is_fact': true}) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}

{#-
    The loads that a node should have applied: dataset, data_period, period_start, load_id, fingerprint.
    A fact goes by what its snapshots have applied, so that a load between snapshot and fact cannot mix; its own
    fingerprint is half its own SQL, half that of the snapshot.
-#}
{% macro upstream_loads(node) %}
    {% set consumer = consumer_of(node) %}
    {% if consumer.is_fact %}
        select
            applied.dataset,
            applied.data_period,
            versions.period_start,
            applied.load_id,
            concat(
                '{{ fingerprint_of(node)[:16] }}', substring(applied.fingerprint, 1, 16)
            ) as fingerprint
        from {{ ledger() }} as applied
        inner join {{ dataset_version() }} as versions on applied.load_id = versions.load_id
        where applied.consumer in ({{ sql_list(consumer.histories | map(attribute='consumer')) }})
    {% else %}
        {% set history = consumer.histories[0] %}
        select
            dataset,
            data_period,
            period_start,
            load_id,
            '{{ history.fingerprint }}' as fingerprint
        from {{ dataset_version() }}
        where dataset = '{{ history.dataset }}' and {{ is_active() }}
    {% endif %}
{% endmacro %}

{#-
    Every period that is delivered or applied: dataset, period_start, load_id (NULL where none is delivered), is_stale,
    is_redefined, was_applied (1 or 0).
-#}
{% macro compared_loads(node) %}
    select
        coalesce(upstream.dataset, applied.dataset) as dataset,
        coalesce(upstream.period_start, applied.period_start) as period_start,
        upstream.load_id,
        case
            when {{ rows_differ(['load_id', 'fingerprint'], 'upstream', 'applied') }} then 1
            else 0
        end as is_stale,
        case
            when applied.fingerprint <> '{{ purged() }}' and upstream.fingerprint <> applied.fingerprint then 1
            else 0
        end as is_redefined,
        case when applied.dataset is null then 0 else 1 end as was_applied
    from ({{ upstream_loads(node) }}) as upstream
    full join (
        select
            applied.dataset,
            applied.data_period,
            versions.period_start,
            applied.load_id,
            applied.fingerprint
        from {{ ledger() }} as applied
        inner join {{ dataset_version() }} as versions on applied.load_id = versions.load_id
        where applied.consumer = '{{ consumer_of(node).consumer }}'
    ) as applied
        on upstream.dataset = applied.dataset and upstream.data_period = applied.data_period
{% endmacro %}

{#- What a fact or an aggregate is known by: its SQL, and the key of its rows. -#}
{% macro fingerprint_of(node) %}
    {{ return(local_md5(tojson([sql_of(node), as_list(node.config.unique_key or [])]))) }}
{% endmacro %}

{#- The SQL of a node, whatever its white space; without its `config(…)`, which says how it is stored. -#}
{% macro sql_of(node) %}
    {% set sql = modules.re.sub('(?s)\\{\\{-?\\s*config\\(.*?\\)\\s*-?\\}\\}', '', node.raw_code) %}
    {{ return(sql.split() | join(' ')) }}
{% endmacro %}
