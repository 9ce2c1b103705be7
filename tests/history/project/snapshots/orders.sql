{% snapshot orders %}
select shop, number, state, price, note, _data_period, _load_id
from {{ source('stage', 'orders') }}
{% endsnapshot %}
