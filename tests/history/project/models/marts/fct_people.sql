{{ config(materialized='incremental', incremental_strategy='period_replace') }}

select
    periods.period_start,
    periods.data_period,
    history.person,
    history.name,
    history.size,
    history.born,
    history.note
from {{ delivered_periods(ref('people')) }} as periods
inner join {{ ref('people') }} as history
    on periods.period_start >= history.dbt_valid_from
    and (history.dbt_valid_to is null or periods.period_start < history.dbt_valid_to)
{% if is_incremental() %}
where periods.period_start >= {{ first_stale_period() }}
{% endif %}
