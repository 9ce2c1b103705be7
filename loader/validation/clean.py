"""From a file to its cleaned rows: read, check, write; the same for a load and for a plan.

Everything here works on one batch at a time, so that memory does not grow with the file.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive import unknown_beside
from loader.archive.parquet import SOURCE_ROW, cleaned_schema, copy_without, key_schema, parquet_file, rows_in
from loader.contracts import Contract, Period
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.table import Batch, CellKind, Remark, Table, Tally
from loader.validation.checks import Checked, check_batch
from loader.validation.delivery_rows import DeliveryRows
from loader.validation.duplicates import STANDS, repeated_keys, rows_of
from loader.validation.fill_down import FillDown
from loader.validation.header import lacking, match_header, refuse_uncalculated
from loader.validation.outcome import Outcome
from loader.validation.rejects import Rejected
from loader.validation.rejects_csv import list_up_to, rejects_file
from loader.validation.rules import UNIQUE_KEY, duplicate_of
from loader.validation.unknown_keys import UnknownKeys

_THREADS = min(os.cpu_count() or 1, 4)
"""Batches that are checked at a time: Arrow works without Python's lock, memory grows with each."""


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
                data = DeliveryRows(path, outcome, rejected, table, reject, unknown)
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


def _leave_out(totals: int, data: DeliveryRows, parquet: Path, rejects: Path) -> int:
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
