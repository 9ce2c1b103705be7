-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.citizens') is null
CREATE TABLE stage.citizens (
    citizen_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    first_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    last_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    birth_date DATE NULL,
    gender NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    email NVARCHAR(254) COLLATE Latin1_General_100_BIN2 NULL,
    phone NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    house_number NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    moved_in_on DATE NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_citizens_data_period' and object_id = object_id('stage.citizens'))
CREATE CLUSTERED INDEX ix_citizens_data_period ON stage.citizens (_data_period);
GO

if object_id('stage.citizens__incoming') is null
CREATE TABLE stage.citizens__incoming (
    citizen_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    first_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    last_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    birth_date DATE NULL,
    gender NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    email NVARCHAR(254) COLLATE Latin1_General_100_BIN2 NULL,
    phone NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    house_number NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    moved_in_on DATE NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_citizens__incoming_load_id' and object_id = object_id('stage.citizens__incoming'))
CREATE CLUSTERED INDEX ix_citizens__incoming_load_id ON stage.citizens__incoming (_load_id);
GO

if object_id('stage.citizens__unknown') is null
CREATE TABLE stage.citizens__unknown (
    citizen_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_citizens__unknown_data_period' and object_id = object_id('stage.citizens__unknown'))
CREATE CLUSTERED INDEX ix_citizens__unknown_data_period ON stage.citizens__unknown (_data_period);
GO

if object_id('stage.citizens__unknown__incoming') is null
CREATE TABLE stage.citizens__unknown__incoming (
    citizen_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_citizens__unknown__incoming_load_id' and object_id = object_id('stage.citizens__unknown__incoming'))
CREATE CLUSTERED INDEX ix_citizens__unknown__incoming_load_id ON stage.citizens__unknown__incoming (_load_id);
GO
