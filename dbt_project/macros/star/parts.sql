{#-
    What the subjects of `vars: subjects` add to a dimension that they share, as macros to be called one by one: that of
    the subject `aca` for dim_geography is called aca__dim_geography. A subject without such a macro adds nothing.
    The model calls them itself, so that dbt knows what it depends on.
-#}
{% macro parts_of(dimension) %}
    {% set parts = [] %}
    {% for subject in var('subjects', []) if subject ~ '__' ~ dimension in context %}
        {% do parts.append(context[subject ~ '__' ~ dimension]) %}
    {% endfor %}
    {{ return(parts) }}
{% endmacro %}
