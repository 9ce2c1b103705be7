{# What a fact may ask of the histories that it reads. #}

{#- The delivered periods that a snapshot has applied: data_period, period_start, period_end. -#}
{% macro delivered_periods(snapshot_relation) -%}
    (
        select
            applied.data_period,
            cast(versions.period_start as date) as period_start,
            cast(versions.period_end as date) as period_end
        from {{ ledger() }} as applied
        inner join {{ dataset_version() }} as versions on applied.load_id = versions.load_id
        where applied.consumer = '{{ name_of(snapshot_relation) }}'
    )
{%- endmacro %}

{#-
    Start of the first stale period of this fact, of all its histories or of one of them; NULL when there is none. It is
    SQL, to be read under the lock.
-#}
{% macro first_stale_period(snapshot_relation=none) -%}
    {%- if execute -%}
    (select first_period from {{ stale_since(snapshot_relation) }} as stale)
    {%- else -%}
    null
    {%- endif -%}
{%- endmacro %}

{#- The same as a table of one row, first_period, or of none, to be joined: what is joined to nothing is not read. -#}
{% macro stale_since(snapshot_relation=none) -%}
    {{ first_period_where('is_stale = 1', snapshot_relation) }}
{%- endmacro %}

{#- The same, of the periods of which the fact has applied another load, or one that is gone. -#}
{% macro replaced_since(snapshot_relation) -%}
    {{ first_period_where('is_stale = 1 and was_applied = 1', snapshot_relation) }}
{%- endmacro %}

{% macro first_period_where(condition, snapshot_relation) -%}
    {%- if execute -%}
    (
        select cast(min(period_start) as date) as first_period
        from ({{ compared_loads(model) }}) as compared
        where {{ condition }}
            {%- if snapshot_relation %} and dataset = '{{ history_in(snapshot_relation).dataset }}'{% endif %}

        having min(period_start) is not null
    )
    {%- else -%}
    (select cast(null as date) as first_period)
    {%- endif -%}
{%- endmacro %}

{#- The history that is kept in a relation, as `history_of` describes it. -#}
{% macro history_in(snapshot_relation) %}
    {% for node in graph.nodes.values()
        if node.resource_type == 'snapshot' and name_of(node) == name_of(snapshot_relation) %}
        {{ return(history_of(node)) }}
    {% endfor %}
{% endmacro %}
