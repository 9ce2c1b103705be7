-- The accounts of Almanac on SQL Server: four database roles that hold the rights, and nothing more than they need.
--
-- Run it in the database of the target (sqlcmd -d almanac -i roles.sql), as a member of db_owner. Run it before the
-- first `loader migrate`, or at any time later; again changes nothing.
--
-- Logins and users are yours to make. Put each user into its role:
--
--     create login etl with password = '...';               -- in master; or: create login [DOMAIN\etl] from windows
--     create user etl for login etl;                      -- in the database
--     create user [etl@example.org] from external provider;      -- Microsoft Entra: this in place of both
--     alter role almanac_loader add member etl;
--
-- What a member makes in a schema belongs to the owner of the schema, which is a role.
--
-- A purge ends with rewriting tables and the free room of the files, which only db_owner may do: purge by such an
-- account, or run this too, after which migration may do everything in the database:
--
--     alter role db_owner add member almanac_migration;

set xact_abort on;
begin transaction;

if database_principal_id('almanac_loader') is null create role almanac_loader;
if database_principal_id('almanac_dbt') is null create role almanac_dbt;
if database_principal_id('almanac_reader') is null create role almanac_reader;
if database_principal_id('almanac_migration') is null create role almanac_migration;

-- 1. Schemas with their owners, and the ledger that a purge marks. What is in a schema follows its owner; a change of
-- owner drops the rights on it, hence the order.

if schema_id('meta') is null exec('create schema meta authorization almanac_migration');
if schema_id('stage') is null exec('create schema stage authorization almanac_migration');
if schema_id('core') is null exec('create schema core authorization almanac_dbt');
if schema_id('mart') is null exec('create schema mart authorization almanac_dbt');

if (select principal_id from sys.schemas where name = 'meta') <> database_principal_id('almanac_migration')
    exec('alter authorization on schema::meta to almanac_migration');
if (select principal_id from sys.schemas where name = 'stage') <> database_principal_id('almanac_migration')
    exec('alter authorization on schema::stage to almanac_migration');
if (select principal_id from sys.schemas where name = 'core') <> database_principal_id('almanac_dbt')
    exec('alter authorization on schema::core to almanac_dbt');
if (select principal_id from sys.schemas where name = 'mart') <> database_principal_id('almanac_dbt')
    exec('alter authorization on schema::mart to almanac_dbt');

if object_id('core.applied_load') is null
    {{ ledger }};

-- 2. What each may do, with what is there and with what will be made

grant select, insert, update, delete on schema::meta to almanac_loader;
grant select, insert, update, delete on schema::stage to almanac_loader;
grant select on schema::core to almanac_loader;

-- what happened to each load stays written; a migration does the same when it makes the table later
{{ append_only }};

grant create table, create view to almanac_dbt;
grant view definition to almanac_dbt; -- before it drops a table, dbt-sqlserver asks what depends on it
grant select on sys.sql_expression_dependencies to almanac_dbt;
grant select on schema::meta to almanac_dbt;
grant select on schema::stage to almanac_dbt;

grant select on schema::mart to almanac_reader;
alter role almanac_reader add member almanac_loader;
alter role almanac_reader add member almanac_migration;

grant create table to almanac_migration;
grant view definition to almanac_migration; -- before a column is widened, it asks which views are bound to it
grant select on sys.sql_expression_dependencies to almanac_migration;
grant select, delete on schema::core to almanac_migration; -- delete: for `loader reset`
grant delete on schema::mart to almanac_migration;
grant update on core.applied_load to almanac_migration;

commit;
