"""What one delivery changes, computed from the archive: parquet files against parquet files, on any engine.

The state of a period is what is in force in it: of a full dataset the rows of its delivery, of a delta dataset the
last row of each key up to it, without the keys that have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loader.archive.parquet import filled_columns
from loader.archive.query import in_memory
from loader.contracts import Contract
from loader.text import MASK, sql_text

if TYPE_CHECKING:
    import duckdb

EXAMPLES = 3


@dataclass(frozen=True)
class Difference:
    """Counts of keys, and how often each column changed (tracked and untracked), with a few examples."""

    before: int
    new: int
    ended: int
    changed: int
    unchanged: int
    changed_by_column: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By column: (key, value before, value after); personal values are masked."""


def difference(
    contract: Contract, before: Sequence[Path], after: Sequence[Path], *, examples: bool = True
) -> Difference:
    """Compare two states, each given by its parquet files in the order of their periods.

    `changed` counts keys of which a tracked column differs; a change in untracked columns alone counts as unchanged.
    """
    with in_memory(2 * len(contract.columns)) as connection:
        _state(connection, "before_rows", contract, before)
        _state(connection, "after_rows", contract, after)
        key = ", ".join(f'"{name}"' for name in contract.key)
        values = [column.name for column in contract.columns if column.name not in contract.key]
        differs = {name: f'b."{name}" is distinct from a."{name}"' for name in values}
        tracked = " or ".join(differs[name] for name in contract.tracked) or "false"
        counts = ", ".join(f"count(*) filter (where b.present and a.present and {differs[n]})" for n in values)
        joined = f"""
            from (select *, true as present from before_rows) as b
            full join (select *, true as present from after_rows) as a using ({key})
        """
        row = connection.execute(
            f"""
            select
                count(b.present),
                count(*) filter (where b.present is null),
                count(*) filter (where a.present is null),
                count(*) filter (where b.present and a.present and ({tracked}))
                {"," if counts else ""} {counts}
            {joined}
            """
        ).fetchall()[0]
        known, new, ended, changed = row[:4]
        by_column = {name: count for name, count in zip(values, row[4:], strict=True) if count}
        shown = {name: _examples(connection, contract, name, joined, differs[name]) for name in by_column if examples}
    return Difference(known, new, ended, changed, known - ended - changed, by_column, shown)


def _state(connection: duckdb.DuckDBPyConnection, name: str, contract: Contract, files: Sequence[Path]) -> None:
    """A view of the rows in force after the last of `files`."""
    columns = ", ".join(f'"{column.name}"' for column in contract.columns)
    if not files:
        empty = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in contract.columns)
        connection.execute(f"create view {name} as select {empty} where false")
        return
    wanted = {column.name: str(column.type) for column in contract.columns}
    parts = []
    for number, path in enumerate(files):
        source, found = f"read_parquet({sql_text(str(path))})", filled_columns(path)
        # an older file may have an older type
        values = {name: f'"{name}"' if name in found else "null" for name in wanted}
        cells = ", ".join(f'cast({values[name]} as {type_}) as "{name}"' for name, type_ in wanted.items())
        parts.append(f"select {number} as delivery, {cells} from {source}")
    rows = " union all ".join(parts)
    if contract.end_marker is None:
        connection.execute(f"create view {name} as select {columns} from ({rows})")
        return
    key = ", ".join(f'"{part}"' for part in contract.key)
    marker, ended = contract.end_marker.column, sql_text(contract.end_marker.value)
    connection.execute(
        f"""
        create view {name} as
        with latest as (
            select * from ({rows}) qualify row_number() over (partition by {key} order by delivery desc) = 1
        )
        select {columns} from latest where cast("{marker}" as varchar) is distinct from {ended}
        """
    )


def _examples(
    connection: duckdb.DuckDBPyConnection, contract: Contract, name: str, joined: str, differs: str
) -> list[tuple[str, str, str]]:
    key = ", ".join(f'"{part}"' for part in contract.key)
    rows = connection.execute(
        f'select {key}, b."{name}", a."{name}" {joined} where b.present and a.present and {differs} '
        f"order by {key} limit {EXAMPLES}"
    ).fetchall()
    masked_key = any(contract.column(part).personal for part in contract.key)
    masked = contract.column(name).personal

    def shown(value: object) -> str:
        return "(none)" if value is None else MASK if masked else str(value)

    return [
        (MASK if masked_key else "+".join(str(part) for part in row[:-2]), shown(row[-2]), shown(row[-1]))
        for row in rows
    ]
