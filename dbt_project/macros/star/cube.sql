{#- Which dimensions a row of a cube sums over: the sum of their bits, the last dimension having bit 1. -#}
{% macro grouping_level(dimensions) -%}
    cast(
        {%- for dimension in dimensions %}
        grouping({{ dimension }}) * {{ 2 ** loop.revindex0 }}{{ ' +' if not loop.last }}
        {%- endfor %}
        as integer
    )
{%- endmacro %}

{#- Every set of the dimensions, the one of level 0 first. -#}
{% macro all_grouping_sets(dimensions) -%}
    {%- for level in range(2 ** dimensions | length) -%}
        {%- set kept = [] -%}
        {%- for dimension in dimensions -%}
            {%- if not (level // 2 ** loop.revindex0) % 2 -%}{%- do kept.append(dimension) -%}{%- endif -%}
        {%- endfor -%}
        ({{ kept | join(', ') }}){{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
