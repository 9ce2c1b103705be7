{#-
    Text of several parts that no other parts can give: each part is quoted, an absent one is not.
    `concat_ws` would drop NULLs and let ('a', NULL) and (NULL, 'a') collide; `concat` takes NULL for an empty text.
-#}
{% macro unambiguous_text(parts) -%}
    concat(
        {%- for part in parts -%}
            case
                when {{ part }} is null then 'null' else concat('"', replace({{ text(part) }}, '"', '""'), '"')
            end
            {%- if not loop.last %}, ',', {% endif -%}
        {%- endfor -%}
        , ''
    )
{%- endmacro %}

{#- Identity of a version: key and start, so that it survives a rebuild. -#}
{% macro version_id(key, valid_from) -%}
    {{ md5_hex(unambiguous_text(key + [timestamp_text(valid_from)])) }}
{%- endmacro %}

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
