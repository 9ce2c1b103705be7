{#-
    Says the SQL of a history, each after its name: what it should be from nothing, and what differs from core, for each
    kind of window, where no key is unknown, where some are, and where a load is incomplete; and the SQL that finds windows.
-#}
{% macro written_history(snapshot, start, last, until, stale) %}
    {% set node = period_snapshot(snapshot) %}
    {% set history = history_of(node) %}
    {% set core = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias, type='table') %}
    {% set source = '(' ~ render(node.raw_code) ~ ')' %}
    {% set columns = data_columns(node, history, get_columns_in_query(render(node.raw_code))) %}
    {% set window = {'start': start, 'last': none, 'until': none, 'stale': []} %}
    {% set windows = {'all': none, 'tail': window, 'touched': dict(window, stale=[stale])} %}
    {% if history.kind == 'full' %}
        {% set windows = {
            'all': none, 'tail': window, 'closed': dict(window, last=last, until=last),
            'rest': dict(window, last=last, until=until), 'endless': dict(window, last=last)
        } %}
    {% endif %}
    {% for unknown in ['none', 'named', 'incomplete'] if unknown == 'none' or history.kind == 'full' %}
        {% set strategy = {
            'history': history, 'columns': columns, 'core': {'relation': core, 'missing': [], 'surplus': []},
            'is_stale': true, 'has_unknown': unknown != 'none', 'has_incomplete': unknown == 'incomplete'
        } %}
        {% do log('-- first ' ~ unknown ~ '\n' ~ first_history_sql(dict(strategy, core=none, window=none), source), info=true) %}
        {% for name in windows %}
            {% set sql = difference_sql(dict(strategy, window=windows[name]), source) %}
            {% do log('-- ' ~ name ~ ' ' ~ unknown ~ '\n' ~ sql, info=true) %}
        {% endfor %}
    {% endfor %}
    {% if history.kind == 'full' %}
        {% do log('-- windows\n' ~ windows_sql(node), info=true) %}
    {% endif %}
    {% do log('-- stale\n' ~ stale_periods_sql(node), info=true) %}
    {% do log('-- followed\n' ~ followed_sql(node), info=true) %}
    {% do log('-- record\n' ~ record_applied_loads_sql(node), info=true) %}
    {% do log('-- ledger\n' ~ create_ledger_sql() | replace('commit;', ''), info=true) %}
{% endmacro %}
