-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.health_plans (
    health_plan_id VARCHAR(14),
    issuer_id VARCHAR(5),
    issuer_name VARCHAR(100),
    plan_name VARCHAR(120),
    metal_tier VARCHAR(15),
    actuarial_value NUMERIC(5, 4),
    network_type VARCHAR(3),
    state VARCHAR(2),
    deductible NUMERIC(12, 2),
    out_of_pocket_maximum NUMERIC(12, 2),
    premium_child NUMERIC(10, 2),
    premium_21 NUMERIC(10, 2),
    premium_30 NUMERIC(10, 2),
    premium_40 NUMERIC(10, 2),
    premium_50 NUMERIC(10, 2),
    premium_60 NUMERIC(10, 2),
    area_factor_1 NUMERIC(6, 4),
    area_factor_2 NUMERIC(6, 4),
    area_factor_3 NUMERIC(6, 4),
    area_factor_4 NUMERIC(6, 4),
    area_factor_5 NUMERIC(6, 4),
    area_factor_6 NUMERIC(6, 4),
    effective_date DATE,
    termination_date DATE,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE TABLE IF NOT EXISTS stage.health_plans__unknown (
    health_plan_id VARCHAR(14),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _source_row BIGINT
);
