{#- Age bands of the population reports: (first age, name); the number in the name sorts them. -#}
{% macro age_bands() %}
    {{ return([
        (0, '00-02'), (3, '03-05'), (6, '06-17'), (18, '18-24'),
        (25, '25-44'), (45, '45-64'), (65, '65-79'), (80, '80+'),
    ]) }}
{% endmacro %}

{% macro age_band(age, bands=none) -%}
    case
        {%- for first_age, name in (bands or age_bands()) | reverse %}
        when {{ age }} >= {{ first_age }} then '{{ name }}'
        {%- endfor %}
        else 'unknown'
    end
{%- endmacro %}

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

{#- Key of a place, of the unknown member when nothing is known of it. County and state count where a subject has them. -#}
{% macro geography_key(postal_code, city, county=none, state=none) -%}
    case
        when {{ postal_code }} is null and {{ city }} is null then {{ unknown_key() }}
        {%- if county and state %}
        when {{ county }} is not null or {{ state }} is not null
            then {{ surrogate_key([postal_code, city, county, state]) }}
        {%- endif %}
        else {{ surrogate_key([postal_code, city]) }}
    end
{%- endmacro %}
