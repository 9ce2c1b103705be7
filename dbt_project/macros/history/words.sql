{#
    Words that the loader reads or writes too, each stated once here and once there (loader/warehouse/); a test holds
    them together. The names of the ledger and of the table of changes stand in their own files.
#}

{#- Whether a row of meta.dataset_version is the load that counts of its period. -#}
{% macro is_active(versions=none) -%}
    {{ versions ~ '.' if versions }}state = 'active'
{%- endmacro %}

{#- The fingerprint in the ledger of loads that lost rows to `loader purge`: no rule has it. -#}
{% macro purged() %}{{ return('purged') }}{% endmacro %}

{#- What the lock of a dataset or a table is called in the database. -#}
{% macro lock_name(name) %}{{ return('almanac.' ~ name) }}{% endmacro %}
