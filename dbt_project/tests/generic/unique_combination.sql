{#- The named columns together identify a row. -#}
{% test unique_combination(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as _copies
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
