{# Small things that macros of every folder use. #}

{% macro quoted(columns) %}
    {% set result = [] %}
    {% for column in columns %}
        {% do result.append(adapter.quote(column)) %}
    {% endfor %}
    {{ return(result) }}
{% endmacro %}

{% macro as_list(value) %}
    {{ return([value] if value is string else value | list) }}
{% endmacro %}

{% macro sql_list(values) -%}
    {%- for value in values -%}'{{ value }}'{{ ', ' if not loop.last }}{%- endfor -%}
{%- endmacro %}

{#- That two rows have the same key, which is never NULL. -#}
{% macro same_key(key, left, right) -%}
    {%- for column in key -%}{{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}{%- endfor -%}
{%- endmacro %}

{% macro timestamp_literal(text) -%}
    cast('{{ text }}' as {{ dbt.type_timestamp() }})
{%- endmacro %}

{#-
    Text of several parts that no other parts can give: each part is quoted, an absent one is not.
    `concat_ws` would drop NULLs and let ('a', NULL) and (NULL, 'a') collide; `concat` takes NULL for an empty text.
-#}
{% macro unambiguous_text(parts) -%}
    {%- set texts = [] -%}
    {%- for part in parts -%}
        {%- set written -%}
            case
                when {{ part }} is null then 'null' else concat('"', replace({{ text(part) }}, '"', '""'), '"')
            end
        {%- endset -%}
        {%- do texts.append(written ~ (", ','" if not loop.last)) -%}
    {%- endfor -%}
    {{ concatenated(texts) }}
{%- endmacro %}

{#- Texts behind each other; `concat` takes 254 arguments on SQL Server, each of these may be two. -#}
{% macro concatenated(texts) -%}
    {%- if texts | length <= 100 -%}
        concat({{ texts | join(', ') }}, ''
    )
    {%- else -%}
        {%- set groups = [] -%}
        {%- for group in texts | batch(100) -%}
            {%- do groups.append(concatenated(group)) -%}
        {%- endfor -%}
        {{ concatenated(groups) }}
    {%- endif -%}
{%- endmacro %}

{#- What a node, or the relation that it makes, is called in the ledger and by its lock. -#}
{% macro name_of(thing) %}
    {{ return(thing.schema ~ '.' ~ (thing.identifier or thing.alias)) }}
{% endmacro %}

{#- What a node says about itself under `meta`, where it must. -#}
{% macro meta_of(node, name) %}
    {% if name not in node.config.meta %}
        {% do history_error(node, 'an aggregate follows a fact here; it needs meta: {' ~ name ~ ': ...}') %}
    {% endif %}
    {{ return(node.config.meta[name]) }}
{% endmacro %}

{#-
    Asks the database, not dbt's cache, which is as old as the build. Names of the catalog are in capitals, as SQL Server
    has them: there they may depend on case.
-#}
{% macro relation_exists_now(relation) %}
    {% set found = run_query(
        "select 1 as found from INFORMATION_SCHEMA.TABLES where TABLE_SCHEMA = '" ~ relation.schema
        ~ "' and TABLE_NAME = '" ~ relation.identifier ~ "'"
    ) %}
    {{ return(found | length > 0) }}
{% endmacro %}

{#- The same of a column. -#}
{% macro has_column_now(relation, column) %}
    {% set found = run_query(
        "select 1 as found from INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = '" ~ relation.schema
        ~ "' and TABLE_NAME = '" ~ relation.identifier ~ "' and COLUMN_NAME = '" ~ column ~ "'"
    ) %}
    {{ return(found | length > 0) }}
{% endmacro %}

{% macro history_error(node, what) %}
    {% do exceptions.raise_compiler_error(node.resource_type ~ ' ' ~ node.name ~ ': ' ~ what) %}
{% endmacro %}
