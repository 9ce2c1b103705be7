{#
    The ledger core.applied_load tells which load of each period a consumer has applied. A consumer is a snapshot
    with `strategy: period`, or an incremental fact with `incremental_strategy: period_replace` or `period_merge`. An
    aggregate with `incremental_strategy: period_sum` has one row there, which says by what rules it was summed.
#}

{% macro ledger() %}
    {{ return(api.Relation.create(database=target.database, schema='core', identifier='applied_load')) }}
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
        {% if flags.WHICH in ['build', 'run', 'snapshot'] and not has_column_now(dataset_version(), 'unknown_keys') %}
            {% do exceptions.raise_compiler_error(
                'meta.dataset_version was made by an older Almanac; run `loader migrate`'
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
