{#
    The ledger core.applied_load tells which load of each period a consumer has applied. A consumer is a snapshot
    with `strategy: period`, or an incremental fact with `incremental_strategy: rebase` or `restate`. Stale is a period whose
    upstream load is distinct from the applied one: never "newer than", a rollback makes load ids go down. A load that
    lost rows to `loader purge` has the fingerprint `purged` there, which no rule has.
#}

{% macro ledger() %}
    {{ return(api.Relation.create(database=target.database, schema='core', identifier='applied_load')) }}
{% endmacro %}

{#- What a node, or the relation that it makes, is called in the ledger and by its lock. -#}
{% macro name_of(thing) %}
    {{ return(thing.schema ~ '.' ~ (thing.identifier or thing.alias)) }}
{% endmacro %}

{#- Of the SQL of a node, whatever its blanks. -#}
{% macro fingerprint_of(node) %}
    {{ return(local_md5(node.raw_code.split() | join(' '))) }}
{% endmacro %}

{% macro dataset_version() %}
    {{ return(api.Relation.create(database=target.database, schema='meta', identifier='dataset_version')) }}
{% endmacro %}

{#- For `on-run-start`. -#}
{% macro create_ledger() %}
    {% if execute %}
        {% if flags.WHICH in ['build', 'run', 'snapshot'] and not relation_exists_now(dataset_version()) %}
            {% do exceptions.raise_compiler_error(
                'there is no meta.dataset_version in this database; run `loader migrate`, and load something'
            ) %}
        {% endif %}
        {{ return(create_ledger_sql()) }}
    {% endif %}
{% endmacro %}

{% macro ledger_columns() %}
    consumer varchar(127) not null,
    dataset varchar(63) not null,
    data_period varchar(16) not null,
    load_id bigint not null,
    fingerprint varchar(32) not null
{% endmacro %}

{#-
    What a node consumes, none if it is no consumer: {consumer, fingerprint, snapshots}, the last one being the
    histories that a fact reads (a snapshot reads the loads themselves).
-#}
{% macro consumer_of(node) %}
    {% if node.resource_type == 'snapshot' and node.config.strategy == 'period' %}
        {% set history = history_of(node) %}
        {{ return({'consumer': history.consumer, 'histories': [history], 'is_fact': false}) }}
    {% elif node.resource_type == 'model' and node.config.get('incremental_strategy') in ['rebase', 'restate'] %}
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

{#- Every period that is delivered or applied: dataset, period_start, is_stale, is_redefined, was_applied (1 or 0). -#}
{% macro compared_loads(node) %}
    select
        coalesce(upstream.dataset, applied.dataset) as dataset,
        coalesce(upstream.period_start, applied.period_start) as period_start,
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

{#-
    Writes the loads that were just applied. A post-hook: it runs in the transaction of the change itself, under the
    lock, so that these are the loads that were read. Renders to nothing for a model that is no consumer.
-#}
{% macro record_applied_loads() %}
    {% set consumer = consumer_of(model) if execute %}
    {% if consumer %}
        {{ record_applied_loads_sql(model) }}
        {% if model.config.get('incremental_strategy') == 'restate' and not is_incremental() %}
            {{ start_changes_sql(model, this) }}
        {% endif %}
        {% if consumer.is_fact %}{{ release_transaction_sql() }}{% endif %}
    {% elif execute and is_follower(model) %}
        {{ strike_off_changes_sql(model) }}
        {{ release_transaction_sql() }}
    {% endif %}
{% endmacro %}

{% macro record_applied_loads_sql(node) %}
    {% set consumer = consumer_of(node).consumer %}
    delete from {{ ledger() }}
    where consumer = '{{ consumer }}'
        and not exists (
            select 1
            from ({{ upstream_loads(node) }}) as upstream
            where upstream.dataset = {{ ledger().identifier }}.dataset
                and upstream.data_period = {{ ledger().identifier }}.data_period
                and upstream.load_id = {{ ledger().identifier }}.load_id
                and upstream.fingerprint = {{ ledger().identifier }}.fingerprint
        );

    insert into {{ ledger() }} (consumer, dataset, data_period, load_id, fingerprint)
    select
        '{{ consumer }}',
        upstream.dataset,
        upstream.data_period,
        upstream.load_id,
        upstream.fingerprint
    from ({{ upstream_loads(node) }}) as upstream
    where not exists (
        select 1
        from {{ ledger() }} as applied
        where applied.consumer = '{{ consumer }}'
            and applied.dataset = upstream.dataset
            and applied.data_period = upstream.data_period
    );
{% endmacro %}

{#-
    A pre-hook that keeps builds apart: a fact excludes loads and builds of the datasets that it reads, as a snapshot
    does, an aggregate the fact that it follows; and each model excludes itself in another build.
-#}
{% macro keep_apart() %}
    {% if execute %}
        {% set consumer = consumer_of(model) %}
        {% if consumer or is_follower(model) %}
            {{ hold_transaction_sql() }}
        {% endif %}
        {% for dataset in consumer.histories | default([]) | map(attribute='dataset') | unique | sort %}
            {{ lock_sql(dataset) }};
        {% endfor %}
        {{ lock_sql(name_of(model)) }};
        {% if is_follower(model) %}
            {{ lock_sql(name_of(leader_of(model))) }};
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro sql_list(values) -%}
    {%- for value in values -%}'{{ value }}'{{ ', ' if not loop.last }}{%- endfor -%}
{%- endmacro %}
