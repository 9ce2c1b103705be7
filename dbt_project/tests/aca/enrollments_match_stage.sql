-- Months whose enrollments differ in number, premium or subsidy from the staged ones and those that are carried because
-- the month says nothing of them. A month that waits for its build is left out.
with carried as (

    {{ carried_versions(ref('enrollments'), source('stage', 'enrollments')) }}

),

enrolled as (

    select
        staged._data_period as data_period,
        staged.premium_amount,
        staged.subsidy_amount
    from {{ source('stage', 'enrollments') }} as staged
    inner join {{ ledger() }} as applied
        on staged._data_period = applied.data_period and staged._load_id = applied.load_id
    where applied.consumer = '{{ name_of(ref('enrollments')) }}'
    union all
    select
        _data_period as data_period,
        premium_amount,
        subsidy_amount
    from carried
    where _is_unknown = 1

),

staged as (

    select
        data_period,
        count(*) as member_months,
        sum(premium_amount) as premium_amount,
        sum(subsidy_amount) as subsidy_amount
    from enrolled
    group by data_period

),

facts as (

    select
        facts.data_period,
        sum(facts.member_months) as member_months,
        sum(facts.premium_amount) as premium_amount,
        sum(facts.subsidy_amount) as subsidy_amount
    from {{ ref('fct_enrollment') }} as facts
    inner join {{ delivered_periods(ref('enrollments')) }} as periods on facts.data_period = periods.data_period
    group by facts.data_period

)

select
    coalesce(staged.data_period, facts.data_period) as data_period,
    staged.member_months as staged_member_months,
    facts.member_months,
    staged.premium_amount as staged_premium_amount,
    facts.premium_amount,
    staged.subsidy_amount as staged_subsidy_amount,
    facts.subsidy_amount
from staged
full join facts on staged.data_period = facts.data_period
where {{ rows_differ(['member_months', 'premium_amount', 'subsidy_amount'], 'staged', 'facts') }}
