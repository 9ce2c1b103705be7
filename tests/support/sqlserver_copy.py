"""Makes one database of a SQL Server like another: from the catalog, since a backup needs a folder on the server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

Rows = list[tuple[Any, ...]]
_OWN = "('dbo', 'guest', 'sys', 'INFORMATION_SCHEMA')"

_TABLES = "select TABLE_SCHEMA, TABLE_NAME from INFORMATION_SCHEMA.TABLES where TABLE_TYPE = 'BASE TABLE'"
_COLUMNS = """
    select TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION,
        NUMERIC_SCALE, DATETIME_PRECISION, COLLATION_NAME, IS_NULLABLE
    from INFORMATION_SCHEMA.COLUMNS order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
_INDEXES = """
    select i.object_id, i.index_id, object_schema_name(i.object_id), object_name(i.object_id), i.name, i.type_desc,
        i.is_unique, i.is_primary_key
    from sys.indexes as i where i.name is not null
"""
_PARTS = """
    select k.object_id, k.index_id, col_name(k.object_id, k.column_id), k.is_included_column, k.is_descending_key
    from sys.index_columns as k order by k.object_id, k.index_id, k.key_ordinal, k.index_column_id
"""
_SEQUENCES = "select sequence_schema, sequence_name, data_type from information_schema.sequences"
_VIEWS = "select object_definition(v.object_id) from sys.views as v where v.is_ms_shipped = 0 order by v.create_date"


def copy_database(read: Callable[[str], Rows], write: Callable[[str], Any], source: str, target: str) -> None:
    """Schemas, tables with their rows, keys and indexes, sequences and views; `target` is empty.

    `read` asks the one database, `write` changes the other.
    """
    for (name,) in read(f"select name from sys.schemas where name not in {_OWN} and name not like 'db[_]%'"):
        write(f"create schema [{name}]")
    columns, parts = _grouped(read(_COLUMNS)), _grouped(read(_PARTS))
    tables = [tuple(row) for row in read(_TABLES)]
    for place in tables:
        schema, table = place
        write(f"create table [{schema}].[{table}] ({', '.join(_column(*column) for column in columns[place])})")
        names = ", ".join(f"[{column[0]}]" for column in columns[place])
        write(f"insert into [{schema}].[{table}] ({names}) select {names} from [{source}].[{schema}].[{table}]")
    for index in read(_INDEXES):
        if index[2:4] in tables:
            write(_index(*index[2:], parts[index[:2]]))
    for schema, name, kind in read(_SEQUENCES):
        ((following,),) = read(f"select next value for [{schema}].[{name}]")
        read(f"alter sequence [{schema}].[{name}] restart with {following}")
        write(f"create sequence [{schema}].[{name}] as {kind} start with {following} increment by 1")
    for (definition,) in read(_VIEWS):
        write(str(definition).replace(source, target))


def _grouped(rows: Rows) -> dict[tuple[Any, ...], Rows]:
    """The rows by their first two cells."""
    found: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        found[row[:2]].append(row[2:])
    return found


def _column(
    name: str, kind: str, length: int | None, precision: int, scale: int, moment: int, collation: str | None, null: str
) -> str:
    size: Any = "max" if length == -1 else length
    if kind in ("decimal", "numeric"):
        size = f"{precision}, {scale}"
    elif kind == "datetime2":
        size = moment
    words = [f"[{name}]", kind if size is None else f"{kind}({size})"]
    words += [f"collate {collation}"] if collation else []
    return " ".join([*words, "null" if null == "YES" else "not null"])


def _index(schema: str, table: str, name: str, kind: str, unique: bool, primary: bool, parts: Rows) -> str:
    place = f"[{schema}].[{table}]"
    keys = ", ".join(f"[{column}]{' desc' if falling else ''}" for column, beside, falling in parts if not beside)
    if primary:
        return f"alter table {place} add constraint [{name}] primary key {kind} ({keys})"
    if "COLUMNSTORE" in kind:
        return f"create {kind} index [{name}] on {place}"
    beside = ", ".join(f"[{column}]" for column, is_beside, _ in parts if is_beside)
    included = f" include ({beside})" if beside else ""
    return f"create {'unique ' if unique else ''}{kind} index [{name}] on {place} ({keys}){included}"
