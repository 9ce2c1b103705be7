{#- Places for dim_geography: postal_code, city, county, state. -#}
{% macro citizens__dim_geography() %}
    select
        postal_code,
        city,
        cast(null as varchar(60)) as county,
        cast(null as varchar(2)) as state
    from {{ ref('citizens') }}
{% endmacro %}

{#- Age bands of the population reports: (first age, name); the number in the name sorts them. -#}
{% macro age_bands() %}
    {{ return([
        (0, '00-02'), (3, '03-05'), (6, '06-17'), (18, '18-24'),
        (25, '25-44'), (45, '45-64'), (65, '65-79'), (80, '80+'),
    ]) }}
{% endmacro %}
