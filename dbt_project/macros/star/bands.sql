{#- The name of the band of an age; `bands` are pairs of the first age and the name. -#}
{% macro age_band(age, bands) -%}
    case
        {%- for first_age, name in bands | reverse %}
        when {{ age }} >= {{ first_age }} then '{{ name }}'
        {%- endfor %}
        else 'unknown'
    end
{%- endmacro %}
