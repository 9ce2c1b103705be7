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
