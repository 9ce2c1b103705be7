"""From a file to its cleaned rows: read, check, write; the same for a load and for a plan.

Everything here works on one batch at a time, so that memory does not grow with the file.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive import SOURCE_ROW, cleaned_schema, copy_without, key_schema, parquet_file, rows_in, unknown_beside
from loader.contracts import Contract, Period, plain_header
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.table import Batch, CellKind, Remark, Table, Tally
from loader.text import plural
from loader.validation.checks import Checked, check_batch
from loader.validation.conversion import tidy
from loader.validation.duplicates import STANDS, repeated_keys, rows_of
from loader.validation.fill_down import FillDown
from loader.validation.header import lacking, match_header, refuse_uncalculated
from loader.validation.rejects import Rejected
from loader.validation.rejects_csv import Reject, list_up_to, rejects_file
from loader.validation.rules import UNIQUE_KEY, duplicate_of, rule_of
from loader.validation.unknown_keys import UnknownKeys

_THREADS = min(os.cpu_count() or 1, 4)
"""Batches that are checked at a time: Arrow works without Python's lock, memory grows with each."""


@dataclass
class Outcome:
    """What validation found in one delivery."""

    rows_read: int = 0
    rows_rejected: int = 0
    rows_dropped: int = 0
    """Rows for which another row with their key stands."""
    summary: Counter[str] = field(default_factory=Counter)
    """Invalid cells by `column: rule`."""
    notes: Counter[str] = field(default_factory=Counter)
    """What is told of the delivery beside its rejected rows, and how often: remarks by their name."""
    unknown_keys: int = 0
    """Keys that only rejected rows have, where the contract has them unknown."""
    unreadable_keys: int = 0
    """Rejected rows whose key cannot be read: above 0, the delivery is incomplete."""
    dates: dict[str, Counter[CellKind]] = field(default_factory=dict)
    """By column of dates in a workbook how many of its cells are dates, and how many are texts."""

    @property
    def rows_valid(self) -> int:
        """Rows that went to the parquet file."""
        return self.rows_read - self.rows_rejected - self.rows_dropped

    @property
    def rows_listed(self) -> int:
        """Rows that the rejects list."""
        return self.rows_rejected + self.rows_dropped

    @property
    def mixed_dates(self) -> list[str]:
        """What is to be said of columns in which some dates are date cells and others are texts."""
        return [
            f"{column} has {counts[CellKind.DATE]:,} date cells and {counts[CellKind.TEXT]:,} of text"
            for column, counts in self.dates.items()
            if counts[CellKind.DATE] and counts[CellKind.TEXT]
        ]

    def join(self, later: Outcome) -> None:
        """Add what was found in later rows."""
        self.rows_read += later.rows_read
        self.rows_rejected += later.rows_rejected
        self.unreadable_keys += later.unreadable_keys
        self.summary += later.summary
        self.notes += later.notes

    @property
    def noted(self) -> str:
        """The remarks in a line; empty when there is none."""
        return ", ".join(f"{note} ({count:,})" for note, count in self.notes.most_common())


def clean_delivery(
    path: Path,
    contract: Contract,
    period: Period,
    parquet: Path,
    rejects: Path,
    outcome: Outcome,
    on_rows: Callable[[int], None] = lambda _: None,
    table: Table | None = None,
) -> Rejected:
    """Read `path`, write the valid rows to `parquet` and the invalid cells to `rejects`; counts go to `outcome`.

    `parquet` holds the contract's columns in their order and `_source_row` (the row in the file, from 1). Keys that
    only rejected rows have go to a file beside it, if there are any.
    `on_rows` is told the number of rows read so far; `table` is the file when it is open already. Returns the rejected
    rows as they were delivered.

    Raises:
        RefusedError: the file cannot be read, or its header does not match.
    """
    table = table or open_table(path, contract.format, contract.names(period))
    positions = match_header(path.name, table.header, contract, period)
    refuse_uncalculated(path.name, table, positions)
    rejected = Rejected(table.header, positions)
    try:
        with UnknownKeys(contract, unknown_beside(parquet)) as unknown:
            with rejects_file(rejects) as reject, parquet_file(parquet, cleaned_schema(contract)) as write:
                for column in lacking(contract, period, positions):
                    reject(contract.format.last_header_row, column, "", Remark.ABSENT)
                    outcome.notes[f"{column}: {Remark.ABSENT}"] += 1
                data = _Data(path, outcome, rejected, table, reject, unknown)
                check = partial(
                    check_batch, positions=positions, contract=contract, period=period, day_zero=table.day_zero
                )
                for batch, checked in _checked(table.batches, FillDown(contract, positions), check):
                    data.add(batch, checked)
                    _count_dates(batch, positions, contract, outcome)
                    write(checked.rows)
                    on_rows(data.rows_read)
            ends_at = data.end()
            if ends_at is not None:
                table.tally.totals = _leave_out(ends_at, data, parquet, rejects)
            pa.default_memory_pool().release_unused()  # what follows is DuckDB's, which cannot use it
            unknown.add(_leave_out_repeated(contract, parquet, rejects, outcome, rejected))
            outcome.unknown_keys = unknown.settle(parquet, ends_at)
        _refuse_lost_rows(path, table.tally, outcome, rows_in(parquet))
    finally:
        if not (outcome.rows_listed or outcome.notes):
            rejects.unlink(missing_ok=True)
    return rejected


def _refuse_lost_rows(path: Path, tally: Tally, outcome: Outcome, rows_valid: int) -> None:
    """Each row below the header is valid, rejected, dropped, or one of those that the reader leaves out."""
    left_out = tally.blank + tally.headers + tally.totals + tally.skipped
    found = rows_valid + outcome.rows_listed + left_out
    if (found, rows_valid) != (tally.rows, outcome.rows_valid):
        raise RefusedError(
            f"{path.name}: it has {tally.rows:,} rows below its header, and {found:,} were valid, rejected, dropped or "
            "left out. That is a fault of Almanac, nothing was loaded; please report it"
        )


class _Data:
    """Counts and lists rows batch by batch, those below a totals row apart until a valid one follows.

    A row that fits `totals` ends the data only if no row below it is valid.
    """

    def __init__(
        self,
        path: Path,
        outcome: Outcome,
        rejected: Rejected,
        table: Table,
        reject: Reject,
        unknown: UnknownKeys,
    ) -> None:
        self._path, self._table, self._reject, self._unknown = path, table, reject, unknown
        self._outcome, self._rejected = outcome, rejected
        self._totals: list[int] = []
        """The rows that fit `totals` and below which no row was valid so far."""
        self.tail = Outcome()
        self._tail_rejected = self._none_rejected()
        self._refusal: RefusedError | None = None

    @property
    def rows_read(self) -> int:
        """Rows so far, whatever they are."""
        return self._outcome.rows_read + self.tail.rows_read

    def add(self, batch: Batch, checked: Checked) -> None:
        """Take the next batch."""
        if batch.totals or self._totals:
            last_valid = pc.max(checked.rows[SOURCE_ROW]).as_py()
            if last_valid is not None:
                self._end_tail([row for row in batch.totals if row < last_valid])
            self._totals += [row for row in batch.totals if last_valid is None or row >= last_valid]
        if not self._totals:
            self._take(batch, checked, self._outcome, self._rejected)
            return
        first = self._totals[0]
        above, below = batch.before(first), batch.since(first)
        part = checked.where(lambda rows: pc.less(rows, first))
        self._take(above, part, self._outcome, self._rejected)
        part = checked.where(lambda rows: pc.greater_equal(rows, first))
        try:
            self._take(below, part, self.tail, self._tail_rejected)
        except RefusedError as error:
            self._refusal = error

    def end(self) -> int | None:
        """The totals row that ends the data."""
        return self._totals[0] if self._totals else None

    def note_end(self) -> None:
        """Tell that the data ended at a totals row."""
        self._outcome.notes[Remark.TOTALS] += 1
        if self.tail.rows_read > 1:
            self._outcome.notes[Remark.BELOW] += self.tail.rows_read - 1

    def _end_tail(self, more: Sequence[int]) -> None:
        """Rows that seemed to be below the data are data."""
        if self._refusal is not None:
            raise self._refusal
        for row in [*self._totals, *more]:
            self._reject(row, "", "", Remark.NO_TOTALS)
            self._outcome.notes[Remark.NO_TOTALS] += 1
        self._totals = []
        self._outcome.join(self.tail)
        self._rejected.join(self._tail_rejected)
        self.tail, self._tail_rejected = Outcome(), self._none_rejected()

    def _none_rejected(self) -> Rejected:
        return Rejected(self._rejected.header, self._rejected.positions)

    def _take(self, batch: Batch, checked: Checked, outcome: Outcome, rejected: Rejected) -> None:
        _refuse_headless_values(self._path, batch, self._table)
        for row in batch.misshapen:
            self._reject(row.source_row, "", row.shown, rule_of(row))
            outcome.summary[f"row: {rule_of(row)}"] += 1
        for noted in batch.noted:
            self._reject(noted.source_row, "", noted.text, noted.what)
            outcome.notes[noted.what] += 1
        rejected.add(batch, checked.invalid)
        for found in checked.invalid:
            if not found.is_first:
                continue
            outcome.summary[f"{found.column or 'row'}: {found.rule}"] += len(found.source_rows)
            for at, cell in zip(found.source_rows, found.cells, strict=True):
                self._reject(at, found.column, cell, found.rule)
        outcome.rows_read += len(batch.source_rows) + len(batch.misshapen)
        outcome.rows_rejected += checked.rejected + len(batch.misshapen)
        self._unknown.add(checked.rejected_keys)
        if self._unknown.are_kept:
            outcome.unreadable_keys += len(checked.unreadable) + len(batch.misshapen)


def _leave_out(totals: int, data: _Data, parquet: Path, rejects: Path) -> int:
    """Leave out the totals row and what is below it; returns the number of rows."""
    if data.tail.rows_valid:
        copy_without(parquet, parquet, lambda rows: pc.greater_equal(rows[SOURCE_ROW], totals))
    list_up_to(rejects, totals - 1)
    with rejects_file(rejects, append=True) as reject:
        reject(totals, "", "", Remark.TOTALS)
    data.note_end()
    return data.tail.rows_read


def _checked(
    batches: Iterator[Batch], fill: Callable[[Batch], Batch], check: Callable[[Batch], Checked]
) -> Iterator[tuple[Batch, Checked]]:
    """The batches in their order, each with what was found in it.

    They are filled one after the other, and checked on several cores, a few at a time.
    """
    waiting: deque[tuple[Batch, Future[Checked]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for batch in batches:
            waiting.append((batch, pool.submit(check, fill(batch))))
            if len(waiting) > _THREADS:
                first, found = waiting.popleft()
                yield first, found.result()
        for later, found in waiting:
            yield later, found.result()


def _count_dates(batch: Batch, positions: dict[str, int], contract: Contract, outcome: Outcome) -> None:
    for column in contract.columns:
        cells = batch.column(positions[column.name]) if column.name in positions else None
        if cells is not None and cells.kinds is not None and column.type.name in ("date", "timestamp"):
            counts = outcome.dates.setdefault(column.name, Counter())
            for kind in (CellKind.DATE, CellKind.TEXT):
                counts[kind] += pc.sum(cells.is_a(kind)).as_py() or 0


def _refuse_headless_values(path: Path, batch: Batch, table: Table) -> None:
    headless = [at for at in range(len(batch.cells)) if at >= len(table.header) or not plain_header(table.header[at])]
    for at in headless:
        filled = pc.is_valid(tidy(batch.cells[at]))
        if pc.any(filled).as_py():
            row = batch.source_rows[pc.index(filled, True).as_py()]
            raise RefusedError(
                f"{path.name}, row {row}: {table.place(at)} has values but no header; name it or empty it"
            )


def _leave_out_repeated(
    contract: Contract, parquet: Path, rejects: Path, outcome: Outcome, rejected: Rejected
) -> pa.Table:
    """Of rows that share their key take the one that the contract names, or none; returns the keys that go so."""
    left_out = repeated_keys(contract, parquet)
    refused = left_out.filter(pc.is_null(left_out[STANDS]))
    if left_out.num_rows:
        rejected.add_repeated(contract.key, left_out)
        name = "+".join(contract.key)
        with rejects_file(rejects, append=True) as reject:
            for row, stands, key in rows_of(left_out):
                rule = UNIQUE_KEY if stands is None else duplicate_of(stands)
                reject(row, name, "+".join(map(str, key)), rule)
        outcome.rows_rejected += refused.num_rows
        outcome.rows_dropped += left_out.num_rows - refused.num_rows
        if refused.num_rows:
            outcome.summary[f"{name}: {UNIQUE_KEY}"] += refused.num_rows
        rows = left_out[SOURCE_ROW].combine_chunks()
        copy_without(parquet, parquet, lambda table: pc.is_in(table[SOURCE_ROW], rows))
    return refused.select([*contract.key, SOURCE_ROW]).cast(key_schema(contract))


def judge_rows(path: Path, contract: Contract, outcome: Outcome, rejects: str) -> None:
    """Raise RefusedError when a delivery has more invalid rows than its contract allows, or one without a key."""
    if outcome.unreadable_keys and contract.unreadable_keys == "refuse":
        raise RefusedError(
            f"{path.name}: the key of {plural(outcome.unreadable_keys, 'rejected row')} cannot be read, so nobody can "
            f"tell which keys have ended, and the contract says 'unreadable_keys: refuse'. Every bad cell is listed in "
            f"{rejects}"
        )
    rule = contract.invalid_rows
    share = outcome.rows_rejected / outcome.rows_read if outcome.rows_read else 0.0
    allowed = rule.max_share if rule.action == "reject_rows" else 0.0
    if share <= allowed:
        return
    worst = "; ".join(f"{what} ({count:,})" for what, count in outcome.summary.most_common(3))
    limit = f"at most {allowed:.1%} is allowed" if allowed else "none is allowed"
    raise RefusedError(
        f"{path.name}: {outcome.rows_rejected:,} of {outcome.rows_read:,} rows are invalid ({share:.1%}; {limit}): "
        f"{worst}. Every bad cell is listed in {rejects}"
    )
