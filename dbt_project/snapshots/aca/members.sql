{% snapshot members %}

select
    member_id,
    first_name,
    last_name,
    birth_date,
    gender,
    email,
    phone,
    street,
    city,
    county,
    state,
    postal_code,
    rating_area,
    tobacco_use,
    _data_period,
    _load_id
from {{ source('stage', 'members') }}

{% endsnapshot %}
