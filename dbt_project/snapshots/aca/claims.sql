{% snapshot claims %}

select
    claim_id,
    line_number,
    member_id,
    health_plan_id,
    provider_id,
    claim_type,
    service_date,
    received_date,
    place_of_service,
    diagnosis_code,
    procedure_code,
    units,
    billed_amount,
    allowed_amount,
    paid_amount,
    member_amount,
    line_status,
    _data_period,
    _load_id
from {{ source('stage', 'claims') }}

{% endsnapshot %}
