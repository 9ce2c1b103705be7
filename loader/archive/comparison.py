"""Two readings of one delivery, compared value by value: parquet files of the archive, made by different rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loader.computing import in_memory
from loader.contracts import Contract
from loader.text import sql_text

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_MOMENTS = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Reading:
    """What was read of a delivery."""

    rows: Path
    unknown: Path | None = None
    """Its unknown keys; None when there are none."""
    unreadable: int = 0
    """Rejected rows whose key cannot be read: above 0, it is incomplete."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two readings, in numbers; a key stands once in each."""

    before: int
    """Rows of the earlier reading."""
    after: int
    """Rows of the later one."""
    missing: int
    """Keys of the earlier one that the later one has not."""
    new: int
    """The other way round."""
    changed: int
    """Keys of both of which a value differs."""
    changed_by_column: dict[str, int]
    """How often each column differs."""
    unknown: int
    """Keys that are unknown in one of them only."""
    was_incomplete: bool
    """Whether the earlier one left the keys unknown that it does not state."""
    is_incomplete: bool
    """Whether the later one does."""

    @property
    def is_equal(self) -> bool:
        """Whether both have the same values."""
        is_alike = self.was_incomplete == self.is_incomplete
        return is_alike and not (self.missing or self.new or self.changed or self.unknown)


def compare(contract: Contract, before: Reading, after: Reading) -> Comparison:
    """Compare two readings by key, in all columns that the contract has today; one that a file has not is NULL.

    Numbers are compared as numbers, also where a type was widened; values of different kinds by their text.
    """
    with in_memory(2 * len(contract.columns)) as connection:
        kinds = []
        for name, path in (("before_rows", before.rows), ("after_rows", after.rows)):
            connection.execute(f"create temp view {name} as select * from read_parquet({sql_text(str(path))})")
            kinds.append({row[0]: row[1] for row in connection.execute(f"describe {name}").fetchall()})
        pairs = {column.name: _pair(column.name, *kinds) for column in contract.columns}
        same_key = " and ".join(f"{was} = {now}" for was, now in (pairs[name] for name in contract.key))
        values = [name for name in pairs if name not in contract.key]
        both = "b._source_row is not null and a._source_row is not null"
        differs = {name: f"{pairs[name][0]} is distinct from {pairs[name][1]}" for name in values}
        counts = [
            "count(b._source_row)",
            "count(a._source_row)",
            "count(*) filter (where a._source_row is null)",
            "count(*) filter (where b._source_row is null)",
            f"count(*) filter (where {both} and ({' or '.join(differs.values()) or 'false'}))",
            *(f"count(*) filter (where {both} and {differs[name]})" for name in values),
        ]
        query = f"select {', '.join(counts)} from before_rows as b full join after_rows as a on {same_key}"
        row = connection.execute(query).fetchall()[0]
        unknown = [_keys(contract, reading.unknown) for reading in (before, after)]
        query = " union all ".join(f"(({one}) except ({other}))" for one, other in (unknown, unknown[::-1]))
        unknown_in_one = len(connection.execute(query).fetchall())
    by_column = {name: count for name, count in zip(values, row[5:], strict=True) if count}
    before_rows, after_rows, missing, new, changed = row[:5]
    incomplete = [reading.unreadable > 0 for reading in (before, after)]
    return Comparison(before_rows, after_rows, missing, new, changed, by_column, unknown_in_one, *incomplete)


def _keys(contract: Contract, unknown: Path | None) -> str:
    """The unknown keys of a reading in SQL, as text."""
    key = ", ".join(f'cast("{name}" as varchar) as "{name}"' for name in contract.key)
    nothing = ", ".join(f'null as "{name}"' for name in contract.key)
    if unknown is None:
        return f"select {key} from (select {nothing}) where false"
    return f"select {key} from read_parquet({sql_text(str(unknown))})"


def _pair(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, str]:
    """A column of both sides as SQL, in a form in which they can be compared."""
    was, now = (kinds.get(name) for kinds in (before, after))
    cells = [f'{side}."{name}"' if kind else "null" for side, kind in (("b", was), ("a", now))]
    if was and now and not _are_alike(was, now):
        cells = [f"cast({cell} as varchar)" for cell in cells]
    return cells[0], cells[1]


def _are_alike(one: str, other: str) -> bool:
    return one == other or any(one.startswith(kinds) and other.startswith(kinds) for kinds in (_NUMBERS, _MOMENTS))
