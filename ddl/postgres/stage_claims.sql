-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.claims (
    claim_id VARCHAR(14),
    line_number INTEGER,
    member_id VARCHAR(9),
    health_plan_id VARCHAR(14),
    provider_id VARCHAR(10),
    claim_type VARCHAR(13),
    service_date DATE,
    received_date DATE,
    place_of_service VARCHAR(2),
    diagnosis_code VARCHAR(8),
    procedure_code VARCHAR(5),
    units INTEGER,
    billed_amount NUMERIC(12, 2),
    allowed_amount NUMERIC(12, 2),
    paid_amount NUMERIC(12, 2),
    member_amount NUMERIC(12, 2),
    line_status VARCHAR(6),
    _data_period VARCHAR(10) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE INDEX IF NOT EXISTS ix_claims_data_period ON stage.claims (_data_period);
