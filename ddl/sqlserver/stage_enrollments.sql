-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.enrollments') is null
CREATE TABLE stage.enrollments (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    effective_date DATE NULL,
    termination_date DATE NULL,
    premium_amount NUMERIC(10, 2) NULL,
    subsidy_amount NUMERIC(10, 2) NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_enrollments_data_period' and object_id = object_id('stage.enrollments'))
CREATE CLUSTERED INDEX ix_enrollments_data_period ON stage.enrollments (_data_period);
GO

if object_id('stage.enrollments__incoming') is null
CREATE TABLE stage.enrollments__incoming (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    effective_date DATE NULL,
    termination_date DATE NULL,
    premium_amount NUMERIC(10, 2) NULL,
    subsidy_amount NUMERIC(10, 2) NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_enrollments__incoming_load_id' and object_id = object_id('stage.enrollments__incoming'))
CREATE CLUSTERED INDEX ix_enrollments__incoming_load_id ON stage.enrollments__incoming (_load_id);
GO

if object_id('stage.enrollments__unknown') is null
CREATE TABLE stage.enrollments__unknown (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_enrollments__unknown_data_period' and object_id = object_id('stage.enrollments__unknown'))
CREATE CLUSTERED INDEX ix_enrollments__unknown_data_period ON stage.enrollments__unknown (_data_period);
GO

if object_id('stage.enrollments__unknown__incoming') is null
CREATE TABLE stage.enrollments__unknown__incoming (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_enrollments__unknown__incoming_load_id' and object_id = object_id('stage.enrollments__unknown__incoming'))
CREATE CLUSTERED INDEX ix_enrollments__unknown__incoming_load_id ON stage.enrollments__unknown__incoming (_load_id);
GO
