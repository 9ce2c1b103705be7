-- derived from datasets_config.yml by `loader derive`; do not edit
create schema if not exists stage;

CREATE TABLE IF NOT EXISTS stage.members (
    member_id VARCHAR(9),
    first_name VARCHAR(60),
    last_name VARCHAR(60),
    birth_date DATE,
    gender VARCHAR(1),
    email VARCHAR(254),
    phone VARCHAR(16),
    street VARCHAR(100),
    city VARCHAR(60),
    county VARCHAR(60),
    state VARCHAR(2),
    postal_code VARCHAR(5),
    rating_area INTEGER,
    tobacco_use VARCHAR(1),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

CREATE INDEX IF NOT EXISTS ix_members_data_period ON stage.members (_data_period);

CREATE TABLE IF NOT EXISTS stage.members__unknown (
    member_id VARCHAR(9),
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _source_row BIGINT
);

CREATE INDEX IF NOT EXISTS ix_members__unknown_data_period ON stage.members__unknown (_data_period);
