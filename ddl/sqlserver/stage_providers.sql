-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.providers') is null
CREATE TABLE stage.providers (
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    provider_name NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
    provider_type NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    specialty NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    county NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    network_status NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_providers_data_period' and object_id = object_id('stage.providers'))
CREATE CLUSTERED INDEX ix_providers_data_period ON stage.providers (_data_period);
GO

if object_id('stage.providers__incoming') is null
CREATE TABLE stage.providers__incoming (
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    provider_name NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
    provider_type NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    specialty NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    county NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    network_status NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_providers__incoming_load_id' and object_id = object_id('stage.providers__incoming'))
CREATE CLUSTERED INDEX ix_providers__incoming_load_id ON stage.providers__incoming (_load_id);
GO

if object_id('stage.providers__unknown') is null
CREATE TABLE stage.providers__unknown (
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_providers__unknown_data_period' and object_id = object_id('stage.providers__unknown'))
CREATE CLUSTERED INDEX ix_providers__unknown_data_period ON stage.providers__unknown (_data_period);
GO

if object_id('stage.providers__unknown__incoming') is null
CREATE TABLE stage.providers__unknown__incoming (
    provider_id NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_providers__unknown__incoming_load_id' and object_id = object_id('stage.providers__unknown__incoming'))
CREATE CLUSTERED INDEX ix_providers__unknown__incoming_load_id ON stage.providers__unknown__incoming (_load_id);
GO
