{#
    Aggregates that follow a fact: sums by groups, and nothing else. The fact (`incremental_strategy: period_merge`,
    `meta: {measures: [...]}`, its additive columns) writes down in core.<fact>__changes, in the transaction of its change and
    once for each of its followers, the rows that it wrote, and reversals of those that it removed: the same rows, their
    measures negated. A follower (`incremental_strategy: period_sum`, `unique_key`, the columns of its groups, `meta:
    {count: ...}`, the sum that is 0 of a group without rows) reads `{{ changes_of(ref(fact)) }}` in place of the fact,
    adds its sums of the changes to those that it has and strikes the changes off, in one transaction too. So nothing is
    missed or added twice, whoever is killed when, and a daily drop costs by its rows.
#}

{#- Where the fact is to be read from, for `from`: its changes, or all of it when the aggregate is made anew. -#}
{% macro changes_of(fact) -%}
    {%- if not execute or not is_incremental() or is_forgotten(model) -%}
    {{ fact }}
    {%- else -%}
    {{ changes_for(model) }}
    {%- endif -%}
{%- endmacro %}

{% macro changes_for(follower) -%}
    (select * from {{ changes_table(leader_of(follower)) }} where consumer = '{{ name_of(follower) }}') as changes
{%- endmacro %}

{#- The fact that an aggregate follows: all that it is made of, or a change of something else would be missed. -#}
{% macro leader_of(node) %}
    {% set read = node.depends_on.nodes %}
    {% set fact = graph.nodes.get(read[0]) if read | length == 1 %}
    {% if not fact or fact.config.get('incremental_strategy') != 'period_merge' %}
        {% do history_error(
            node,
            'it must read one fact with incremental_strategy period_merge and nothing else, and reads '
            ~ read | join(', ')
        ) %}
    {% endif %}
    {{ return(fact) }}
{% endmacro %}

{% macro is_follower(node) %}
    {{ return(node.resource_type == 'model' and node.config.get('incremental_strategy') == 'period_sum') }}
{% endmacro %}

{#- Names of the aggregates that follow a fact. -#}
{% macro followers_of(fact) %}
    {% set followers = [] %}
    {% for node in graph.nodes.values() if is_follower(node) and leader_of(node).unique_id == fact.unique_id %}
        {% do followers.append(name_of(node)) %}
    {% endfor %}
    {{ return(followers | sort) }}
{% endmacro %}

{#- What the ledger knows a follower by; none when it does not: it is new, or its fact was made anew. -#}
{% macro known_fingerprint(node) %}
    {% for row in run_query("select fingerprint from " ~ ledger() ~ " where consumer = '" ~ name_of(node) ~ "'") %}
        {{ return(row['fingerprint']) }}
    {% endfor %}
{% endmacro %}

{#- Whether an aggregate has to read all of its fact: the ledger does not know it, or as something else. -#}
{% macro is_forgotten(node) %}
    {{ return((known_fingerprint(node) or '')[:16] != identity_of_follower(node)) }}
{% endmacro %}

{#- What can be told of it before it is compiled. -#}
{% macro identity_of_follower(node) %}
    {% set fact = leader_of(node) %}
    {% set identity = [
        fingerprint_of(node), name_of(fact), meta_of(fact, 'measures'), meta_of(node, 'count')
    ] %}
    {{ return(local_md5(tojson(identity))[:16]) }}
{% endmacro %}

{#- What it is compiled to when it reads all of the fact: that changes with the macros that it calls. -#}
{% macro fingerprint_of_compiled(node) %}
    {% set whole = node.compiled_code | replace(changes_for(node), leader_of(node).relation_name) %}
    {{ return(local_md5(whole.split() | join(' '))[:16]) }}
{% endmacro %}

{% macro get_incremental_period_sum_sql(arg_dict) %}
    {% set target, sums = arg_dict['target_relation'], arg_dict['temp_relation'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list %}
    {% set groups = quoted(as_list(arg_dict['unique_key'])) %}
    {% set has_read_changes = changes_for(model) in model.compiled_code %}
    {% if has_read_changes == is_forgotten(model) %}
        {% do history_error(model, 'another build made it or its fact anew meanwhile; nothing was changed, run this build again') %}
    {% endif %}
    {% if has_read_changes and known_fingerprint(model)[16:] != fingerprint_of_compiled(model) %}
        {% do history_error(
            model, 'a macro that it calls has changed, and what it holds was summed by the old one; '
            ~ 'run `dbt build --full-refresh --select ' ~ model.name ~ '`'
        ) %}
    {% endif %}
    {% do refuse_groups_without_name(sums, groups) %}
    {% set same_group %}
        {%- for column in groups -%}
        {{ adapter.quote(target.identifier) }}.{{ column }} = {{ adapter.quote(sums.identifier) }}.{{ column }}
        {{- ' and ' if not loop.last }}
        {%- endfor -%}
    {% endset %}
    {% set touched %}{% if has_read_changes %} where exists (select 1 from {{ sums }} where {{ same_group }}){% endif %}{% endset %}

    {% if has_read_changes %}
    {#- What went and came again with the same measures. #}
    delete from {{ sums }}
    where {% for column in columns if column not in groups %}coalesce({{ column }}, 0) = 0{{ ' and ' if not loop.last }}{% endfor %};

    insert into {{ sums }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ target }}{{ touched }};
    {% endif %}

    delete from {{ target }}{{ touched }};

    insert into {{ target }} ({{ columns | join(', ') }})
    select {% for column in columns %}{{ column if column in groups else 'sum(' ~ column ~ ')' }}{{ ', ' if not loop.last }}{% endfor %}

    from {{ sums }}
    group by {{ groups | join(', ') }}
    having sum({{ adapter.quote(meta_of(model, 'count')) }}) <> 0;
{% endmacro %}

{#- NULL equals nothing, so that such a group would be found again by none of its changes. -#}
{% macro refuse_groups_without_name(sums, groups) %}
    {% for row in run_query(
        'select count(*) as row_count from ' ~ sums ~ ' where ' ~ groups | join(' is null or ') ~ ' is null'
    ) if row['row_count'] %}
        {% do history_error(
            model, 'NULL in its unique_key (' ~ groups | join(', ') ~ '); write coalesce(...) for what may be NULL'
        ) %}
    {% endfor %}
{% endmacro %}

{#- The last thing that a follower does. -#}
{% macro strike_off_changes_sql(node) %}
    {% set fingerprint = identity_of_follower(node) ~ fingerprint_of_compiled(node) %}
    {% if not is_incremental() %}
        {% do refuse_groups_without_name(this, quoted(as_list(node.config.unique_key))) %}
    {% endif %}
    {% if relation_exists_now(changes_table(leader_of(node))) %}
    delete from {{ changes_table(leader_of(node)) }} where consumer = '{{ name_of(node) }}';
    {% endif %}

    delete from {{ ledger() }}
    where consumer = '{{ name_of(node) }}' and fingerprint <> '{{ fingerprint }}';

    insert into {{ ledger() }} (consumer, dataset, data_period, load_id, fingerprint)
    select '{{ name_of(node) }}', '{{ name_of(leader_of(node)) }}', '', 0, '{{ fingerprint }}'
    where not exists (select 1 from {{ ledger() }} where consumer = '{{ name_of(node) }}');
{% endmacro %}
