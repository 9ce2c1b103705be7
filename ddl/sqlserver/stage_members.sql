-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.members') is null
CREATE TABLE stage.members (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    first_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    last_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    birth_date DATE NULL,
    gender NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    email NVARCHAR(254) COLLATE Latin1_General_100_BIN2 NULL,
    phone NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    county NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    rating_area INTEGER NULL,
    tobacco_use NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_members_data_period' and object_id = object_id('stage.members'))
CREATE CLUSTERED INDEX ix_members_data_period ON stage.members (_data_period);
GO

if object_id('stage.members__incoming') is null
CREATE TABLE stage.members__incoming (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    first_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    last_name NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    birth_date DATE NULL,
    gender NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    email NVARCHAR(254) COLLATE Latin1_General_100_BIN2 NULL,
    phone NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    street NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    city NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    county NVARCHAR(60) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    postal_code NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    rating_area INTEGER NULL,
    tobacco_use NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_members__incoming_load_id' and object_id = object_id('stage.members__incoming'))
CREATE CLUSTERED INDEX ix_members__incoming_load_id ON stage.members__incoming (_load_id);
GO

if object_id('stage.members__unknown') is null
CREATE TABLE stage.members__unknown (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_members__unknown_data_period' and object_id = object_id('stage.members__unknown'))
CREATE CLUSTERED INDEX ix_members__unknown_data_period ON stage.members__unknown (_data_period);
GO

if object_id('stage.members__unknown__incoming') is null
CREATE TABLE stage.members__unknown__incoming (
    member_id NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_members__unknown__incoming_load_id' and object_id = object_id('stage.members__unknown__incoming'))
CREATE CLUSTERED INDEX ix_members__unknown__incoming_load_id ON stage.members__unknown__incoming (_load_id);
GO
