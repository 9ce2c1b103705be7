-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.citizens (
    citizen_id VARCHAR(9),
    first_name VARCHAR(60),
    last_name VARCHAR(60),
    birth_date DATE,
    gender VARCHAR(1),
    email VARCHAR(254),
    phone VARCHAR(16),
    street VARCHAR(100),
    house_number VARCHAR(10),
    postal_code VARCHAR(5),
    city VARCHAR(60),
    moved_in_on DATE,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE TABLE IF NOT EXISTS stage.citizens__unknown (
    citizen_id VARCHAR(9),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _source_row BIGINT
);
