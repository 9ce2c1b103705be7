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
