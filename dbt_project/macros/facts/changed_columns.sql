{#- Names of the tracked columns of a history in which two of its versions differ, e.g. `street, city`. -#}
{% macro changed_columns(snapshot_relation, newer, older) -%}
    {%- if execute -%}
    {%- set names = [] -%}
    {%- for column in history_in(snapshot_relation).tracked -%}
        {%- set name -%}
            case
                when {{ rows_differ([column], newer, older) }} then ', {{ column }}' else ''
            end
        {%- endset -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    substring({{ concatenated(names) }}, 3, 4000)
    {%- else -%}
    ''
    {%- endif -%}
{%- endmacro %}
