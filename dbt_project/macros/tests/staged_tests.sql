{#
    In `dbt build`, the tests of a staged table look at the rows that the build is about to read: those from the first
    stale period on. Rows that are not read change nothing, and a failed test keeps its period stale. All rows are looked
    at by `dbt test`, by `--full-refresh` (`make build FULL=1`), with `--check-all`, and by the gate of stage.
#}

{#- Overrides dbt's own, which knows the `where` of the test only. -#}
{% macro get_where_subquery(relation) -%}
    {% set seen = '1 = 0' if execute and is_looked_at_by_the_build(model) %}
    {% set conditions = [config.get('where'), rows_about_to_be_read(), seen] | select | list %}
    {% if conditions %}
        {{ return('(select * from ' ~ relation ~ ' where (' ~ conditions | join(') and (') ~ ')) dbt_subquery') }}
    {% endif %}
    {{ return(relation) }}
{%- endmacro %}

{#- A condition on the staged rows of a test; none when it has to look at all of them. -#}
{% macro rows_about_to_be_read() %}
    {% if not execute or checks_everything() or not holds_by_period(model) %}
        {{ return(none) }}
    {% endif %}
    {% set readers = [] %}
    {% for node in graph.nodes.values() if node.resource_type != 'test' %}
        {% if model.depends_on.nodes[0] in node.depends_on.nodes %}
            {% if node.config.get('strategy') != 'period' or not adapter.get_relation(
                node.database, node.schema, node.alias
            ) %}
                {{ return(none) }}
            {% endif %}
            {% do readers.append(node) %}
        {% endif %}
    {% endfor %}
    {% if not readers %}
        {{ return(none) }}
    {% endif %}
    {% set compared = [] %}
    {% for node in readers %}
        {% do compared.append(compared_loads(node)) %}
    {% endfor %}
    {% set dataset = history_of(readers[0]).dataset %}
    {% set condition %}
        _data_period in (
            select versions.data_period
            from {{ dataset_version() }} as versions
            where versions.dataset = '{{ dataset }}' and {{ is_active('versions') }}
                and versions.period_start >= (
                    select min(compared.period_start)
                    from ({{ compared | join(' union all ') }}) as compared
                    where compared.is_stale = 1
                )
        )
    {% endset %}
    {{ return(condition) }}
{% endmacro %}

{#- Whether a test of a source says the same of each period alone as of all together, and stops the build. -#}
{% macro holds_by_period(test) %}
    {% set kind = test.test_metadata.name %}
    {% set is_by_row = kind in ['not_null', 'accepted_values'] %}
    {% set is_by_period = kind == 'unique_combination' and '_data_period' in test.test_metadata.kwargs.columns %}
    {{ return(
        (is_by_row or is_by_period) and test.depends_on.nodes[0] in graph.sources and test.config.severity | lower == 'error'
    ) }}
{% endmacro %}
