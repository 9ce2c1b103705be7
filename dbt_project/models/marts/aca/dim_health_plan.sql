{{ config(indexes=unique_index(['health_plan_key'])) }}

with known as (

    select
        {{ surrogate_key(['health_plan_id', timestamp_text('dbt_valid_from')]) }} as health_plan_key,
        health_plan_id,
        issuer_id,
        issuer_name,
        plan_name,
        metal_tier,
        actuarial_value,
        network_type,
        state,
        deductible,
        out_of_pocket_maximum,
        premium_child,
        premium_21,
        premium_30,
        premium_40,
        premium_50,
        premium_60,
        area_factor_1,
        area_factor_2,
        area_factor_3,
        area_factor_4,
        area_factor_5,
        area_factor_6,
        effective_date,
        termination_date,
        {{ validity() }}
    from {{ ref('health_plans') }}

),

unknown as (

    select
        {{ unknown_key() }} as health_plan_key,
        'unknown' as health_plan_id,
        cast(null as varchar(5)) as issuer_id,
        'Unknown' as issuer_name,
        'Unknown' as plan_name,
        'Unknown' as metal_tier,
        cast(null as decimal(5, 4)) as actuarial_value,
        cast(null as varchar(3)) as network_type,
        cast(null as varchar(2)) as state,
        cast(null as decimal(12, 2)) as deductible,
        cast(null as decimal(12, 2)) as out_of_pocket_maximum,
        cast(null as decimal(10, 2)) as premium_child,
        cast(null as decimal(10, 2)) as premium_21,
        cast(null as decimal(10, 2)) as premium_30,
        cast(null as decimal(10, 2)) as premium_40,
        cast(null as decimal(10, 2)) as premium_50,
        cast(null as decimal(10, 2)) as premium_60,
        cast(null as decimal(6, 4)) as area_factor_1,
        cast(null as decimal(6, 4)) as area_factor_2,
        cast(null as decimal(6, 4)) as area_factor_3,
        cast(null as decimal(6, 4)) as area_factor_4,
        cast(null as decimal(6, 4)) as area_factor_5,
        cast(null as decimal(6, 4)) as area_factor_6,
        cast(null as date) as effective_date,
        cast(null as date) as termination_date,
        {{ always_valid() }}

)

select * from known
union all
select * from unknown
