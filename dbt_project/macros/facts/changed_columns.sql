{#- Names of the tracked columns of a history in which two of its versions differ, e.g. `street, city`. -#}
{% macro changed_columns(snapshot_relation, newer, older) -%}
    {%- if execute -%}
    substring(
        concat(
            {%- for column in history_in(snapshot_relation).tracked -%}
            case
                when {{ rows_differ([column], newer, older) }} then ', {{ column }}' else ''
            end,
            {%- endfor -%}
            ''
        ), 3, 4000
    )
    {%- else -%}
    ''
    {%- endif -%}
{%- endmacro %}
