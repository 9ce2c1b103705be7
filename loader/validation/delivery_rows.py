"""The rows of a delivery, counted and listed: where they end, and which of them are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from loader.archive.parquet import SOURCE_ROW
from loader.contracts import plain_header
from loader.errors import RefusedError
from loader.readers.table import Batch, Remark, Table
from loader.validation.checks import Checked
from loader.validation.outcome import Outcome
from loader.validation.rejects import Rejected
from loader.validation.rejects_csv import Reject
from loader.validation.rules import rule_of
from loader.validation.texts import tidy
from loader.validation.unknown_keys import UnknownKeys


class DeliveryRows:
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
            what = f"{found.column or 'row'}: {found.rule}"
            outcome.summary[what] += len(found.source_rows)
            if what not in outcome.examples:
                outcome.examples.update((what, cell) for cell in found.cells[:1] if cell is not None)
            for at, cell in zip(found.source_rows, found.cells, strict=True):
                self._reject(at, found.column, cell, found.rule)
        outcome.rows_read += len(batch.source_rows) + len(batch.misshapen)
        outcome.rows_rejected += checked.rejected + len(batch.misshapen)
        self._unknown.add(checked.rejected_keys)
        if self._unknown.are_kept:
            outcome.unreadable_keys += len(checked.unreadable) + len(batch.misshapen)


def _refuse_headless_values(path: Path, batch: Batch, table: Table) -> None:
    headless = [at for at in range(len(batch.cells)) if at >= len(table.header) or not plain_header(table.header[at])]
    for at in headless:
        filled = pc.is_valid(tidy(batch.cells[at]))
        if pc.any(filled).as_py():
            row = batch.source_rows[pc.index(filled, True).as_py()]
            raise RefusedError(
                f"{path.name}, row {row}: {table.place(at)} has values but no header; name it or empty it"
            )
