"""What a purge is about: the rows of one key, or the periods before one. Each scope knows which rows are its own."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, Connection, bindparam, column, func, select, table, text, update

from loader.archive import Stem
from loader.archive.kept import KeptFile
from loader.archive.parquet import copy_without
from loader.contracts import Contract, Period, WorkbookFormat, plain_header
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.table import Table
from loader.staging.landing import Landed
from loader.staging.purge.natural_key import NaturalKey, key_cells
from loader.validation import match_header
from loader.validation.fill_down import FillDown
from loader.validation.rules import is_about_cells
from loader.warehouse import State, Version
from loader.warehouse.engines.types import Code
from loader.warehouse.layers import LAYERS, STAGE
from loader.warehouse.ledger import PURGED, applied_load, consumers, has_ledger
from loader.warehouse.transactions import portions
from loader.warehouse.version_changes import Change


class Scope(Protocol):
    """The rows that a purge removes."""

    @property
    def contract(self) -> Contract:
        """Of the dataset that they belong to."""

    @property
    def words(self) -> str:
        """What they are, without a value."""

    def rows_in(self, parquet: Path) -> int | None:
        """How many rows of a file of the archive go; None when the file stays as it is."""

    def keep_rest(self, parquet: Path, target: Path) -> bool:
        """Write the rows that stay to another file; False when none does."""

    def is_staged(self) -> ColumnElement[bool]:
        """A condition on the rows of the stage table."""

    def is_in_rejects(self, listed: Path) -> bool:
        """Whether a rejects file, or the workbook beside it, holds such rows, or may."""

    def is_in_delivery(self, landed: Landed) -> bool:
        """Whether a delivery holds such rows; raises RefusedError or OSError when it cannot be read."""

    def is_in_kept(self, kept: KeptFile, file_name: str) -> bool:
        """Whether a kept file, which was delivered under a name, holds such rows, or may."""

    def record_for_history(self, change: Change, versions: Sequence[Version], concerned: Sequence[str]) -> None:
        """Write down what history has to know; `concerned` are the periods of the rows that went."""

    @property
    def waits_by_period(self) -> bool:
        """Whether what waits for a build holds such rows, as its periods tell; of a key it may be another's."""

    def waiting(self, connection: Connection) -> list[str]:
        """Histories and facts that hold such rows until the next build."""

    def elsewhere(self, connection: Connection) -> list[str]:
        """All tables but the dataset's own in stage that have rows of the key."""


@dataclass(frozen=True)
class OfKey:
    """The rows of one key, in all periods."""

    contract: Contract
    key: NaturalKey
    words: str = "one key"
    waits_by_period: bool = False

    def rows_in(self, parquet: Path) -> int | None:
        if not set(self.contract.key) <= set(pq.read_schema(parquet).names):
            return None
        with pq.ParquetFile(parquet) as file:
            batches = file.iter_batches(columns=[*self.contract.key])
            return sum(pc.sum(self._rows_of(pa.table(batch))).as_py() or 0 for batch in batches) or None

    def keep_rest(self, parquet: Path, target: Path) -> bool:
        copy_without(parquet, target, self._rows_of)
        return True

    def _rows_of(self, rows: pa.Table) -> pa.BooleanArray:
        return self.key.rows_of({name: rows[name].combine_chunks() for name in self.contract.key})

    def is_staged(self) -> ColumnElement[bool]:
        return self.key.condition()

    def is_in_rejects(self, listed: Path) -> bool:
        """A workbook has whole rows. Where there is none, or it has not every row or not every key, nobody can tell."""
        from loader.validation.rejects_workbook import ROWS

        stem, rows = Stem.of(self.contract, listed.name), _rows_listed(listed)
        if stem is None or rows is None:
            return True
        try:
            workbook = open_table(listed.with_suffix(".xlsx"), WorkbookFormat(type="workbook", sheet=ROWS))
        except (RefusedError, OSError):
            return True
        headers = [plain_header(cell) for cell in workbook.header]
        known = self.contract.headers(stem.period)
        column_of = {plain_header(text): name for name in self.contract.key for text in known.get(name, ())}
        positions = {column_of[header]: at for at, header in enumerate(headers) if header in column_of}
        if len(positions) < len(self.contract.key):
            return True
        seen = self._look(workbook, positions)
        return bool(seen.found or seen.unread or seen.rows != rows)

    def is_in_delivery(self, landed: Landed) -> bool:
        return self._look_into(landed).found > 0

    def is_in_kept(self, kept: KeptFile, file_name: str) -> bool:
        """Nobody can tell of a file that is damaged, or has another header today."""
        with tempfile.TemporaryDirectory(prefix="almanac-kept-") as folder:
            path = Path(folder) / file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                kept.unpack(path)
                seen = self._look_into(Landed(path, self.contract, kept.period, None))
            except RefusedError:
                return True
        return bool(seen.found or seen.unread)

    def _look_into(self, landed: Landed) -> _Seen:
        delivery = open_table(landed.path, self.contract.format, self.contract.names(landed.period))
        positions = match_header(landed.name, delivery.header, self.contract, landed.period)
        filled = map(FillDown(self.contract, positions), delivery.batches)
        return self._look(replace(delivery, batches=filled), positions)

    def _look(self, delivery: Table, positions: Mapping[str, int]) -> _Seen:
        seen = _Seen()
        for batch in delivery.batches:
            cells = key_cells(
                {name: batch.column(positions[name]) for name in self.contract.key}, self.contract, delivery.day_zero
            )
            seen.rows += len(batch.source_rows)
            seen.found += pc.sum(self.key.rows_of(cells)).as_py() or 0
            seen.found += sum(self.key.may_be_in(row.cells) for row in batch.misshapen)
            seen.unread += sum(values.null_count for values in cells.values())
        return seen

    def record_for_history(self, change: Change, versions: Sequence[Version], concerned: Sequence[str]) -> None:  # noqa: ARG002
        """The loads stay the same, so that nothing but a mark tells that they lost rows."""
        connection = change.connection
        if has_ledger(connection):
            of_dataset = applied_load.c.dataset == self.contract.name
            for some in portions(concerned):
                here = of_dataset & applied_load.c.data_period.in_(some)
                connection.execute(update(applied_load).where(here).values(fingerprint=PURGED))

    def waiting(self, connection: Connection) -> list[str]:
        return consumers(
            connection, (applied_load.c.dataset == self.contract.name) & (applied_load.c.fingerprint == PURGED)
        )

    def elsewhere(self, connection: Connection) -> list[str]:
        found = []
        for schema, name in _tables_with(connection, self.contract.key):
            rows = select(func.count()).select_from(table(name, schema=schema)).where(self.key.condition())
            if (schema, name) != (STAGE, self.contract.name) and connection.execute(rows).scalar_one():
                found.append(f"{schema}.{name}")
        return found


@dataclass
class _Seen:
    """What was seen of a key in a delivery."""

    rows: int = 0
    found: int = 0
    unread: int = 0
    """Cells of the key that cannot be read: they may be anybody's."""


@dataclass(frozen=True)
class OfPeriodsBefore:
    """All rows of the periods before one."""

    contract: Contract
    first_kept: Period
    waits_by_period: bool = True

    @property
    def words(self) -> str:
        return f"periods before {self.first_kept}"

    def rows_in(self, parquet: Path) -> int | None:
        return int(pq.read_metadata(parquet).num_rows) if self.is_in_rejects(parquet) else None

    def keep_rest(self, parquet: Path, target: Path) -> bool:  # noqa: ARG002
        return False

    def is_staged(self) -> ColumnElement[bool]:
        return column("_data_period", Code()) < self.first_kept.name  # names of a grain sort by time

    def is_in_rejects(self, listed: Path) -> bool:
        stem = Stem.of(self.contract, listed.name)
        return stem is not None and stem.period.start < self.first_kept.start

    def is_in_delivery(self, landed: Landed) -> bool:
        return landed.period.start < self.first_kept.start

    def is_in_kept(self, kept: KeptFile, file_name: str) -> bool:  # noqa: ARG002
        return kept.period.start < self.first_kept.start

    def record_for_history(self, change: Change, versions: Sequence[Version], concerned: Sequence[str]) -> None:  # noqa: ARG002
        """The versions stay, so that history finds the periods that are no longer delivered."""
        before = [version for version in versions if version.period_start < self.first_kept.start]
        change.set_states([version for version in before if version.state is not State.PURGED], State.PURGED)

    def waiting(self, connection: Connection) -> list[str]:
        of_dataset = applied_load.c.dataset == self.contract.name
        return consumers(connection, of_dataset & (applied_load.c.data_period < self.first_kept.name))

    def elsewhere(self, connection: Connection) -> list[str]:  # noqa: ARG002
        return []


def _rows_listed(rejects: Path) -> int | None:
    """How many rows a rejects file is about; None when it cannot be read, or a row has no columns to look at."""
    try:
        with rejects.open(encoding="utf-8-sig", newline="") as file:
            _, *lines = csv.reader(file)
    except (OSError, ValueError, csv.Error):
        return None
    if any(is_about_cells(rule) for *_, rule in lines):
        return None
    return len({row for row, *_ in lines})


def _tables_with(connection: Connection, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Tables of stage, core and mart that have all these columns: (schema, name)."""
    query = text(
        "select c.TABLE_SCHEMA as table_schema, c.TABLE_NAME as table_name, c.COLUMN_NAME as column_name "
        "from INFORMATION_SCHEMA.COLUMNS as c inner join INFORMATION_SCHEMA.TABLES as t "
        "on c.TABLE_SCHEMA = t.TABLE_SCHEMA and c.TABLE_NAME = t.TABLE_NAME "
        "where c.TABLE_SCHEMA in :layers and t.TABLE_TYPE = 'BASE TABLE'"
    ).bindparams(bindparam("layers", LAYERS, expanding=True))
    found: dict[tuple[str, str], set[str]] = {}
    for row in connection.execute(query):
        found.setdefault((row.table_schema, row.table_name), set()).add(row.column_name)
    return sorted(place for place, names in found.items() if names >= set(columns))
