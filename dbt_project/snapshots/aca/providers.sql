{% snapshot providers %}

select
    provider_id,
    provider_name,
    provider_type,
    specialty,
    street,
    city,
    county,
    state,
    postal_code,
    network_status,
    _data_period,
    _load_id
from {{ source('stage', 'providers') }}

{% endsnapshot %}
