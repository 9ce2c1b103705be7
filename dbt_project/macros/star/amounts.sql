{#-
    Arithmetic with money in whole cents: engines divide decimals to different lengths, some of them as floating
    point; whole numbers come out the same everywhere. Amounts are not negative and have two decimals.
-#}

{#- An amount as whole cents. -#}
{% macro in_cents(amount) -%}
    cast(cast({{ amount }} as decimal(16, 2)) * 100 as bigint)
{%- endmacro %}

{#- Whole cents as an amount. -#}
{% macro from_cents(cents) -%}
    cast(cast({{ cents }} as decimal(16, 0)) * cast(0.01 as decimal(2, 2)) as decimal(18, 2))
{%- endmacro %}

{#- One amount over another, rounded half up to four places; NULL when there is nothing to divide by. -#}
{% macro ratio(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then cast(
                cast(
                    {{ integer_quotient(
                        in_cents(numerator) ~ ' * 20000 + ' ~ in_cents(denominator), in_cents(denominator) ~ ' * 2'
                    ) }} as decimal(14, 0)
                ) * cast(0.0001 as decimal(4, 4)) as decimal(18, 4)
            )
    end
{%- endmacro %}

{#- Sums of columns, under their names. -#}
{% macro totals(columns) -%}
    {%- for column in columns -%}
    sum({{ column }}) as {{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The same, of one type on every engine, and 0 where there is nothing to sum. -#}
{% macro typed_totals(columns, type) -%}
    {%- for column in columns -%}
    cast(coalesce(sum({{ column }}), 0) as {{ type }}) as {{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Whether two rows of sums differ; the sum of no rows is 0. -#}
{% macro totals_differ(columns, left, right) -%}
    (
        {%- for column in columns -%}
        coalesce({{ left }}.{{ column }}, 0) <> coalesce({{ right }}.{{ column }}, 0){{ ' or ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}
