{% snapshot health_plans %}

select
    health_plan_id,
    issuer_id,
    issuer_name,
    plan_name,
    metal_tier,
    actuarial_value,
    network_type,
    state,
    deductible,
    out_of_pocket_maximum,
    premium_child,
    premium_21,
    premium_30,
    premium_40,
    premium_50,
    premium_60,
    area_factor_1,
    area_factor_2,
    area_factor_3,
    area_factor_4,
    area_factor_5,
    area_factor_6,
    effective_date,
    termination_date,
    _data_period,
    _load_id
from {{ source('stage', 'health_plans') }}

{% endsnapshot %}
