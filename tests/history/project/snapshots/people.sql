{% snapshot people %}
select person, name, size, born, note, _data_period, _load_id
from {{ source('stage', 'people') }}
{% endsnapshot %}
