"""From a file to its cleaned rows: read, check, write; the same for a load and for a plan.

Everything here works on one batch at a time, so that memory does not grow with the file.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive import SOURCE_ROW, cleaned_schema, copy_without, parquet_file
from loader.archive.query import in_memory
from loader.contracts import Contract, Period
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.table import Batch, CellKind, Table
from loader.validation.checks import Checked, check_batch
from loader.validation.conversion import tidy
from loader.validation.fill_down import FillDown
from loader.validation.header import match_header, refuse_uncalculated
from loader.validation.rejects import Rejected
from loader.validation.rejects_csv import rejects_file
from loader.validation.rules import UNIQUE_KEY, cells_expected

_THREADS = min(os.cpu_count() or 1, 4)
"""Batches that are checked at a time: Arrow works without Python's lock, memory grows with each."""


@dataclass
class Outcome:
    """What validation found in one delivery."""

    rows_read: int = 0
    rows_rejected: int = 0
    summary: Counter[str] = field(default_factory=Counter)
    """Invalid cells by `column: rule`."""
    dates: dict[str, Counter[CellKind]] = field(default_factory=dict)
    """By column of dates how many of its cells are dates, and how many are texts."""

    @property
    def mixed_dates(self) -> list[str]:
        """What is to be said of columns in which some dates are date cells and others are texts."""
        return [
            f"{column} has {counts[CellKind.DATE]:,} date cells and {counts[CellKind.TEXT]:,} of text"
            for column, counts in self.dates.items()
            if counts[CellKind.DATE] and counts[CellKind.TEXT]
        ]

    @property
    def rows_valid(self) -> int:
        """Rows that went to the parquet file."""
        return self.rows_read - self.rows_rejected


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

    `parquet` holds the contract's columns in their order and `_source_row` (the row in the file, from 1).
    `on_rows` is told the number of rows read so far; `table` is the file when it is open already. Returns the rejected
    rows as they were delivered.

    Raises:
        RefusedError: the file cannot be read, or its header does not match.
    """
    table = table or open_table(path, contract.format)
    positions = match_header(path.name, table.header, contract, period)
    refuse_uncalculated(path.name, table, positions)
    rejected = Rejected(table.header, positions)
    try:
        with rejects_file(rejects) as reject, parquet_file(parquet, cleaned_schema(contract)) as write:
            check = partial(check_batch, positions=positions, contract=contract, period=period, day_zero=table.day_zero)
            for batch, checked in _checked(table.batches, FillDown(contract, positions), check):
                _refuse_headless_values(path, batch, table, positions)
                _count_dates(batch, positions, contract, outcome)
                for row in batch.misshapen:
                    reject(row.source_row, "", f"{row.found} cells", cells_expected(row.expected))
                    outcome.summary[f"row: {cells_expected(row.expected)}"] += 1
                rejected.add(batch, checked.invalid)
                for found in checked.invalid:
                    if not found.is_first:
                        continue
                    outcome.summary[f"{found.column or 'row'}: {found.rule}"] += len(found.source_rows)
                    for at, cell in zip(found.source_rows, found.cells, strict=True):
                        reject(at, found.column, cell, found.rule)
                outcome.rows_read += len(batch.source_rows) + len(batch.misshapen)
                outcome.rows_rejected += checked.rejected + len(batch.misshapen)
                write(checked.rows)
                on_rows(outcome.rows_read)
        pa.default_memory_pool().release_unused()  # what follows is DuckDB's, which cannot use it
        _reject_repeated_keys(contract, parquet, rejects, outcome, rejected)
    finally:
        if not outcome.rows_rejected:
            rejects.unlink(missing_ok=True)
    return rejected


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


def _refuse_headless_values(path: Path, batch: Batch, table: Table, positions: dict[str, int]) -> None:
    for at in sorted(set(range(len(batch.cells))) - set(positions.values())):
        filled = pc.is_valid(tidy(batch.cells[at]))
        if pc.any(filled).as_py():
            row = batch.source_rows[pc.index(filled, True).as_py()]
            raise RefusedError(
                f"{path.name}, row {row}: {table.place(at)} has values but no header; name it or empty it"
            )


def _count_dates(batch: Batch, positions: dict[str, int], contract: Contract, outcome: Outcome) -> None:
    for column in contract.columns:
        cells = batch.column(positions[column.name]) if column.name in positions else None
        if cells is not None and column.type.name in ("date", "timestamp"):
            counts = outcome.dates.setdefault(column.name, Counter())
            for kind in (CellKind.DATE, CellKind.TEXT):
                counts[kind] += pc.sum(cells.is_a(kind)).as_py() or 0


def _reject_repeated_keys(
    contract: Contract, parquet: Path, rejects: Path, outcome: Outcome, rejected: Rejected
) -> None:
    """A key stands once in a delivery; of rows that share one, none is taken, since any choice would be a guess."""
    found = repeated_keys(contract, parquet)
    if not found:
        return
    rejected.add_repeated(contract.key, found)
    name = "+".join(contract.key)
    with rejects_file(rejects, append=True) as reject:
        for row, *values in found:
            reject(row, name, "+".join(str(value) for value in values), UNIQUE_KEY)
    outcome.rows_rejected += len(found)
    outcome.summary[f"{name}: {UNIQUE_KEY}"] += len(found)
    left_out = pa.array([row for row, *_ in found], pa.int64())
    copy_without(parquet, parquet, lambda rows: pc.is_in(rows[SOURCE_ROW], left_out))


def repeated_keys(contract: Contract, parquet: Path) -> list[tuple[Any, ...]]:
    """Rows of a parquet file that share their natural key: (row in the file, key part, …), by row."""
    key = ", ".join(f'"{name}"' for name in contract.key)
    query = f"""
        with repeated as (select {key} from read_parquet($1) group by all having count(*) > 1)
        select {SOURCE_ROW}, {key} from read_parquet($1) semi join repeated using ({key}) order by 1
    """
    with in_memory() as connection:
        return connection.execute(query, [str(parquet)]).fetchall()


def judge_rows(path: Path, contract: Contract, outcome: Outcome, rejects: str) -> None:
    """Raise RefusedError when a delivery has more invalid rows than its contract allows."""
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
