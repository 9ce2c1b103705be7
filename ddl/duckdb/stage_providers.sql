-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.providers (
    provider_id VARCHAR(10),
    provider_name VARCHAR(120),
    provider_type VARCHAR(10),
    specialty VARCHAR(60),
    street VARCHAR(100),
    city VARCHAR(60),
    county VARCHAR(60),
    state VARCHAR(2),
    postal_code VARCHAR(5),
    network_status VARCHAR(14),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE TABLE IF NOT EXISTS stage.providers__unknown (
    provider_id VARCHAR(10),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _source_row BIGINT
);
