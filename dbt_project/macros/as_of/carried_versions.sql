{#-
    The versions of a history that were in force in an applied period without being staged there: _data_period,
    the columns of the history, and _is_unknown, 1 where the load says nothing of the key. Only periods in which keys may be
    unknown are looked at: elsewhere a key that is not staged has ended.
-#}
{% macro carried_versions(history, staged) %}
    {%- set about = history_in(history) if execute else {'schema': 'stage', 'dataset': 'dataset'} -%}
    {%- set key = quoted(about.key) if execute else ['key'] -%}
    select
        periods.data_period as _data_period,
        versions.*,
        case when periods.is_incomplete = 1 or named._load_id is not null then 1 else 0 end as _is_unknown
    from (
        select
            applied.data_period,
            applied.load_id,
            loads.period_start,
            case when {{ is_incomplete('loads') }} then 1 else 0 end as is_incomplete
        from {{ ledger() }} as applied
        inner join {{ dataset_version() }} as loads
            on applied.load_id = loads.load_id and {{ is_active('loads') }} and {{ has_unknown('loads') }}
        where applied.consumer = '{{ name_of(history) }}'
    ) as periods
    inner join {{ history }} as versions
        on periods.period_start >= versions.dbt_valid_from
        and (versions.dbt_valid_to is null or periods.period_start < versions.dbt_valid_to)
    left join {{ staged }} as staged
        on periods.data_period = staged._data_period
        and periods.load_id = staged._load_id
        {% for column in key %}
        and versions.{{ column }} = staged.{{ column }}
        {% endfor %}
    left join {{ unknown_keys_of(about) }} as named
        on periods.data_period = named._data_period
        and periods.load_id = named._load_id
        {% for column in key %}
        and versions.{{ column }} = named.{{ column }}
        {% endfor %}
    where staged._load_id is null
{% endmacro %}
