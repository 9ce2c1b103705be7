-- What Almanac's `loader ddl` printed at revision 0003 of meta, and the tables that its build made.

CREATE SCHEMA IF NOT EXISTS meta;
CREATE SCHEMA IF NOT EXISTS stage;
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS mart;
BEGIN;

CREATE TABLE meta.alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

create sequence meta.file_id_seq start with 1 increment by 1;

create sequence meta.validation_id_seq start with 1 increment by 1;

create sequence meta.load_id_seq start with 1 increment by 1;

create sequence meta.audit_id_seq start with 1 increment by 1;

CREATE TABLE meta.ingestion_log (
    file_id BIGINT NOT NULL,
    dataset VARCHAR(63),
    data_period VARCHAR(16),
    file_name VARCHAR(255) NOT NULL,
    file_path VARCHAR(1024) NOT NULL,
    file_order VARCHAR(63),
    sha256 VARCHAR(64),
    size_bytes BIGINT,
    modified_at TIMESTAMP WITHOUT TIME ZONE,
    status VARCHAR(16) NOT NULL,
    message TEXT,
    contract_fingerprint VARCHAR(32),
    ingested_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    run_id VARCHAR(32) NOT NULL,
    PRIMARY KEY (file_id)
);

CREATE TABLE meta.validation_log (
    validation_id BIGINT NOT NULL,
    file_id BIGINT,
    gate VARCHAR(16) NOT NULL,
    table_name VARCHAR(63) NOT NULL,
    status VARCHAR(16) NOT NULL,
    checks INTEGER,
    failed INTEGER,
    rows_read BIGINT,
    rows_valid BIGINT,
    rows_rejected BIGINT,
    parquet_path VARCHAR(1024),
    parquet_sha256 VARCHAR(64),
    rejects_path VARCHAR(1024),
    summary TEXT,
    message TEXT,
    contract_fingerprint VARCHAR(32),
    validated_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    run_id VARCHAR(32) NOT NULL,
    PRIMARY KEY (validation_id)
);

CREATE TABLE meta.dataset_version (
    load_id BIGINT NOT NULL,
    dataset VARCHAR(63) NOT NULL,
    data_period VARCHAR(16) NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    version_no INTEGER NOT NULL,
    file_id BIGINT NOT NULL,
    parquet_path VARCHAR(1024) NOT NULL,
    parquet_sha256 VARCHAR(64) NOT NULL,
    contract_fingerprint VARCHAR(32) NOT NULL,
    row_count BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    loaded_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    state_changed_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (load_id)
);

CREATE TABLE meta.etl_audit (
    audit_id BIGINT NOT NULL,
    run_id VARCHAR(32) NOT NULL,
    step VARCHAR(32) NOT NULL,
    dataset VARCHAR(63),
    data_period VARCHAR(16),
    subject VARCHAR(1024),
    status VARCHAR(16) NOT NULL,
    started_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITHOUT TIME ZONE,
    duration_seconds FLOAT,
    rows_in BIGINT,
    rows_out BIGINT,
    error TEXT,
    host VARCHAR(255),
    pid INTEGER,
    PRIMARY KEY (audit_id)
);

INSERT INTO meta.alembic_version (version_num) VALUES ('0001') RETURNING meta.alembic_version.version_num;

-- Running upgrade 0001 -> 0002

ALTER TABLE meta.ingestion_log ADD COLUMN purged_at TIMESTAMP WITHOUT TIME ZONE;

UPDATE meta.alembic_version SET version_num='0002' WHERE meta.alembic_version.version_num = '0001';

-- Running upgrade 0002 -> 0003

CREATE TABLE meta.build_mark (
    mark_id INTEGER NOT NULL,
    token VARCHAR(32) NOT NULL,
    target VARCHAR(255),
    inputs TEXT,
    warnings TEXT,
    built_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (mark_id)
);

INSERT INTO meta.build_mark (mark_id, token) VALUES (1, 'none');

CREATE TABLE meta.gate_pass (
    layer VARCHAR(16) NOT NULL,
    table_name VARCHAR(127) NOT NULL,
    state VARCHAR(64) NOT NULL,
    passed_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (layer, table_name)
);

UPDATE meta.alembic_version SET version_num='0003' WHERE meta.alembic_version.version_num = '0002';

COMMIT;

CREATE TABLE stage.members (
    member_no VARCHAR(12),
    name VARCHAR(30),
    born DATE,
    fee NUMERIC(8, 2),
    rank VARCHAR(12),
    city VARCHAR(20),
    joined DATE,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);
CREATE TABLE stage.visits (
    house INTEGER,
    member_no VARCHAR(12),
    state VARCHAR(5),
    last_on DATE,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT,
    _loaded_at TIMESTAMP WITHOUT TIME ZONE,
    _source_file_id BIGINT,
    _source_row BIGINT
);

create table core.applied_load (
    consumer VARCHAR not null,
    dataset VARCHAR not null,
    data_period VARCHAR not null,
    load_id BIGINT not null,
    fingerprint VARCHAR not null
);
create table core.members (
    member_no VARCHAR,
    name VARCHAR,
    born DATE,
    fee DECIMAL(8,2),
    rank VARCHAR,
    city VARCHAR,
    joined DATE,
    dbt_scd_id VARCHAR,
    dbt_valid_from TIMESTAMP,
    dbt_valid_to TIMESTAMP
);
create table core.visits (
    house INTEGER,
    member_no VARCHAR,
    state VARCHAR,
    last_on DATE,
    dbt_scd_id VARCHAR,
    dbt_valid_from TIMESTAMP,
    dbt_valid_to TIMESTAMP
);
create table mart.agg_member (
    data_period VARCHAR,
    city VARCHAR,
    members BIGINT,
    fees DECIMAL(38,2)
);
create table mart.dim_member (
    member_no VARCHAR,
    name VARCHAR,
    born DATE,
    fee DECIMAL(8,2),
    rank VARCHAR,
    city VARCHAR,
    joined DATE,
    dbt_scd_id VARCHAR,
    dbt_valid_from TIMESTAMP,
    dbt_valid_to TIMESTAMP,
    member_key BIGINT
);
create table mart.fct_member (
    period_start DATE,
    data_period VARCHAR,
    member_no VARCHAR,
    name VARCHAR,
    born DATE,
    fee DECIMAL(8,2),
    rank VARCHAR,
    city VARCHAR,
    joined DATE
);
create table mart.fct_visit (
    period_start DATE,
    data_period VARCHAR,
    house INTEGER,
    member_no VARCHAR,
    state VARCHAR,
    last_on DATE
);

select max(nextval('meta.file_id_seq')) from range(6);
select max(nextval('meta.validation_id_seq')) from range(27);
select max(nextval('meta.load_id_seq')) from range(6);
select max(nextval('meta.audit_id_seq')) from range(39);
