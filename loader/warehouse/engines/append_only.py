"""What lets the roles of Almanac add rows to a table of `meta`, and change none; empty where there are no roles.

It holds whichever comes first, the table or the roles: a migration runs it and so does the script of the roles.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Dialect

_STATEMENTS = {
    # the owner too: what it takes from itself, only who wants to can give back
    "postgresql": """
do $$
begin
    if to_regclass('{table}') is not null and exists (select from pg_roles where rolname = 'almanac_loader') then
        revoke update, delete, truncate on {table} from almanac_loader, almanac_migration;{granted}
    end if;
end
$$""",
    # the owner of a table cannot be denied anything
    "mssql": """
if object_id('{table}') is not null and database_principal_id('almanac_loader') is not null
    deny update{fixed}, delete on {table} to almanac_loader""",
}
_GRANTED = """
        grant update{changing} on {table} to almanac_loader, almanac_migration;"""


def append_only(dialect: Dialect, table: str, changing: Sequence[str] = (), fixed: Sequence[str] = ()) -> list[str]:
    """The statements for a table, by schema and name.

    `changing` are the columns that may be changed in a row that is there, `fixed` all others; without, none may.
    SQL Server denies the fixed ones: there a denial of the whole table beside grants of columns is not to be relied on.
    """
    statement = _STATEMENTS.get(dialect.name)
    if statement is None:
        return []
    words = {"table": table, "fixed": _columns(fixed), "changing": _columns(changing)}
    granted = _GRANTED.format(**words) if changing else ""
    return [statement.format(**words, granted=granted).strip()]


def _columns(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
