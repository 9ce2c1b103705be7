"""The rejected and dropped rows of a delivery as they were delivered, and what is wrong with each; the first ones."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from loader.readers.table import Batch, Table
from loader.validation.checks import Invalid
from loader.validation.duplicates import STANDS, rows_of
from loader.validation.rules import UNIQUE_KEY, Kind, Rule, rule_of

MOST_ROWS = 10_000
"""Rejected rows that are kept; the CSV file of the rejects lists all of them."""


@dataclass(frozen=True)
class Flaw:
    """One rule that a row breaks, in cells of `columns`; none when it is about the row as a whole."""

    columns: tuple[str, ...]
    rule: Rule
    rows: Sequence[int] = ()
    """All rows that share the key; of a row that was dropped the one that stands for it."""
    found: int | None = None
    """Cells of a row that has too few or too many."""


@dataclass
class Rejected:
    """The first `MOST_ROWS` rejected rows of a delivery, collected batch by batch, by their row in the file."""

    header: Sequence[str]
    positions: dict[str, int]
    """Where each column of the contract is in the file."""
    counts: Counter[tuple[tuple[str, ...], Rule]] = field(default_factory=Counter)
    """Of all rejected rows: how often each rule is broken, by columns and rule."""
    flaws: dict[int, list[Flaw]] = field(default_factory=lambda: defaultdict(list))
    _cells: dict[int, list[str | None]] = field(default_factory=dict)

    def add(self, batch: Batch, invalid: Iterable[Invalid]) -> None:
        """Take the rejected rows of the next batch."""
        found = [*invalid]
        for one in found:
            self.counts[_columns(one), one.rule] += len(one.source_rows)
        for row in batch.misshapen:
            self.counts[(), rule_of(row)] += 1
        room = MOST_ROWS - len(self._cells)
        if room <= 0:
            return
        bad = {row for one in found for row in one.source_rows} | {row.source_row for row in batch.misshapen}
        taken = set(heapq.nsmallest(room, bad))
        for one in found:
            for at in taken.intersection(one.source_rows):
                self.flaws[at].append(Flaw(_columns(one), one.rule))
        for row in batch.misshapen:
            if row.source_row in taken:
                self.flaws[row.source_row].append(Flaw((), rule_of(row), found=row.found))
                self._cells[row.source_row] = [*row.cells, *[None] * (row.expected - len(row.cells))]
        self._take(batch, taken)

    def join(self, later: Rejected) -> None:
        """Take the rejected rows of later batches, which were collected apart."""
        self.counts += later.counts
        for row in sorted(later.flaws)[: max(MOST_ROWS - len(self._cells), 0)]:
            self.flaws[row] += later.flaws[row]
            self._cells[row] = later._cells[row]

    def add_repeated(self, key: tuple[str, ...], found: pa.Table) -> None:
        """Take rows as `repeated_keys` gives them; their cells are looked up later."""
        refused = found.filter(pc.is_null(found[STANDS]))
        for rule, count in ((UNIQUE_KEY, refused.num_rows), (Rule(Kind.DUPLICATE), found.num_rows - refused.num_rows)):
            if count:
                self.counts[key, rule] += count
        first = [*rows_of(found.slice(0, MOST_ROWS))]
        with_key = {parts: array("q") for _, stands, parts in first if stands is None}
        for row, _, parts in rows_of(refused):
            if parts in with_key:
                with_key[parts].append(row)
        shared = {parts: Flaw(key, UNIQUE_KEY, rows=rows) for parts, rows in with_key.items()}
        for row, stands, parts in first:
            self.flaws[row].append(shared[parts] if stands is None else Flaw(key, Rule(Kind.DUPLICATE), rows=(stands,)))

    def look_up(self, reopen: Callable[[], Table]) -> Iterator[tuple[int, list[str | None], list[Flaw]]]:
        """Row, cells and flaws of the first rejected rows, in their order.

        `reopen` opens the delivery again, which is done only when rows share a key: that shows too late to have kept
        their cells.
        """
        rows = heapq.nsmallest(MOST_ROWS, self.flaws)
        missing = set(rows).difference(self._cells)
        for batch in reopen().batches if missing else ():
            self._take(batch, missing)
            missing.difference_update(self._cells)
            if not missing:
                break
        for row in rows:
            yield row, self._cells[row], self.flaws[row]

    def _take(self, batch: Batch, rows: set[int]) -> None:
        wanted = pc.is_in(batch.source_rows, pa.array(rows, pa.int64()))
        columns = [column.filter(wanted).to_pylist() for column in batch.cells[: len(self.header)]]
        for at, *cells in zip(batch.source_rows.filter(wanted).to_pylist(), *columns, strict=True):
            self._cells[at] = cells


def _columns(invalid: Invalid) -> tuple[str, ...]:
    return (invalid.column,) if invalid.column else ()
