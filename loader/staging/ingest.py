"""Ingest: look at a delivery where it landed, and write down what it is. Nothing is copied or edited."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from loader.archive.kept import is_kept
from loader.contracts import Contract, Period
from loader.errors import RefusedError, UsageError
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.readers import open_table
from loader.readers.table import Table
from loader.staging.content import Content, forget_visits, full_path
from loader.staging.landing import (
    Landed,
    look,
    name_in_landing,
    nothing_landed,
    recognise,
    refuse_unrecordable,
    refused_by_name,
)
from loader.staging.options import refuse_contradiction, refuse_second_name
from loader.staging.period_within import remember_periods
from loader.validation import match_header
from loader.warehouse.meta import file_ids, ingestion_log, now


@dataclass(frozen=True)
class Ingested:
    """A delivery that is written down in `meta.ingestion_log`."""

    file_id: int
    path: Path
    name: str
    """By what it is known: its name, with the folders that the contract's file_name has."""
    contract: Contract
    period: Period
    order: str | None
    content: Content
    """What the file held when it was ingested."""
    table: Table | None = field(default=None, compare=False, repr=False)
    """The open file, good for one reading: to open a workbook is to read it."""

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return self.content.sha256

    def refuse_changed(self) -> None:
        """Raise RefusedError when its file, which was read just now, has other bytes; OSError when it is gone."""
        self._refuse_other(Content.of(self.path))

    def refuse_overwritten(self) -> None:
        """The same later on: it is read only when its size or time differs, and one that is gone has not changed."""
        with suppress(FileNotFoundError):
            self._refuse_other(Content.of(self.path, self.content))

    def _refuse_other(self, found: Content) -> None:
        if found.sha256 != self.sha256:
            raise self.changed()

    def changed(self) -> RefusedError:
        """What is said of a file that is another one by now."""
        return _changed(self.name)


def ingest(project: Project, path: Path, seen: Content | None = None) -> Ingested:
    """Check name, form and header of a delivery and record it; a file that is known already keeps its `file_id`.

    What was `seen` of the file just now need not be read again.

    Raises:
        RefusedError: name, form or header do not match; recorded with status `refused`.
    """
    refuse_unrecordable(path)
    return _ingest(project, path, _recognised(project, path), lambda: _content(path, seen), path)


def ingest_kept(project: Project, unpacked: Landed, content: Content, kept: Path) -> Ingested:
    """The same for a delivery that the archive has kept: dataset and period are known, whatever its name tells today.

    Raises:
        RefusedError: form or header do not match; recorded with status `refused`.
    """
    return _ingest(project, unpacked.path, unpacked, lambda: content, kept)


def _ingest(
    project: Project, path: Path, recognised: Landed | None, look: Callable[[], Content], lies_at: Path
) -> Ingested:
    names = (recognised.contract.name, recognised.period.name) if recognised else (None, None)
    name = recognised.name if recognised else name_in_landing(project, path)
    with project.audit.step("ingest", dataset=names[0], period=names[1], subject=name) as step:
        project.warehouse.let_go()
        looked_at = now()
        with refused_by_name(path, name):
            content = replace(look(), looked_at=looked_at)  # known before or not, it was so until now
        try:
            landed = recognised or recognise(project, path)
            if landed.read_from not in (None, content.sha256):
                raise _changed(name)
            with refused_by_name(path, name):
                table = open_table(path, landed.contract.format, landed.contract.names(landed.period))
            match_header(name, table.header, landed.contract, landed.period)
        except RefusedError as error:
            refusal = error.message
            project.warehouse.run(lambda c: _record(c, project, name, lies_at, recognised, content, refusal))
            raise

        def record(connection: Connection) -> int:
            file_id = _record(connection, project, name, lies_at, landed, content, None)
            step.end(connection)
            return file_id

        file_id = project.warehouse.run(record)
    return Ingested(file_id, path, landed.name, landed.contract, landed.period, landed.order, content, table)


def ingested(project: Project, file_id: int) -> Ingested:
    """The delivery that was recorded under `file_id`; raises UsageError when there is none, or it was refused."""
    row = project.warehouse.run(
        lambda c: c.execute(select(ingestion_log).where(ingestion_log.c.file_id == file_id)).first()
    )
    if row is None:
        raise UsageError(f"file {file_id} is not known; `loader status` lists the files")
    if row.status == "refused":
        raise UsageError(f"file {file_id} ({row.file_name}) was refused when it was ingested: {row.message}")
    contract = project.contract(row.dataset)
    if is_kept(Path(row.file_path)):
        raise UsageError(
            f"file {file_id} ({row.file_name}) was last read from the archive; run `loader ingest` where it lies, or "
            "`loader recheck`"
        )
    path, period = Path(row.file_path), contract.period(row.data_period)
    content = Content.recorded(row)
    return Ingested(file_id, path, row.file_name, contract, period, row.file_order, content)


def find_ingested(
    project: Project, *, file_id: int | None, file_path: Path | None, dataset: str | None, period: str | None
) -> Ingested:
    """The one delivery that the options name; raises UsageError when they name none, or several."""
    refuse_second_name(file_id=file_id, file_path=file_path)
    if file_id is not None:
        return _of_options(ingested(project, file_id), dataset, period)
    if file_path is None:
        landed = look(project, dataset, period).deliveries
        if not landed:
            raise nothing_landed(project, dataset, period)
        if len(landed) > 1:
            names = ", ".join(one.name for one in landed)
            raise UsageError(f"several files match ({names}); name one by --file-path or --file-id")
        file_path = landed[0].path
    return _of_options(ingested(project, _file_id(project, file_path)), dataset, period)


def _of_options(found: Ingested, dataset: str | None, period: str | None) -> Ingested:
    refuse_contradiction(found.name, (found.contract, found.period), dataset, period)
    return found


def _file_id(project: Project, path: Path) -> int:
    """The number of a file that was ingested as it is now; raises UsageError when it was not."""
    landed, sha256 = recognise(project, path), _content(path).sha256
    log = ingestion_log.c
    this = (log.sha256 == sha256) & (log.dataset == landed.contract.name) & (log.data_period == landed.period.name)
    file_id = project.warehouse.run(lambda c: c.execute(select(log.file_id).where(this)).scalar())
    if file_id is None:
        raise UsageError(f"{landed.name} was not ingested as it is now; run `loader ingest --file-path …` first")
    return int(file_id)


def _content(path: Path, seen: Content | None = None) -> Content:
    try:
        return Content.of(path, seen)
    except OSError as error:
        raise RefusedError(f"{path.name}: cannot be read ({error.strerror}); check the file and its rights") from None


def _changed(name: str) -> RefusedError:
    return RefusedError(
        f"{name}: the file is no longer the one that was ingested; wait until the sender has finished writing it, "
        "then load again"
    )


def _recognised(project: Project, path: Path) -> Landed | None:
    try:
        return recognise(project, path)
    except RefusedError:
        return None


def _record(
    connection: Connection,
    project: Project,
    name: str,
    lies_at: Path,
    landed: Landed | None,
    content: Content,
    refusal: str | None,
) -> int:
    """Write or renew the row of this content for this period; returns its `file_id`."""
    # else two loads at once give one file two numbers
    project.warehouse.lock(connection, ingestion_log.fullname)
    forget_visits(project)
    remember_periods(project, connection)
    dataset = landed.contract.name if landed else None
    period = landed.period.name if landed else None
    row = {
        "dataset": dataset,
        "data_period": period,
        "file_name": name,
        "file_path": full_path(lies_at),
        "file_order": landed.order if landed else None,
        "sha256": content.sha256,
        "size_bytes": content.size,
        "modified_at": content.modified_at,
        "status": "refused" if refusal else "ingested",
        "message": refusal,
        "contract_fingerprint": landed.contract.fingerprint if landed else None,
        "ingested_at": content.looked_at,
        "run_id": RUN_ID,
    }
    log = ingestion_log.c
    same = (log.sha256 == content.sha256) & log.dataset.is_not_distinct_from(dataset)
    same &= log.data_period.is_not_distinct_from(period)
    if landed is None:
        same &= log.file_name == name
    known = connection.execute(select(log.file_id).where(same)).scalar()
    if known is not None:
        connection.execute(update(ingestion_log).where(log.file_id == known).values(row))
        return int(known)
    file_id = int(connection.execute(select(file_ids.next_value())).scalar_one())
    connection.execute(insert(ingestion_log).values(file_id=file_id, **row))
    return file_id
