{#-
    Periods of a full dataset whose staged rows and versions in force differ in number, and keys that are in force where
    they are neither staged nor unknown, or staged and not in force, in the periods in which keys are unknown. A period
    that was loaded again after the history was built is left out: its turn comes with the next build.
-#}
{% test history_matches_stage(model, staged) %}

with staged_rows as (

    select
        _data_period as data_period,
        _load_id as load_id,
        count(*) as row_count
    from {{ staged }}
    group by _data_period, _load_id

),

periods as (

    select
        applied.data_period,
        applied.load_id,
        versions.period_start,
        case when {{ has_unknown('versions') }} then 1 else 0 end as has_unknown,
        coalesce(staged_rows.row_count, 0) as staged_rows
    from {{ ledger() }} as applied
    inner join {{ dataset_version() }} as versions
        on applied.load_id = versions.load_id and {{ is_active('versions') }}
    left join staged_rows
        on applied.data_period = staged_rows.data_period and applied.load_id = staged_rows.load_id
    where applied.consumer = '{{ name_of(model) }}'

),

in_force as (

    {{ versions_in_force(model, 'periods') }}

),

carried as (

    {{ carried_versions(model, staged) }}

),

carried_rows as (

    select
        _data_period,
        count(*) as row_count,
        sum(_is_unknown) as unknown_count
    from carried
    group by _data_period

)

select
    periods.data_period,
    periods.staged_rows,
    coalesce(carried_rows.row_count, 0) as carried_keys,
    coalesce(carried_rows.unknown_count, 0) as unknown_keys,
    coalesce(in_force.version_count, 0) as versions_in_force
from periods
left join in_force on periods.period_start = in_force.period_start
left join carried_rows on periods.data_period = carried_rows._data_period
where periods.staged_rows + coalesce(carried_rows.unknown_count, 0) <> coalesce(in_force.version_count, 0)
    or coalesce(carried_rows.row_count, 0) <> coalesce(carried_rows.unknown_count, 0)

{% endtest %}
