-- Service days on which the number of claim lines, or an amount, is not that of the staged drops: of each line its
-- last row, unless that is void. Worked out from stage alone. While a drop waits for its build there is nothing to
-- compare; the next build does.
with active as (

    select
        data_period,
        period_start,
        load_id
    from {{ dataset_version() }}
    where dataset = 'claims' and {{ is_active() }}

),

applied as (

    select load_id
    from {{ ledger() }}
    where consumer = '{{ name_of(ref('claims')) }}'

),

drops as (

    select
        active.data_period,
        active.period_start,
        active.load_id,
        applied.load_id as applied_load_id
    from active
    full join applied on active.load_id = applied.load_id

),

waiting as (

    select count(*) as drop_count
    from drops
    where load_id is null or applied_load_id is null

),

stated as (

    select
        staged.*,
        1 as claim_line_count,
        row_number() over (
            partition by staged.claim_id, staged.line_number order by drops.period_start desc
        ) as newest_first
    from {{ source('stage', 'claims') }} as staged
    inner join drops on staged._data_period = drops.data_period and staged._load_id = drops.load_id

),

staged_days as (

    select
        service_date,
        {{ claim_totals() }}
    from stated
    where newest_first = 1 and line_status <> 'Void'
    group by service_date

),

fact_days as (

    select
        service_date,
        {{ claim_totals() }}
    from {{ ref('fct_claim_line') }}
    group by service_date

),

compared as (

    select
        coalesce(staged_days.service_date, fact_days.service_date) as service_date,
        {% for total in claim_measures() %}
        staged_days.{{ total }} as staged_{{ total }},
        fact_days.{{ total }} as fact_{{ total }},
        {% endfor %}
        case
            when {{ rows_differ(claim_measures(), 'staged_days', 'fact_days') }} then 1
            else 0
        end as differs
    from staged_days
    full join fact_days on staged_days.service_date = fact_days.service_date

)

select compared.*
from compared
cross join waiting
where compared.differs = 1 and waiting.drop_count = 0
