{#-
    A bigint surrogate key from natural key parts, the same on every engine and after every rebuild.
    60 bits of md5: never negative, so -1 is free for the unknown member.
-#}
{% macro surrogate_key(parts) -%}
    {{ hex_to_bigint('substring(' ~ md5_hex(unambiguous_text(parts)) ~ ', 1, 15)') }}
{%- endmacro %}

{% macro unknown_key() -%}
    cast(-1 as bigint)
{%- endmacro %}

{#- Key of a day in dim_date: the day as number YYYYMMDD. -#}
{% macro date_key(day) -%}
    cast(
        {{ date_part('year', day) }} * 10000 + {{ date_part('month', day) }} * 100 + {{ date_part('day', day) }} as bigint
    )
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
