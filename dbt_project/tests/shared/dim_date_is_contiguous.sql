-- Days whose predecessor is missing: Power BI needs a calendar without gaps.
with days as (

    select
        date_day,
        lag(date_day) over (order by date_day) as day_before
    from {{ ref('dim_date') }}

)

select *
from days
where day_before <> {{ dbt.dateadd('day', -1, 'date_day') }}
