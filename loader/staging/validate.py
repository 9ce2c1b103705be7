"""Validate: the cleaned rows of one delivery as parquet, its bad rows as a rejects file.

The parquet file gets its name in the archive only when it is complete and the stage suite of Great Expectations
has passed it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from loader import console
from loader.archive import UNKNOWN, file_stem, unknown_beside
from loader.archive.kept import KeptFile
from loader.archive.publish import publish
from loader.contracts import Contract
from loader.errors import EnvironmentFailedError, RefusedError
from loader.files import synced, unpublished
from loader.project import Project
from loader.readers import open_table
from loader.readers.table import Table
from loader.staging.ingest import Ingested
from loader.staging.landing import refused_by_name
from loader.staging.validation_record import Validated, conditions, record_validation, refuse_purged, taken_up
from loader.validation import Outcome, clean_delivery, judge_rows
from loader.validation.rejects import Rejected
from loader.warehouse.layers import STAGE
from loader.warehouse.versions import ArchiveFiles

if TYPE_CHECKING:
    from loader.gates import GateResult


@contextmanager
def explained(path: Path, name: str) -> Iterator[None]:
    """Say what the operating system has against the reading of a delivery.

    Raises:
        RefusedError: the delivery cannot be read.
        EnvironmentFailedError: the disk is full, or another file fails.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EnvironmentFailedError(f"{name}: the disk is full; free some room and load again") from error
        if error.filename and Path(error.filename) == path:
            raise RefusedError(f"{name}: cannot be read ({error.strerror})") from error
        raise EnvironmentFailedError(f"{name}: {error}") from error


def validate(project: Project, delivery: Ingested, *, force: bool = False) -> Validated:
    """Validate a delivery and gate what came out of it.

    Raises:
        RefusedError: the file changed since it was ingested, cannot be read, has more invalid rows than its
            contract allows, or fails its gate; or it would bring back what was purged, and is not forced. Recorded in
            `meta.validation_log`.
        EnvironmentFailedError: the disk is full.
    """
    with explained(delivery.path, delivery.name):
        return _validate(project, delivery, force)


def take_up(project: Project, delivery: Ingested) -> Validated | None:
    """A validation of another command that came to no load, when it would come to the same today; else None.

    Raises:
        RefusedError: the file changed since it was ingested.
        EnvironmentFailedError: the disk is full.
    """
    found = taken_up(project, delivery)
    if found is None:
        return None
    try:
        project.warehouse.run(lambda c: refuse_purged(c, delivery))
    except RefusedError:
        return None  # to validate is to record that
    with explained(delivery.path, delivery.name):
        keep_delivered(project, delivery)
    return found


def _validate(project: Project, delivery: Ingested, force: bool) -> Validated:
    contract, period = delivery.contract, delivery.period
    ensure_suite(project, contract)
    stem = file_stem(contract, period, delivery.sha256)
    rejects = project.rejects(f"{stem}.csv")
    workbook = rejects.with_suffix(".xlsx")
    unchecked = unpublished(project.archived(f"{contract.name}/{stem}"))
    outcome = Outcome()
    fields = {"dataset": contract.name, "period": period.name, "subject": delivery.name}
    try:
        with project.audit.step("validate", **fields) as step:
            if not force:
                project.warehouse.run(lambda c: refuse_purged(c, delivery))
            project.warehouse.let_go()
            by_name = refused_by_name(delivery.path, delivery.name)
            with by_name, console.progress(f"reading {delivery.name}") as seen:
                rejected = clean_delivery(
                    delivery.path, contract, period, unchecked, rejects, outcome, seen, delivery.table
                )
            step.rows_in, step.rows_out = outcome.rows_read, outcome.rows_valid
            delivery.refuse_changed()  # after it was read, so that one that grew meanwhile is seen
            _write_workbook(workbook, delivery, rejected, outcome)
            written = [path for path in (rejects, workbook) if path.exists()]
            for path in (*written, *{path.parent for path in written}):
                synced(path)
            listed = f"{project.shown(rejects)}, and marked in {workbook.name} beside it, to be sent back"
            with refused_by_name(delivery.path, delivery.name):
                judge_rows(delivery.path, contract, outcome, listed)
        with project.audit.step("gate", **fields) as step:
            project.warehouse.let_go()
            under = None if outcome.mixed_dates else conditions(project, delivery)  # the log does not keep these
            gate = _gate(project, delivery, unchecked)
            keep_delivered(project, delivery)
            files = _publish(unchecked, stem, has_unknown=outcome.unknown_keys > 0)

            def record(connection: Connection) -> None:
                record_validation(connection, delivery, outcome, rejects, files=files, gate=gate, made_under=under)
                step.end(connection)

            project.warehouse.run(record)
    except RefusedError as error:
        refusal = error.message
        project.warehouse.run(lambda c: record_validation(c, delivery, outcome, rejects, message=refusal))
        raise
    finally:
        unchecked.unlink(missing_ok=True)
        unknown_beside(unchecked).unlink(missing_ok=True)
    return Validated(delivery, files, outcome, project.shown(workbook) if outcome.rows_listed else None)


def keep_delivered(project: Project, delivery: Ingested) -> None:
    """Keep the delivered bytes in the archive if the contract wants that.

    Raises:
        RefusedError: the file has changed.
    """
    contract = delivery.contract
    kept = KeptFile.of(project.archived(contract.name), delivery.period, delivery.sha256)
    if contract.keep_files and not kept.keep(delivery.path):
        raise delivery.changed()


def _write_workbook(path: Path, delivery: Ingested, rejected: Rejected, outcome: Outcome) -> None:
    if not outcome.rows_listed:
        path.unlink(missing_ok=True)
        return
    from loader.validation.rejects_workbook import write_rejects_workbook

    def reopen() -> Table:
        return open_table(delivery.path, delivery.contract.format, delivery.contract.names(delivery.period))

    counts = (outcome.rows_read, outcome.rows_rejected, outcome.rows_dropped)
    write_rejects_workbook(path, delivery.name, delivery.contract, delivery.period, rejected, counts, reopen)


def ensure_suite(project: Project, contract: Contract) -> None:
    """Raise UsageError when a dataset has no stage suite, or one that cannot be read: its gate comes after all else."""
    from loader.gates import read_suites

    read_suites(project.root, STAGE, [contract.name])


def _gate(project: Project, delivery: Ingested, parquet: Path) -> GateResult:
    from loader.gates import GateRefusedError, run_parquet_gate

    gate = run_parquet_gate(project.root, delivery.contract, parquet, delivery.period.name)
    if not gate.passed:
        failed = "; ".join(f"{check.check} ({check.details})" for check in gate.checks if check.result != "passed")
        raise GateRefusedError(f"{delivery.name}: the stage suite refused the cleaned rows: {failed}", gate)
    return gate


def _publish(unchecked: Path, stem: str, *, has_unknown: bool) -> ArchiveFiles:
    """Give the rows of a delivery and its unknown keys their names in the archive."""
    folder = unchecked.parent.name
    name, sha256 = publish(unchecked, f"{stem}.parquet")
    rows = (f"{folder}/{name}", sha256)
    if not has_unknown:
        return ArchiveFiles(*rows, None, None)
    name, sha256 = publish(unknown_beside(unchecked), f"{stem}{UNKNOWN}.parquet")
    return ArchiveFiles(*rows, f"{folder}/{name}", sha256)
