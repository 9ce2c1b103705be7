-- The database on a new SQL Server; may run as often as you like.
if db_id(N'almanac') is null
    create database almanac;
go

-- Who reads sees the last committed rows, and waits for no load and no build.
if exists (select 1 from sys.databases where name = N'almanac' and is_read_committed_snapshot_on = 0)
    alter database almanac set read_committed_snapshot on with rollback immediate;
go
