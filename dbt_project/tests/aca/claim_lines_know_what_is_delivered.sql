-- Claim lines that point to an unknown member, plan or provider although it was delivered.
{% for dimension, key, id in [
    ('dim_member', 'member_key', 'member_id'),
    ('dim_health_plan', 'health_plan_key', 'health_plan_id'),
    ('dim_provider', 'provider_key', 'provider_id'),
] %}
select
    '{{ dimension }}' as dimension,
    claim_lines.claim_id,
    claim_lines.line_number
from {{ ref('fct_claim_line') }} as claim_lines
where claim_lines.{{ key }} = {{ unknown_key() }}
    and claim_lines.{{ id }} in (select {{ id }} from {{ ref(dimension) }})
{{ 'union all' if not loop.last }}
{% endfor %}
