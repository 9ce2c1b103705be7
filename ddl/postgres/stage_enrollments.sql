-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.enrollments (
    member_id VARCHAR(9),
    health_plan_id VARCHAR(14),
    effective_date DATE,
    termination_date DATE,
    premium_amount NUMERIC(10, 2),
    subsidy_amount NUMERIC(10, 2),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE INDEX IF NOT EXISTS ix_enrollments_data_period ON stage.enrollments (_data_period);

CREATE TABLE IF NOT EXISTS stage.enrollments__unknown (
    member_id VARCHAR(9),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _source_row BIGINT
);

CREATE INDEX IF NOT EXISTS ix_enrollments__unknown_data_period ON stage.enrollments__unknown (_data_period);
