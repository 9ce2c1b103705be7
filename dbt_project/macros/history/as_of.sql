{#-
    The versions of a history that were in force on a day or at a time:
    select * from {{ as_of(ref('citizens'), "cast('2025-06-01' as date)") }} as citizens
-#}
{% macro as_of(snapshot_relation, moment) -%}
    (
        select *
        from {{ snapshot_relation }}
        where dbt_valid_from <= {{ moment }} and (dbt_valid_to is null or dbt_valid_to > {{ moment }})
    )
{%- endmacro %}

{#-
    How many versions of a history are in force in each of `periods`: period_start, version_count. Counted from what
    began and what ended until then: to look up every version in every period would cost their product.
-#}
{% macro versions_in_force(history, periods) %}
    select
        periods.period_start,
        sum(boundaries.difference) as version_count
    from {{ periods }} as periods
    inner join (
        select
            happened_at,
            sum(difference) as difference
        from (
            select
                dbt_valid_from as happened_at,
                1 as difference
            from {{ history }}
            union all
            select
                dbt_valid_to as happened_at,
                -1 as difference
            from {{ history }}
            where dbt_valid_to is not null
        ) as beginnings_and_ends
        group by happened_at
    ) as boundaries
        on periods.period_start >= boundaries.happened_at
    group by periods.period_start
{% endmacro %}

{#-
    The versions of a history with the days for which a fact takes each: its own, those of a gap after it, and for the
    first one all days before it, so that what happened before a thing was first delivered finds it later. The key, the
    columns, version_key (as the dimension has it), taken_from and taken_until; only for keys in `among`, when given.
-#}
{% macro versions_by_day(history, key, columns=[], among=none) %}
    select
        {{ key }},
        {% for column in columns %}
        {{ column }},
        {% endfor %}
        {{ surrogate_key([key, timestamp_text('dbt_valid_from')]) }} as version_key,
        case
            when lag(dbt_valid_from) over (partition by {{ key }} order by dbt_valid_from) is null
                then cast('0001-01-01' as date)
            else cast(dbt_valid_from as date)
        end as taken_from,
        coalesce(
            cast(lead(dbt_valid_from) over (partition by {{ key }} order by dbt_valid_from) as date),
            cast('9999-12-31' as date)
        ) as taken_until
    from {{ history }}
    {% if among %}
    where {{ key }} in (select {{ key }} from {{ among }})
    {% endif %}
{% endmacro %}
