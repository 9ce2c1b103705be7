{#
    What a fact (`incremental_strategy: period_merge`) leaves to the aggregates that follow it; period_sum.sql says how
    they do.
#}

{% macro changes_table(fact) %}
    {{ return(api.Relation.create(database=target.database, schema=ledger().schema, identifier=fact.alias ~ '__changes')) }}
{% endmacro %}

{#-
    Writes down the change of a fact: the rows of `difference` come, those of `fact_table` with the same key go. Only
    for followers that the ledger knows: the others will read all of the fact. Who is not there to follow is forgotten.
-#}
{% macro write_down_changes_sql(fact, fact_table, difference, same_key) %}
    {% set followers, changes = followers_of(fact), changes_table(fact) %}
    {% set columns = adapter.get_columns_in_relation(fact_table) %}
    {% if not followers or not has_columns(changes, columns) %}
        {{ start_changes_sql(fact, fact_table) }}
    {% else %}
        {% set names = quoted(columns | map(attribute='name')) %}
        {% set measures = quoted(measures_of(fact, columns)) %}
    {{ cluster_sql(changes, ['consumer']) }}
    delete from {{ changes }} where consumer not in ({{ sql_list(followers) }});

    delete from {{ ledger() }}
    where dataset = '{{ name_of(fact) }}' and consumer not in ({{ sql_list(followers) }});

    insert into {{ changes }} (consumer, {{ names | join(', ') }})
    select followers.consumer, changes.{{ names | join(', changes.') }}
    from (
        select {{ names | join(', ') }}
        from {{ difference }}
        where period_start is not null
        union all
        select {% for name in names %}{{ '-' if name in measures }}{{ name }}{{ ', ' if not loop.last }}{% endfor %}

        from {{ fact_table }}
        where exists (select 1 from {{ difference }} where {{ same_key }})
    ) as changes
    cross join (
        select consumer from {{ ledger() }} where consumer in ({{ sql_list(followers) }})
    ) as followers;
    {% endif %}
{% endmacro %}

{#- Its additive columns. -#}
{% macro measures_of(fact, columns) %}
    {% set measures = meta_of(fact, 'measures') %}
    {% for measure in measures if measure not in columns | map(attribute='name') | list %}
        {% do history_error(fact, 'meta: measures names ' ~ measure ~ ', which is no column of it') %}
    {% endfor %}
    {{ return(measures) }}
{% endmacro %}

{#- Whether a table of changes is there, and as the fact is: it widens with it. -#}
{% macro has_columns(changes, columns) %}
    {% if not relation_exists_now(changes) %}
        {{ return(false) }}
    {% endif %}
    {% set own = columns_by_name(adapter.get_columns_in_relation(changes)) %}
    {% if own.keys() | reject('equalto', 'consumer') | sort != columns | map(attribute='name') | sort %}
        {{ return(false) }}
    {% endif %}
    {% set others = [] %}
    {% for column in columns if column.data_type != own[column.name].data_type %}
        {% do others.append(column) %}
    {% endfor %}
    {% for column in others if not is_wider(own[column.name], column) %}
        {{ return(false) }}
    {% endfor %}
    {% for column in others %}
        {% do alter_column_type(changes, column.name, column.data_type) %}
    {% endfor %}
    {{ return(true) }}
{% endmacro %}

{#- Starts anew with no changes: the followers are forgotten, and read all of the fact in their next build. -#}
{% macro start_changes_sql(fact, fact_table) %}
    {% if followers_of(fact) %}
    {% do measures_of(fact, adapter.get_columns_in_relation(fact_table)) %}
    drop table if exists {{ changes_table(fact) }};

    {{ empty_copy_sql(changes_table(fact), "cast('' as varchar(127)) as consumer, fact.*", fact_table ~ ' as fact') }};
    {{ cluster_sql(changes_table(fact), ['consumer']) }}
    {% endif %}

    delete from {{ ledger() }} where dataset = '{{ name_of(fact) }}';
{% endmacro %}
