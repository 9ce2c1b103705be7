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
        {% for name in locks_of(model) %}
            {{ lock_sql(name) }};
        {% endfor %}
    {% endif %}
{% endmacro %}

{#- What a node locks, in this order: the datasets that it reads, itself if it is a model, the fact that it follows. -#}
{% macro locks_of(node) %}
    {% set names = consumer_of(node).histories | default([]) | map(attribute='dataset') | unique | sort | list %}
    {% if node.resource_type == 'model' %}
        {% do names.append(name_of(node)) %}
    {% endif %}
    {% if is_follower(node) %}
        {% do names.append(name_of(leader_of(node))) %}
    {% endif %}
    {{ return(names) }}
{% endmacro %}

{#-
    Writes the loads that were just applied. A post-hook: it runs in the transaction of the change itself, under the
    lock, which it makes sure of, so that these are the loads that were read. Renders to nothing for a model that is not a consumer.
-#}
{% macro record_applied_loads() %}
    {% set consumer = consumer_of(model) if execute %}
    {% if execute and (consumer or is_follower(model)) %}
        {% for name in locks_of(model) %}
            {{ lock_is_held_sql(name) }}
        {% endfor %}
    {% endif %}
    {% if consumer %}
        {% if not consumer.is_fact %}
            {% do keep_history_indexes(model) %}
            {% do refuse_unsound_if_new(model) %}
        {% endif %}
        {{ record_applied_loads_sql(model) }}
        {% if model.config.get('incremental_strategy') == 'period_merge' and not is_incremental() %}
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
