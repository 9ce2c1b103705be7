{{ config(indexes=unique_index(['date_key'])) }}

with known_days as (

    select
        min(period_start) as first_start,
        max(period_end) as last_end
    from {{ source('meta', 'dataset_version') }}
    where {{ is_active() }}
    {% for days in parts_of('dim_date') %}
    union all
    {{ days() }}
    {% endfor %}

),

delivered as (

    select
        coalesce(min(first_start), {{ timestamp_literal('2000-01-01') }}) as first_start,
        coalesce(max(last_end), {{ timestamp_literal('2000-01-01') }}) as last_end
    from known_days

),

calendar as (

    select
        cast({{ dbt.dateadd('year', -1, dbt.date_trunc('year', 'first_start')) }} as date) as first_day,
        cast(
            {{ dbt.dateadd('day', -1, dbt.dateadd('year', 2, dbt.date_trunc('year', 'last_end'))) }} as date
        ) as last_day
    from delivered

),

days as (

    {{ day_series('calendar') }}

),

numbered as (

    select
        date_day,
        {{ date_part('year', 'date_day') }} as calendar_year,
        {{ date_part('quarter', 'date_day') }} as quarter_of_year,
        {{ date_part('month', 'date_day') }} as month_of_year,
        {{ date_part('day', 'date_day') }} as day_of_month,
        {{ date_part('isoyear', 'date_day') }} as iso_year,
        {{ date_part('week', 'date_day') }} as iso_week,
        {{ date_part('isodow', 'date_day') }} as iso_weekday,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start
    from days

),

known as (

    select
        cast(calendar_year * 10000 + month_of_year * 100 + day_of_month as bigint) as date_key,
        date_day,
        calendar_year,
        quarter_of_year,
        month_of_year,
        case month_of_year
            when 1 then 'January'
            when 2 then 'February'
            when 3 then 'March'
            when 4 then 'April'
            when 5 then 'May'
            when 6 then 'June'
            when 7 then 'July'
            when 8 then 'August'
            when 9 then 'September'
            when 10 then 'October'
            when 11 then 'November'
            when 12 then 'December'
        end as month_name,
        day_of_month,
        iso_year,
        iso_week,
        iso_weekday,
        case iso_weekday
            when 1 then 'Monday'
            when 2 then 'Tuesday'
            when 3 then 'Wednesday'
            when 4 then 'Thursday'
            when 5 then 'Friday'
            when 6 then 'Saturday'
            when 7 then 'Sunday'
        end as weekday_name,
        month_start,
        {{ fiscal_columns() }}
        cast(0 as {{ dbt.type_boolean() }}) as is_unknown
    from numbered
    {{ join_fiscal_days('numbered') }}

),

-- The day before the calendar stands for "no date": the column stays filled, unique and without gaps, which Power BI
-- asks of a date table.
unknown as (

    select
        {{ unknown_key() }} as date_key,
        cast({{ dbt.dateadd('day', -1, 'first_day') }} as date) as date_day,
        cast(null as integer) as calendar_year,
        cast(null as integer) as quarter_of_year,
        cast(null as integer) as month_of_year,
        'Unknown' as month_name,
        cast(null as integer) as day_of_month,
        cast(null as integer) as iso_year,
        cast(null as integer) as iso_week,
        cast(null as integer) as iso_weekday,
        'Unknown' as weekday_name,
        cast(null as date) as month_start,
        {{ fiscal_columns(unknown=true) }}
        cast(1 as {{ dbt.type_boolean() }}) as is_unknown
    from calendar

)

select * from known
union all
select * from unknown
