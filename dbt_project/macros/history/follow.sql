{#
    Aggregates that follow a fact. The fact (`incremental_strategy: restate`, `meta: {date: service_date}`) notes in
    core.changed_date, in the transaction of its change, the dates of the rows that it wrote or removed, once for each
    of its followers. A follower (`incremental_strategy: follow`, `meta: {date: service_month, date_part: month}`; a day,
    unless said otherwise) works its rows of these dates out again and strikes them off, in one transaction too. So
    nothing is missed, whoever is killed when, and a daily drop costs by the dates that it touches.
#}

{% macro changed_dates() %}
    {{ return(api.Relation.create(database=target.database, schema='core', identifier='changed_date')) }}
{% endmacro %}

{% macro changed_dates_columns() %}
    consumer varchar(127) not null,
    changed_on date not null
{% endmacro %}

{#- The fact that an aggregate follows: the one among all that it is made of. -#}
{% macro leader_of(node) %}
    {% set found = restated_among(node.depends_on.nodes) | unique | list %}
    {% if found | length != 1 %}
        {% do history_error(node, 'it follows one fact with incremental_strategy restate, and is made of ' ~ found | length) %}
    {% endif %}
    {{ return(graph.nodes[found[0]]) }}
{% endmacro %}

{% macro restated_among(ids) %}
    {% set found = [] %}
    {% for id in ids if id in graph.nodes %}
        {% set node = graph.nodes[id] %}
        {% if node.config.get('incremental_strategy') == 'restate' %}
            {% do found.append(id) %}
        {% else %}
            {% do found.extend(restated_among(node.depends_on.nodes)) %}
        {% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro is_follower(node) %}
    {{ return(node.resource_type == 'model' and node.config.get('incremental_strategy') == 'follow') }}
{% endmacro %}

{#- A condition on the rows that a follower has to work out again; on all of them when it is made anew. -#}
{% macro has_changed(date) -%}
    {%- if not execute or not is_incremental() or is_rewritten(model) -%}
    1 = 1
    {%- else -%}
    {{ date }} in ({{ noted_dates_sql(model) }})
    {%- endif -%}
{%- endmacro %}

{% macro noted_dates_sql(node) -%}
    select cast({{ dbt.date_trunc(node.config.meta.get('date_part', 'day'), 'changed_on') }} as date)
    from {{ changed_dates() }}
    where consumer = '{{ name_of(node) }}'
{%- endmacro %}

{#- Whether the SQL of a follower is another than that of its rows. -#}
{% macro is_rewritten(node) %}
    {% set found = run_query(
        "select 1 as found from " ~ ledger() ~ " where consumer = '" ~ name_of(node) ~ "' and fingerprint = '"
        ~ fingerprint_of(node) ~ "'"
    ) %}
    {{ return(found | length == 0) }}
{% endmacro %}

{#- Notes the dates of these rows (each something to select from) for every follower of a fact. -#}
{% macro note_dates_sql(fact, sources) %}
    {% set followers = [] %}
    {% for node in graph.nodes.values() if is_follower(node) and leader_of(node).unique_id == fact.unique_id %}
        {% do followers.append(name_of(node)) %}
    {% endfor %}
    {% for follower in followers | sort %}
    insert into {{ changed_dates() }} (consumer, changed_on)
    select '{{ follower }}', dates.changed_on
    from (
        {% for source in sources %}
        select cast({{ fact.config.meta.date }} as date) as changed_on from {{ source }}
        {{ 'union' if not loop.last }}
        {% endfor %}
    ) as dates
    where dates.changed_on is not null;
    {% endfor %}
{% endmacro %}

{#- For a fact that is made anew: all its dates, those that it had (as a pre-hook) and those that it has. -#}
{% macro note_all_dates() %}
    {% if execute and model.config.get('incremental_strategy') == 'restate' and not is_incremental() %}
        {% set columns = adapter.get_columns_in_relation(this) if relation_exists_now(this) else [] %}
        {% if model.config.meta.date in columns | map(attribute='name') %}
            {{ note_dates_sql(model, [this]) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro get_incremental_follow_sql(arg_dict) %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict['target_relation'] }} where {{ has_changed(model.config.meta.date) }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}

{#- The last thing that a follower does. -#}
{% macro strike_off_dates_sql(node) %}
    delete from {{ changed_dates() }} where consumer = '{{ name_of(node) }}';

    delete from {{ ledger() }}
    where consumer = '{{ name_of(node) }}' and fingerprint <> '{{ fingerprint_of(node) }}';

    insert into {{ ledger() }} (consumer, dataset, data_period, load_id, fingerprint)
    select '{{ name_of(node) }}', '{{ name_of(leader_of(node)) }}', '', 0, '{{ fingerprint_of(node) }}'
    where not exists (select 1 from {{ ledger() }} where consumer = '{{ name_of(node) }}');
{% endmacro %}
