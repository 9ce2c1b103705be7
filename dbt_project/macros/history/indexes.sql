{#
    The indexes of a history by which a server finds what a build reads: the versions of a key, those that end or
    begin in the periods to read. Kept by the post-hook of the snapshot, so that tables of before get theirs with their
    next build. The config `indexes` does not do: it makes none of some of the rows, nor any on a table that is there.
#}
{% macro keep_history_indexes(node) %}
    {% set relation, wanted = this, {} %}
    {% for index in history_indexes(relation, as_list(node.config.unique_key)) %}
        {% set on %}({{ quoted(index.columns) | join(', ') }}){{ ' where ' ~ index.where if index.where }}{% endset %}
        {% do wanted.update({'history_' ~ local_md5(name_of(relation) ~ on): on}) %}
    {% endfor %}
    {% set found = indexes_named(relation, 'history_') %}
    {% for name in found if name not in wanted %}
        {% do run_query(drop_index_sql(relation, name)) %}
    {% endfor %}
    {% for name in wanted if name not in found %}
        {% do run_query('create index ' ~ name ~ ' on ' ~ relation ~ ' ' ~ wanted[name]) %}
    {% endfor %}
{% endmacro %}

{#- The same as columns and conditions. A key that may be longer than an entry of an index has none. -#}
{% macro default__history_indexes(relation, key) %}
    {% set columns = columns_by_name(adapter.get_columns_in_relation(relation)) %}
    {% set sizes = [] %}
    {% for column in key if columns[column].is_string() %}
        {% set size = columns[column].char_size or 0 %}
        {% do sizes.append(size if size > 0 else 10000) %}
    {% endfor %}
    {% set indexes = [
        {'columns': ['dbt_valid_from'], 'where': none},
        {'columns': ['dbt_valid_to'], 'where': 'dbt_valid_to is not null'}
    ] %}
    {% if sizes | sum <= longest_indexed_text() %}
        {% do indexes.append({'columns': key, 'where': 'dbt_valid_to is null'}) %}
        {% do indexes.append({'columns': key + ['dbt_valid_from'], 'where': none}) %}
    {% endif %}
    {{ return(indexes) }}
{% endmacro %}

{#- Before columns go: a server keeps one that an index holds. -#}
{% macro drop_history_indexes(relation) %}
    {% for name in indexes_named(relation, 'history_') %}
        {% do run_query(drop_index_sql(relation, name)) %}
    {% endfor %}
{% endmacro %}
