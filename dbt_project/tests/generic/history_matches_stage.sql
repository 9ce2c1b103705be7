{#-
    Periods of a full dataset whose staged rows and versions in force differ in number. A period that was loaded again
    after the history was built is left out: its turn comes with the next build.
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
        versions.period_start,
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

)

select
    periods.data_period,
    periods.staged_rows,
    coalesce(in_force.version_count, 0) as versions_in_force
from periods
left join in_force on periods.period_start = in_force.period_start
where periods.staged_rows <> coalesce(in_force.version_count, 0)

{% endtest %}
