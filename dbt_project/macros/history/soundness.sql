{#
    That a history is sound is looked at by the build that writes it, in the transaction of its change and whether a test asks
    for it or not: all keys that the change touches, all of history when it is made. What is not sound is not committed,
    so that no test in the same build needs to look again; rows that are not written cannot have become wrong. All keys
    are looked at by `dbt test`, and by a build that checks everything.
#}

{#- Versions of a key that overlap or have no length or stand twice, and keys with more than one current version. -#}
{% macro unsound_versions(versions, key) %}
    select *
    from (
        select
            {{ key | join(', ') }},
            dbt_valid_from,
            dbt_valid_to,
            lead(dbt_valid_from) over (partition by {{ key | join(', ') }} order by dbt_valid_from) as _next_valid_from
        from {{ versions }}
    ) as versions
    where dbt_valid_to <= dbt_valid_from
        or dbt_valid_to > _next_valid_from
        or (dbt_valid_to is null and _next_valid_from is not null)
        or _next_valid_from = dbt_valid_from
{% endmacro %}

{#- Ends the build of a snapshot, before it commits, when keys of `touched` are not sound; none stands for all keys. -#}
{% macro refuse_unsound(core, unique_key, touched=none) %}
    {% set key = quoted(as_list(unique_key)) %}
    {% set versions = core ~ ' as core_versions' %}
    {% if touched %}
        {% set versions %}
            (
                select core.*
                from {{ core }} as core
                where exists (select 1 from {{ touched }} as touched where {{ same_key(key, 'touched', 'core') }})
            ) as core_versions
        {% endset %}
    {% endif %}
    {% set unsound = unsound_versions(versions, key) %}
    {% set found = run_query('select count(*) as row_count from (' ~ unsound ~ ') as unsound').rows[0]['row_count'] %}
    {% if found %}
        {% do exceptions.raise_compiler_error(
            name_of(core) ~ ': ' ~ found ~ ' versions would overlap, have no length or stand twice; somebody changed core by'
            ~ ' hand. Nothing was written; run `dbt run-operation rebuild_history`'
        ) %}
    {% endif %}
{% endmacro %}

{#- All of a history that this build has made: the ledger does not know it. -#}
{% macro refuse_unsound_if_new(node) %}
    {% set known = run_query(
        "select count(*) as row_count from " ~ ledger() ~ " where consumer = '" ~ name_of(node) ~ "'"
    ).rows[0]['row_count'] %}
    {% if not known %}
        {% do refuse_unsound(this, node.config.unique_key) %}
    {% endif %}
{% endmacro %}

{#- Whether a test asks what the build of its snapshot has looked at. -#}
{% macro is_looked_at_by_the_build(test) %}
    {% set about = graph.nodes.get(test.depends_on.nodes[0]) if test.depends_on.nodes %}
    {% set kind = test.test_metadata.name %}
    {{ return(
        about and about.resource_type == 'snapshot' and about.config.strategy == 'period'
        and (kind == 'history_is_sound' or (kind == 'unique' and test.column_name == 'dbt_scd_id'))
        and not checks_everything()
    ) }}
{% endmacro %}

{#- Whether tests look at all rows: not in a build, but for `--full-refresh` and `loader build --check-all`. -#}
{% macro checks_everything() %}
    {{ return(flags.WHICH != 'build' or flags.FULL_REFRESH or var('check_all', false)) }}
{% endmacro %}
