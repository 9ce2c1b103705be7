{#-
    What a snapshot with `strategy: period` is about, from the contract of the one dataset that it reads
    (`config: meta:` of its source): {consumer, dataset, schema, kind, key, tracked, end_marker, fingerprint}.
-#}
{% macro history_of(snapshot) %}
    {% set contracts = [] %}
    {% for id in snapshot.depends_on.nodes if id in graph.sources %}
        {% set source = graph.sources[id] %}
        {% set meta = source.config.get('meta') or source.get('meta') or {} %}
        {% if 'kind' in meta %}
            {% do contracts.append(dict(meta, dataset=source.name, schema=source.schema)) %}
        {% endif %}
    {% endfor %}
    {% if contracts | length != 1 %}
        {% do history_error(snapshot, 'it must read exactly one staged dataset, it reads ' ~ contracts | length) %}
    {% endif %}

    {% set contract = contracts[0] %}
    {% set unique_key = as_list(snapshot.config.unique_key) %}
    {% if unique_key | sort != contract.key | sort %}
        {% do history_error(
            snapshot,
            'its unique_key ' ~ unique_key ~ ' is not the key of the contract ' ~ contract.key
            ~ '; write the same in both'
        ) %}
    {% endif %}

    {% set identity = [
        contract.key, contract.tracked | sort, contract.kind, contract.get('end_marker'), contract.get('grain'),
        sql_of(snapshot)
    ] %}
    {{ return({
        'consumer': name_of(snapshot),
        'dataset': contract.dataset,
        'schema': contract.schema,
        'kind': contract.kind,
        'key': contract.key,
        'tracked': contract.tracked,
        'end_marker': contract.get('end_marker'),
        'fingerprint': local_md5(tojson(identity)),
    }) }}
{% endmacro %}

{#- The columns that core keeps: all that the snapshot selects, except the lineage of the loader. -#}
{% macro data_columns(snapshot, history, selected) %}
    {% set needed = history.key + history.tracked + ['_data_period', '_load_id'] %}
    {% if history.end_marker %}
        {% do needed.append(history.end_marker.column) %}
    {% endif %}
    {% for column in needed if column not in selected %}
        {% do history_error(
            snapshot,
            'it does not select ' ~ column ~ ', which its contract needs; add it to the select list'
            ~ (' (or mark it tracked: false)' if column in history.tracked else '')
        ) %}
    {% endfor %}

    {% set kept = [] %}
    {% for column in selected if not column.startswith('_') %}
        {% do kept.append(column) %}
    {% endfor %}
    {{ return(kept) }}
{% endmacro %}
