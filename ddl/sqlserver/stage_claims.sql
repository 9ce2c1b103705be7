-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.claims') is null
CREATE TABLE stage.claims (
    claim_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    line_number INTEGER NULL,
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    claim_type NVARCHAR(13) COLLATE Latin1_General_100_BIN2 NULL,
    service_date DATE NULL,
    received_date DATE NULL,
    place_of_service NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    diagnosis_code NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NULL,
    procedure_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    units INTEGER NULL,
    billed_amount NUMERIC(12, 2) NULL,
    allowed_amount NUMERIC(12, 2) NULL,
    paid_amount NUMERIC(12, 2) NULL,
    member_amount NUMERIC(12, 2) NULL,
    line_status NVARCHAR(6) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(10) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_claims_data_period' and object_id = object_id('stage.claims'))
CREATE CLUSTERED INDEX ix_claims_data_period ON stage.claims (_data_period);
GO

if object_id('stage.claims__incoming') is null
CREATE TABLE stage.claims__incoming (
    claim_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    line_number INTEGER NULL,
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    claim_type NVARCHAR(13) COLLATE Latin1_General_100_BIN2 NULL,
    service_date DATE NULL,
    received_date DATE NULL,
    place_of_service NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    diagnosis_code NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NULL,
    procedure_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    units INTEGER NULL,
    billed_amount NUMERIC(12, 2) NULL,
    allowed_amount NUMERIC(12, 2) NULL,
    paid_amount NUMERIC(12, 2) NULL,
    member_amount NUMERIC(12, 2) NULL,
    line_status NVARCHAR(6) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_claims__incoming_load_id' and object_id = object_id('stage.claims__incoming'))
CREATE CLUSTERED INDEX ix_claims__incoming_load_id ON stage.claims__incoming (_load_id);
GO
