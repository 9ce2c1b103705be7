-- Who lived in which city on a day: `dbt show --select citizens_as_of`.
select
    city,
    count(*) as citizens
from {{ as_of(ref('citizens'), "cast('2025-03-31' as date)") }} as citizens
group by city
order by citizens desc
