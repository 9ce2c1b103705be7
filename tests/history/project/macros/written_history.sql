{#-
    Says the SQL of a history where keys are unknown, in no incomplete load and in some: what it should be from nothing,
    and what differs from core, of all periods and since one.
-#}
{% macro written_history(snapshot, since) %}
    {% set node = period_snapshot(snapshot) %}
    {% set history = history_of(node) %}
    {% set core = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias, type='table') %}
    {% set source = '(' ~ render(node.raw_code) ~ ')' %}
    {% set columns = data_columns(node, history, get_columns_in_query(render(node.raw_code))) %}
    {% for has_incomplete in [false, true] %}
        {% set strategy = {
            'history': history, 'columns': columns, 'core': {'relation': core, 'missing': [], 'surplus': []},
            'is_stale': true, 'since': none, 'has_unknown': true, 'has_incomplete': has_incomplete
        } %}
        {% do log(first_history_sql(strategy, source), info=true) %}
        {% do log(difference_sql(strategy, source), info=true) %}
        {% do log(difference_sql(dict(strategy, since=since), source), info=true) %}
    {% endfor %}
{% endmacro %}
