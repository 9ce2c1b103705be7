"""What one delivery changes, computed from the archive: parquet files against parquet files, on any engine.

The state of a period is what is in force in it. Of a full dataset: the rows of its delivery, and the last row of each
key that is unknown in it and in all deliveries since that row. Of a delta dataset: the last row of each key up to it,
without the keys that have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loader.archive.parquet import filled_columns
from loader.computing import in_memory
from loader.contracts import Contract, Period
from loader.text import MASK, sql_text

if TYPE_CHECKING:
    import duckdb

EXAMPLES = 3


@dataclass(frozen=True)
class Delivery:
    """A delivery by its files."""

    period: Period
    rows: Path
    unknown: Path | None = None
    """Its unknown keys; None when there are none."""
    is_incomplete: bool = False
    """Whether keys that it does not state are unknown."""

    @property
    def has_unknown(self) -> bool:
        """Whether what is in force after it hangs on those before it."""
        return self.is_incomplete or self.unknown is not None


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


def needed(contract: Contract, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    """Those of the deliveries, in the order of their periods, on which the state after the last of them hangs."""
    if contract.kind == "delta":
        return deliveries
    complete = [at for at, delivery in enumerate(deliveries) if not delivery.has_unknown]
    return deliveries[complete[-1] :] if complete else deliveries


def difference(
    contract: Contract, before: Sequence[Delivery], after: Sequence[Delivery], *, examples: bool = True
) -> Difference:
    """Compare two states, each given by the `needed` deliveries in the order of their periods.

    `changed` counts keys of which a tracked column differs; a change in untracked columns alone counts as unchanged,
    and so does one in a column that the delivery of one of both rows could not have, or that is optional and lacking.
    """
    with in_memory(2 * len(contract.columns)) as connection:
        lacked = _state(connection, "before_rows", contract, before)
        lacking = _state(connection, "after_rows", contract, after)
        key = ", ".join(f'"{name}"' for name in contract.key)
        values = [column.name for column in contract.columns if column.name not in contract.key]
        differs = {name: _differs(name, lacked.get(name, ()), lacking.get(name, ())) for name in values}
        tracked = " or ".join(differs[name] for name in contract.tracked) or "false"
        counts = ", ".join(f"count(*) filter (where b._present and a._present and {differs[n]})" for n in values)
        joined = f"""
            from (select *, true as _present from before_rows) as b
            full join (select *, true as _present from after_rows) as a using ({key})
        """
        row = connection.execute(
            f"""
            select
                count(b._present),
                count(*) filter (where b._present is null),
                count(*) filter (where a._present is null),
                count(*) filter (where b._present and a._present and ({tracked}))
                {"," if counts else ""} {counts}
            {joined}
            """
        ).fetchall()[0]
        known, new, ended, changed = row[:4]
        by_column = {name: count for name, count in zip(values, row[4:], strict=True) if count}
        shown = {name: _examples(connection, contract, name, joined, differs[name]) for name in by_column if examples}
    return Difference(known, new, ended, changed, known - ended - changed, by_column, shown)


def _differs(name: str, before: Sequence[int], after: Sequence[int]) -> str:
    """In SQL: whether a column differs; between rows of deliveries of which one could not have it, it does not."""
    could = "".join(
        f" and {side}._delivery not in ({', '.join(map(str, lacking))})"
        for side, lacking in (("b", before), ("a", after))
        if lacking
    )
    return f'(b."{name}" is distinct from a."{name}"{could})'


def _state(
    connection: duckdb.DuckDBPyConnection, name: str, contract: Contract, deliveries: Sequence[Delivery]
) -> dict[str, list[int]]:
    """A view of the rows in force after the last of the deliveries, each with the number of its delivery.

    Returns by column the numbers of the deliveries that could not have it, or lack it as an optional one.
    """
    columns = ", ".join(f'"{column.name}"' for column in contract.columns)
    if not deliveries:
        empty = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in contract.columns)
        connection.execute(f"create temp view {name} as select {empty}, 0 as _delivery where false")
        return {}
    lacking: dict[str, list[int]] = {}
    parts = []
    for number, delivery in enumerate(deliveries):
        source, filled = _parquet(delivery.rows), filled_columns(delivery.rows)
        found = {row[0] for row in connection.execute(f"describe select * from {source}").fetchall()}
        # an older file may have an older type
        cells = ", ".join(
            f"cast({quoted if c.name in filled else 'null'} as {c.type}) as {quoted}"
            for c in contract.columns
            for quoted in [f'"{c.name}"']
        )
        parts.append(f"select {number} as _delivery, {cells} from {source}")
        could_have = found & contract.headers(delivery.period).keys()
        for column in contract.columns:
            if column.name not in could_have or (column.optional and column.name not in filled):
                lacking.setdefault(column.name, []).append(number)
    if contract.kind == "delta":
        lives = "true"
        if contract.ends_by is not None:
            marker, ended = contract.ends_by.column, sql_text(contract.ends_by.value)
            lives = f'cast("{marker}" as varchar) is distinct from {ended}'
        query = f"""
            with latest as ({_latest(contract, parts)})
            select {columns}, _delivery from latest where {lives}
        """
    elif len(parts) == 1:
        query = parts[0]
    else:
        query = _with_carried(contract, parts, deliveries)
    connection.execute(f"create temp view {name} as {query}")
    return lacking


def _with_carried(contract: Contract, parts: list[str], deliveries: Sequence[Delivery]) -> str:
    """In SQL: the rows of the last delivery, and of each key that is unknown in it its last row, if it is in force.

    It is, when the key is unknown in every delivery after that row.
    """
    key = ", ".join(f'"{part}"' for part in contract.key)
    last = len(deliveries) - 1
    *earlier, newest = parts
    if not deliveries[last].is_incomplete:
        asked = f"semi join {_parquet(deliveries[last].unknown)} using ({key})"
        earlier = [f"select * from ({part}) as rows_of_delivery {asked}" for part in earlier]
    named = [
        f"select {key}, {number} as _delivery from {_parquet(delivery.unknown)}"
        for number, delivery in enumerate(deliveries)
        if delivery.unknown is not None and not delivery.is_incomplete
    ]
    unnamed = [str(number) for number, delivery in enumerate(deliveries) if delivery.is_incomplete]
    incomplete_since = f"len(list_filter([{', '.join(unnamed)}]::integer[], lambda number: number > latest._delivery))"
    same = " and ".join(f'named."{part}" = latest."{part}"' for part in contract.key)
    nothing = f"select {key}, 0 as _delivery from latest where false"
    return f"""
        with latest as ({_latest(contract, [*earlier, newest])}),
        named as ({" union all ".join(named) or nothing})
        select latest.* from latest
        where {last} - latest._delivery = {incomplete_since}
            + (select count(*) from named where {same} and named._delivery > latest._delivery)
    """


def _latest(contract: Contract, parts: Sequence[str]) -> str:
    key = ", ".join(f'"{part}"' for part in contract.key)
    newest = f"row_number() over (partition by {key} order by _delivery desc) = 1"
    return f"select * from ({' union all '.join(parts)}) qualify {newest}"


def _parquet(path: Path | None) -> str:
    return f"read_parquet({sql_text(str(path))})"


def _examples(
    connection: duckdb.DuckDBPyConnection, contract: Contract, name: str, joined: str, differs: str
) -> list[tuple[str, str, str]]:
    key = ", ".join(f'"{part}"' for part in contract.key)
    rows = connection.execute(
        f'select {key}, b."{name}", a."{name}" {joined} where b._present and a._present and {differs} '
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
