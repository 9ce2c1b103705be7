{{ config(materialized='incremental', incremental_strategy='period_replace', as_columnstore=true) }}

with periods as (

    select
        *,
        cast({{ dbt.dateadd('day', -1, 'period_end') }} as date) as last_day
    from {{ delivered_periods(ref('citizens')) }} as periods
    {% if is_incremental() %}
    where period_start >= {{ first_stale_period() }}
    {% endif %}

),

-- Keys are hashed once for a version, not once for each of its periods.
versions as (

    select
        {{ surrogate_key(['citizen_id', timestamp_text('dbt_valid_from')]) }} as citizen_key,
        {{ geography_key('postal_code', 'city') }} as geography_key,
        citizen_id,
        birth_date,
        dbt_valid_from,
        dbt_valid_to
    from {{ ref('citizens') }}

),

residents as (

    select
        versions.citizen_key,
        versions.geography_key,
        periods.period_start,
        periods.data_period,
        versions.citizen_id,
        {{ age_in_years('versions.birth_date', 'periods.last_day') }} as age_years
    from periods
    inner join versions
        on periods.period_start >= versions.dbt_valid_from
        and (versions.dbt_valid_to is null or periods.period_start < versions.dbt_valid_to)

)

select
    citizen_key,
    geography_key,
    period_start,
    data_period,
    citizen_id,
    age_years,
    {{ age_band('age_years', age_bands()) }} as age_band,
    1 as citizen_count
from residents
