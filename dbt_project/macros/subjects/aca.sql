{#- Places for dim_geography: postal_code, city, county, state. -#}
{% macro aca__dim_geography() %}
    {% for history in [ref('members'), ref('providers')] %}
    select
        postal_code,
        city,
        county,
        state
    from {{ history }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{% endmacro %}

{#- Days for dim_date: the first and the last of which a fact tells, first_start and last_end. -#}
{% macro aca__dim_date() %}
    select
        min(service_date) as first_start,
        max(service_date) as last_end
    from {{ ref('claims') }}
{% endmacro %}

{#- Age bands of premiums: (first age, name); the number in the name sorts them. -#}
{% macro premium_bands() %}
    {{ return([(0, '00-20'), (21, '21-29'), (30, '30-39'), (40, '40-49'), (50, '50-59'), (60, '60+')]) }}
{% endmacro %}

{#- Completed years on the first day of a month, as premiums go by it; 0 for who was born in that month. -#}
{% macro age_at_month_start(born_on, month_start) -%}
    case when {{ born_on }} > {{ month_start }} then 0 else {{ age_in_years(born_on, month_start) }} end
{%- endmacro %}

{#- The versions of members with what a fact takes from each, and the days for which it does (see versions_by_day). -#}
{% macro members_by_day(history, among=none) %}
    {{ versions_by_day(history, 'member_id', [
        'birth_date', geography_key('postal_code', 'city', 'county', 'state') ~ ' as geography_key'
    ], among=among) }}
{% endmacro %}

{#- The additive measures of claim lines. -#}
{% macro claim_measures() %}
    {{ return(['claim_line_count', 'units', 'billed_amount', 'allowed_amount', 'paid_amount', 'member_amount']) }}
{% endmacro %}

{#- Their sums, of the same types on every engine. -#}
{% macro claim_totals() -%}
    {{ typed_totals(claim_measures()[:2], 'bigint') }},
    {{ typed_totals(claim_measures()[2:], 'decimal(18, 2)') }}
{%- endmacro %}

{#- The same of claim lines, and how many were denied. -#}
{% macro claim_sums() -%}
    cast(sum(case when line_status = 'Denied' then claim_line_count else 0 end) as bigint) as denied_line_count,
    {{ claim_totals() }}
{%- endmacro %}

{#- The dimensions of the cube. -#}
{% macro cube_dimensions() %}
    {{ return(['month_start', 'metal_tier', 'rating_area', 'age_band']) }}
{% endmacro %}
