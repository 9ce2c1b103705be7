"""An index that lets a value stand once among some rows of a table, where the engine has one: DuckDB does not."""

from __future__ import annotations

from sqlalchemy import Dialect

_OPTIONS = "set ansi_nulls, ansi_padding, ansi_warnings, arithabort, concat_null_yields_null, quoted_identifier on"
"""What SQL Server asks of a session that makes an index of some rows, or changes its table.

Its ODBC driver sets them when it connects, and sqlcmd does not.
"""


def unique_where(dialect: Dialect, name: str, table_and_columns: str, where: str, *, is_script: bool) -> list[str]:
    """The statements that make it; `is_script` when another tool than the loader will execute them."""
    if dialect.name not in ("postgresql", "mssql"):
        return []
    options = [_OPTIONS] if is_script and dialect.name == "mssql" else []
    return [*options, f"create unique index {name} on {table_and_columns} where {where}"]
