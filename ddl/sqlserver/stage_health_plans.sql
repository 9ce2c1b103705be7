-- derived from datasets_config.yml by `loader derive`; do not edit
if schema_id('stage') is null exec('create schema stage');
GO

if object_id('stage.health_plans') is null
CREATE TABLE stage.health_plans (
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    issuer_id NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    issuer_name NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    plan_name NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
    metal_tier NVARCHAR(15) COLLATE Latin1_General_100_BIN2 NULL,
    actuarial_value NUMERIC(5, 4) NULL,
    network_type NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    deductible NUMERIC(12, 2) NULL,
    out_of_pocket_maximum NUMERIC(12, 2) NULL,
    premium_child NUMERIC(10, 2) NULL,
    premium_21 NUMERIC(10, 2) NULL,
    premium_30 NUMERIC(10, 2) NULL,
    premium_40 NUMERIC(10, 2) NULL,
    premium_50 NUMERIC(10, 2) NULL,
    premium_60 NUMERIC(10, 2) NULL,
    area_factor_1 NUMERIC(6, 4) NULL,
    area_factor_2 NUMERIC(6, 4) NULL,
    area_factor_3 NUMERIC(6, 4) NULL,
    area_factor_4 NUMERIC(6, 4) NULL,
    area_factor_5 NUMERIC(6, 4) NULL,
    area_factor_6 NUMERIC(6, 4) NULL,
    effective_date DATE NULL,
    termination_date DATE NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _loaded_at DATETIME2(6) NULL,
    _source_file_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_health_plans_data_period' and object_id = object_id('stage.health_plans'))
CREATE CLUSTERED INDEX ix_health_plans_data_period ON stage.health_plans (_data_period);
GO

if object_id('stage.health_plans__incoming') is null
CREATE TABLE stage.health_plans__incoming (
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    issuer_id NVARCHAR(5) COLLATE Latin1_General_100_BIN2 NULL,
    issuer_name NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    plan_name NVARCHAR(120) COLLATE Latin1_General_100_BIN2 NULL,
    metal_tier NVARCHAR(15) COLLATE Latin1_General_100_BIN2 NULL,
    actuarial_value NUMERIC(5, 4) NULL,
    network_type NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(2) COLLATE Latin1_General_100_BIN2 NULL,
    deductible NUMERIC(12, 2) NULL,
    out_of_pocket_maximum NUMERIC(12, 2) NULL,
    premium_child NUMERIC(10, 2) NULL,
    premium_21 NUMERIC(10, 2) NULL,
    premium_30 NUMERIC(10, 2) NULL,
    premium_40 NUMERIC(10, 2) NULL,
    premium_50 NUMERIC(10, 2) NULL,
    premium_60 NUMERIC(10, 2) NULL,
    area_factor_1 NUMERIC(6, 4) NULL,
    area_factor_2 NUMERIC(6, 4) NULL,
    area_factor_3 NUMERIC(6, 4) NULL,
    area_factor_4 NUMERIC(6, 4) NULL,
    area_factor_5 NUMERIC(6, 4) NULL,
    area_factor_6 NUMERIC(6, 4) NULL,
    effective_date DATE NULL,
    termination_date DATE NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_health_plans__incoming_load_id' and object_id = object_id('stage.health_plans__incoming'))
CREATE CLUSTERED INDEX ix_health_plans__incoming_load_id ON stage.health_plans__incoming (_load_id);
GO

if object_id('stage.health_plans__unknown') is null
CREATE TABLE stage.health_plans__unknown (
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    _data_period VARCHAR(7) NOT NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_health_plans__unknown_data_period' and object_id = object_id('stage.health_plans__unknown'))
CREATE CLUSTERED INDEX ix_health_plans__unknown_data_period ON stage.health_plans__unknown (_data_period);
GO

if object_id('stage.health_plans__unknown__incoming') is null
CREATE TABLE stage.health_plans__unknown__incoming (
    health_plan_id NVARCHAR(14) COLLATE Latin1_General_100_BIN2 NULL,
    _load_id BIGINT NULL,
    _source_row BIGINT NULL
);
GO

if not exists (select * from sys.indexes where name = 'ix_health_plans__unknown__incoming_load_id' and object_id = object_id('stage.health_plans__unknown__incoming'))
CREATE CLUSTERED INDEX ix_health_plans__unknown__incoming_load_id ON stage.health_plans__unknown__incoming (_load_id);
GO
