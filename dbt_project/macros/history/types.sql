{#
    Core follows the types of what its snapshot selects, in the transaction of its own change. The loader widens stage by
    one rule (loader/contracts/widening.py), so that core widens with it and keeps its rows as they are.
#}

{#-
    Gives the columns of core the types that they have in `query` now. One that cannot keep its values loses them, where it
    has none, or all of history is worked out again.
-#}
{% macro follow_types(node, core, query, is_all) %}
    {% set was = columns_by_name(adapter.get_columns_in_relation(core)) %}
    {% for column in columns_of_query(core, query) if column.name in was %}
        {% if was[column.name].data_type == column.data_type %}
        {% elif is_wider(was[column.name], column) %}
            {% do alter_column_type(core, column.name, column.data_type) %}
        {% elif is_all or not has_values(core, column.name) %}
            {% do refuse_hindered(core, column.name, column.data_type) %}
            {% do empty_as_type(core, column.name, column.data_type) %}
        {% else %}
            {% do history_error(
                node,
                name_of(core) ~ '.' ~ column.name ~ ' is '
                ~ was[column.name].data_type ~ ' and would become ' ~ column.data_type
                ~ ', which could lose data; select it in the type that it had, or under a new name'
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro columns_by_name(columns) %}
    {% set found = {} %}
    {% for column in columns %}
        {% do found.update({column.name: column}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro has_values(relation, column_name) %}
    {% set found = run_query('select count(' ~ adapter.quote(column_name) ~ ') as row_count from ' ~ relation) %}
    {{ return(found.rows[0]['row_count'] > 0) }}
{% endmacro %}

{#- Whether each value of one type is a value of the other, which is of the same kind. -#}
{% macro is_wider(was, becomes) %}
    {% set before, after = room_of(was), room_of(becomes) %}
    {{ return(
        before.kind is not none and before.kind == after.kind
        and before.sizes[0] <= after.sizes[0] and before.sizes[1] <= after.sizes[1]
        and (before.is_whole or not after.is_whole)
    ) }}
{% endmacro %}

{#- What fits into a type: letters, or digits before the point and behind it. A size that is not said is no bound. -#}
{% macro room_of(column) %}
    {% set parts = column.data_type.lower().split('(') %}
    {% set name, sizes = parts[0], parts[1:] | join('(') %}
    {% set said = modules.re.findall('[0-9]+', sizes) | map('int') | list %}
    {% set endless = 1000000 %}
    {% set whole = {'smallint': 5, 'int': 10, 'integer': 10, 'bigint': 19, 'hugeint': 39} %}
    {% if name in whole %}
        {{ return({'kind': 'number', 'sizes': [whole[name], 0], 'is_whole': true}) }}
    {% elif name in ['decimal', 'numeric'] %}
        {% set sizes = [said[0] - said[1], said[1]] if said | length == 2 else [endless, endless] %}
        {{ return({'kind': 'number', 'sizes': sizes, 'is_whole': false}) }}
    {% elif name in ['nvarchar', 'varchar', 'character varying', 'text'] %}
        {% set kind = 'nvarchar' if name == 'nvarchar' else 'text' %}
        {{ return({'kind': kind, 'sizes': [said[0] if said else endless, 0], 'is_whole': false}) }}
    {% endif %}
    {{ return({'kind': none}) }}
{% endmacro %}

{#- The database does not change a column of which somebody's view is made, and dbt's own way would drop the view. -#}
{% macro refuse_hindered(relation, column_name, new_type) %}
    {% set views = views_on(relation, column_name) %}
    {% if views %}
        {% do exceptions.raise_compiler_error(
            name_of(relation) ~ '.' ~ column_name ~ ' becomes ' ~ new_type ~ ', which a view on it hinders ('
            ~ views | join(', ') ~ '): drop what is named, build again, then make it again'
        ) %}
    {% endif %}
{% endmacro %}
