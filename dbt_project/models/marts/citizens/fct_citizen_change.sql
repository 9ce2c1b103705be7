{{ config(materialized='incremental', incremental_strategy='period_replace', as_columnstore=true) }}

{% set history = ref('citizens') %}

with periods as (

    select *
    from {{ delivered_periods(history) }} as periods
    {% if is_incremental() %}
    where period_start >= {{ first_stale_period() }}
    {% endif %}

),

versions as (

    select
        *,
        {{ surrogate_key(['citizen_id', timestamp_text('dbt_valid_from')]) }} as citizen_key,
        {{ geography_key('postal_code', 'city') }} as geography_key,
        lag(dbt_valid_from) over (partition by citizen_id order by dbt_valid_from) as previous_valid_from,
        lead(dbt_valid_from) over (partition by citizen_id order by dbt_valid_from) as next_valid_from
    from {{ history }}

),

beginnings as (

    select
        newer.citizen_id,
        newer.dbt_valid_from as happened_at,
        case
            when older.citizen_id is null then 'arrived'
            when older.dbt_valid_to < newer.dbt_valid_from then 'returned'
            when {{ rows_differ(['street', 'house_number', 'postal_code', 'city'], 'newer', 'older') }} then 'moved'
            else 'other change'
        end as change_type,
        case
            when older.citizen_id is not null then {{ changed_columns(history, 'newer', 'older') }}
        end as changed_columns,
        newer.citizen_key,
        coalesce(older.citizen_key, {{ unknown_key() }}) as previous_citizen_key,
        newer.geography_key,
        coalesce(older.geography_key, {{ unknown_key() }}) as previous_geography_key
    from versions as newer
    left join versions as older
        on newer.citizen_id = older.citizen_id and newer.previous_valid_from = older.dbt_valid_from

),

departures as (

    select
        citizen_id,
        dbt_valid_to as happened_at,
        'left' as change_type,
        cast(null as varchar(4000)) as changed_columns,
        {{ unknown_key() }} as citizen_key,
        citizen_key as previous_citizen_key,
        {{ unknown_key() }} as geography_key,
        geography_key as previous_geography_key
    from versions
    where dbt_valid_to is not null and {{ is_distinct('dbt_valid_to', 'next_valid_from') }}

),

changes as (

    select * from beginnings
    union all
    select * from departures

)

select
    {{ surrogate_key(['changes.citizen_id', timestamp_text('changes.happened_at')]) }} as change_key,
    periods.period_start,
    periods.data_period,
    changes.citizen_id,
    changes.change_type,
    changes.changed_columns,
    changes.citizen_key,
    changes.previous_citizen_key,
    changes.geography_key,
    changes.previous_geography_key,
    1 as change_count
from changes
inner join periods on changes.happened_at = periods.period_start
