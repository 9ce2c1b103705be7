{% snapshot citizens %}

select
    citizen_id,
    first_name,
    last_name,
    birth_date,
    gender,
    email,
    phone,
    street,
    house_number,
    postal_code,
    city,
    moved_in_on,
    _data_period,
    _load_id
from {{ source('stage', 'citizens') }}

{% endsnapshot %}
