{% snapshot enrollments %}

select
    member_id,
    health_plan_id,
    effective_date,
    termination_date,
    premium_amount,
    subsidy_amount,
    _data_period,
    _load_id
from {{ source('stage', 'enrollments') }}

{% endsnapshot %}
