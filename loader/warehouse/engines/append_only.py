"""What lets the roles of Almanac add rows to a table of `meta`, and change none; empty where there are no roles.

It holds whichever comes first, the table or the roles: a migration runs it and so does the script of the roles.
"""

from __future__ import annotations

from sqlalchemy import Dialect

_STATEMENTS = {
    # the owner too: what it takes from itself, only who wants to can give back
    "postgresql": """
do $$
begin
    if to_regclass('{table}') is not null and exists (select from pg_roles where rolname = 'almanac_loader') then
        revoke update, delete, truncate on {table} from almanac_loader, almanac_migration;
    end if;
end
$$""",
    # the owner of a table cannot be denied anything
    "mssql": """
if object_id('{table}') is not null and database_principal_id('almanac_loader') is not null
    deny update, delete on {table} to almanac_loader""",
}


def append_only(dialect: Dialect, table: str) -> list[str]:
    """The statements for a table, by schema and name."""
    statement = _STATEMENTS.get(dialect.name)
    return [statement.format(table=table).strip()] if statement else []
