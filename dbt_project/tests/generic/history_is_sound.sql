{#- Versions of a key that overlap or have no length, and keys with more than one current version. -#}
{% test history_is_sound(model, key) %}

with versions as (

    select
        {{ key | join(', ') }},
        dbt_valid_from,
        dbt_valid_to,
        lead(dbt_valid_from) over (partition by {{ key | join(', ') }} order by dbt_valid_from) as _next_valid_from
    from {{ model }}

)

select *
from versions
where dbt_valid_to <= dbt_valid_from
    or dbt_valid_to > _next_valid_from
    or (dbt_valid_to is null and _next_valid_from is not null)
    or _next_valid_from = dbt_valid_from

{% endtest %}
