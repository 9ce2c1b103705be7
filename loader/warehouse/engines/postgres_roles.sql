-- The accounts of Almanac on PostgreSQL: four roles that hold the rights, and nothing more than they need.
--
-- Run it in the database of the target (psql --dbname almanac --file roles.sql), as a superuser or as the owner of the
-- database who may create roles. Run it before the first `loader migrate`, or at any time later; again changes nothing.
--
-- Logins are yours to make. Put each into its role, and let it work as that role, so that what it makes belongs there:
--
--     create role etl login in role almanac_loader;       -- then, in psql: \password etl
--     alter role etl set role = 'almanac_loader';
--
-- A reader needs the first line only. Roles belong to the server: a login has its rights in each database in which this
-- was run.

begin;

do $$
declare
    name text;
begin
    foreach name in array array['almanac_loader', 'almanac_dbt', 'almanac_reader', 'almanac_migration'] loop
        if not exists (select 1 from pg_roles where rolname = name) then
            execute format('create role %I', name);
        end if;
        -- whoever is no superuser hands things to roles of its own only
        if not pg_has_role(name, 'usage') then
            execute format('grant %I to %I', name, current_user);
        end if;
    end loop;
    execute format(
        'grant connect, temporary on database %I to almanac_loader, almanac_dbt, almanac_migration', current_database()
    );
    execute format('grant connect on database %I to almanac_reader', current_database());
    -- before PostgreSQL 15 everybody could make tables in public
    if exists (
        select 1 from pg_namespace where nspname = 'public' and has_schema_privilege('almanac_loader', oid, 'create')
    ) then
        revoke create on schema public from public;
    end if;
end
$$;

-- 1. Schemas, the ledger that a purge marks, and the owners of all that is there

create schema if not exists meta;
create schema if not exists stage;
create schema if not exists core;
create schema if not exists mart;

do $$
declare
    thing record;
begin
    if to_regclass('core.applied_load') is null then
        {{ ledger }};
    end if;
    for thing in
        select
            schemas.nspname as schema,
            case when schemas.nspname in ('meta', 'stage') then 'almanac_migration' else 'almanac_dbt' end as owner
        from pg_namespace as schemas
        where schemas.nspname in ('meta', 'stage', 'core', 'mart')
    loop
        execute format('alter schema %I owner to %I', thing.schema, thing.owner);
    end loop;
    for thing in
        select
            case things.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view'
                else 'table' end as kind,
            schemas.nspname as schema,
            things.relname as name,
            pg_get_userbyid(schemas.nspowner) as owner
        from pg_class as things
        inner join pg_namespace as schemas on things.relnamespace = schemas.oid
        where schemas.nspname in ('meta', 'stage', 'core', 'mart')
            and things.relkind in ('r', 'p', 'v', 'm', 'S')
            and things.relowner <> schemas.nspowner
            -- the sequence of a column follows its table
            and not exists (
                select 1 from pg_depend
                where objid = things.oid and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
            )
    loop
        execute format('alter %s %I.%I owner to %I', thing.kind, thing.schema, thing.name, thing.owner);
    end loop;
end
$$;

-- 2. What is there

grant usage on schema meta, stage to almanac_loader, almanac_dbt;
grant usage on schema core to almanac_loader, almanac_migration;
grant usage on schema mart to almanac_reader;

grant select, insert, update, delete on all tables in schema meta, stage to almanac_loader;
grant usage on all sequences in schema meta to almanac_loader;
grant select on all tables in schema meta, stage to almanac_dbt;
grant select on all tables in schema core to almanac_loader, almanac_migration;
grant update on core.applied_load to almanac_migration;
grant select on all tables in schema mart to almanac_reader;
grant almanac_reader to almanac_loader, almanac_migration;

-- 3. What dbt and `loader migrate` will make

alter default privileges for role almanac_migration in schema meta, stage
grant select, insert, update, delete on tables to almanac_loader;
alter default privileges for role almanac_migration in schema meta
grant usage on sequences to almanac_loader;
alter default privileges for role almanac_migration in schema meta, stage
grant select on tables to almanac_dbt;
alter default privileges for role almanac_dbt in schema core
grant select on tables to almanac_loader, almanac_migration;
alter default privileges for role almanac_dbt in schema mart
grant select on tables to almanac_reader;

-- 4. What happened to each load stays written: rows are added, and none is changed. A migration does the same when it makes
-- the table later.

{{ append_only }};

-- 5. `loader reset` empties histories and facts as their owner, whose rights migration has only then. A purge ends with
-- `vacuum full` of them; before PostgreSQL 17 none but their owner may do that.

do $$
begin
    if current_setting('server_version_num')::int >= 170000 then
        execute 'grant almanac_dbt to almanac_migration with inherit false, set true';
        execute 'grant maintain on all tables in schema core, mart to almanac_migration';
        execute 'alter default privileges for role almanac_dbt in schema core, mart '
            'grant maintain on tables to almanac_migration';
    else
        grant almanac_dbt to almanac_migration;
    end if;
end
$$;

commit;
