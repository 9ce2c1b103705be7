{#
    Words that the loader reads or writes too, each stated once here and once there (loader/warehouse/); a test holds
    them together. The names of the ledger and of the table of changes stand in their own files.
#}

{#- Whether a row of meta.dataset_version is the load that counts of its period. -#}
{% macro is_active(versions=none) -%}
    {{ versions ~ '.' if versions }}state = 'active'
{%- endmacro %}

{#- The staged table of the keys that are unknown in a load, next to that of its rows. -#}
{% macro unknown_keys_of(history) %}
    {{ return(api.Relation.create(
        database=target.database, schema=history.schema, identifier=history.dataset ~ '__unknown'
    )) }}
{% endmacro %}

{#- Whether a load has rejected rows whose key could not be read: keys that it does not state are unknown. -#}
{% macro is_incomplete(versions=none) -%}
    {{ versions ~ '.' if versions }}unreadable_keys > 0
{%- endmacro %}

{#- Whether a key may be unknown in a load. -#}
{% macro has_unknown(versions=none) -%}
    ({{ versions ~ '.' if versions }}unknown_keys > 0 or {{ is_incomplete(versions) }})
{%- endmacro %}

{#- The fingerprint in the ledger of loads that lost rows to `loader purge`: no rule has it. -#}
{% macro purged() %}{{ return('purged') }}{% endmacro %}

{#- What the lock of a dataset or a table is called in the database. -#}
{% macro lock_name(name) %}{{ return('almanac.' ~ name) }}{% endmacro %}
