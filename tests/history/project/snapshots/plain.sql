{% snapshot plain %}
select person, name from {{ source('stage', 'plain') }}
{% endsnapshot %}
