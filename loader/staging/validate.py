"""Validate: the cleaned rows of one delivery as parquet, its bad rows as a rejects file.

The parquet file gets its name in the archive only when it is complete and the stage suite of Great Expectations
has passed it.
"""

from __future__ import annotations

import errno
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from loader import console
from loader.archive import UNKNOWN, file_stem, unknown_beside
from loader.archive.kept import KeptFile
from loader.archive.publish import publish
from loader.errors import EnvironmentFailedError, RefusedError, UsageError
from loader.files import synced, unpublished
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.readers import READER_REVISION, open_table
from loader.readers.table import Table
from loader.staging.ingest import Ingested, find_ingested
from loader.staging.landing import refused_by_name
from loader.staging.options import refuse_second_name
from loader.validation import Outcome, clean_delivery, judge_rows
from loader.validation.rejects import Rejected
from loader.warehouse import State
from loader.warehouse.meta import ingestion_log, now, validation_ids, validation_log
from loader.warehouse.versions import ArchiveFiles, versions_of

if TYPE_CHECKING:
    from loader.gates import GateResult


@dataclass(frozen=True)
class Validated:
    """A delivery whose cleaned rows passed every check."""

    delivery: Ingested
    files: ArchiveFiles
    outcome: Outcome
    workbook: str | None
    """Where its rejects lie as a workbook, as a person reads it."""


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


def _validate(project: Project, delivery: Ingested, force: bool) -> Validated:
    contract, period = delivery.contract, delivery.period
    stem = file_stem(contract, period, delivery.sha256)
    rejects = project.rejects(f"{stem}.csv")
    workbook = rejects.with_suffix(".xlsx")
    unchecked = unpublished(project.archived(f"{contract.name}/{stem}"))
    outcome = Outcome()
    fields = {"dataset": contract.name, "period": period.name, "subject": delivery.name}
    try:
        with project.audit.step("validate", **fields) as step:
            if not force:
                project.warehouse.run(lambda c: _refuse_purged(c, delivery))
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
            gate = _gate(project, delivery, unchecked)
            keep_delivered(project, delivery)
            files = _publish(unchecked, stem, has_unknown=outcome.unknown_keys > 0)

            def record(connection: Connection) -> None:
                _record(connection, delivery, outcome, rejects, files=files, gate=gate)
                step.end(connection)

            project.warehouse.run(record)
    except RefusedError as error:
        refusal = error.message
        project.warehouse.run(lambda c: _record(c, delivery, outcome, rejects, message=refusal))
        raise
    finally:
        unchecked.unlink(missing_ok=True)
        unknown_beside(unchecked).unlink(missing_ok=True)
    return Validated(delivery, files, outcome, project.shown(workbook) if outcome.rows_listed else None)


def validated(project: Project, delivery: Ingested) -> Validated | None:
    """The last validation that a delivery passed by today's contract and reader, when its parquet is still there."""
    log = validation_log.c
    passed = (log.file_id == delivery.file_id) & (log.gate == "contract") & (log.status == "passed")
    passed &= log.contract_fingerprint == delivery.contract.fingerprint
    passed &= log.reader_revision == READER_REVISION
    row = project.warehouse.run(
        lambda c: c.execute(select(validation_log).where(passed).order_by(log.validation_id.desc())).first()
    )
    if row is None:
        return None
    files = ArchiveFiles(row.parquet_path, row.parquet_sha256, row.unknown_path, row.unknown_sha256)
    if not all(project.archived(path).exists() for path in files.hashes):
        return None
    outcome = Outcome(
        row.rows_read,
        row.rows_rejected,
        row.rows_dropped or 0,
        *_counts(row.summary),
        row.unknown_keys or 0,
        row.unreadable_keys or 0,
    )
    workbook = project.rejects(row.rejects_path).with_suffix(".xlsx") if outcome.rows_listed else None
    return Validated(delivery, files, outcome, project.shown(workbook) if workbook else None)


_NOTE = "note: "
"""What stands before a remark in the summary of `meta.validation_log`."""


def _summary(outcome: Outcome) -> str:
    notes = {f"{_NOTE}{note}": count for note, count in outcome.notes.items()}
    return json.dumps({**outcome.summary, **notes}, sort_keys=True)


def _counts(summary: str | None) -> tuple[Counter[str], Counter[str]]:
    """The invalid cells and the remarks of a summary."""
    counts = json.loads(summary or "{}")
    notes = {what.removeprefix(_NOTE): count for what, count in counts.items() if what.startswith(_NOTE)}
    return Counter({what: count for what, count in counts.items() if not what.startswith(_NOTE)}), Counter(notes)


def find_validated(project: Project, *, parquet_path: Path | None, **which: Any) -> Validated:
    """The validated delivery that the options name; raises UsageError when it was not validated yet."""
    if parquet_path:
        refuse_second_name(parquet_path=parquet_path, file_path=which["file_path"], file_id=which["file_id"])
        which["file_id"] = _file_id(project, parquet_path.name)
    delivery = find_ingested(project, **which)
    found = validated(project, delivery)
    if found is None:
        raise UsageError(
            f"{delivery.name} has not passed validation under today's contract; "
            f"run `loader validate --file-id {delivery.file_id}` first"
        )
    if parquet_path and Path(found.files.parquet_path).name != parquet_path.name:
        raise UsageError(
            f"{parquet_path.name} was made under another contract; of {delivery.name} today's is "
            f"{found.files.parquet_path}"
        )
    return found


def _file_id(project: Project, parquet_name: str) -> int:
    """The number of the file behind a cleaned file; raises UsageError when no validation made it."""
    log = validation_log.c
    made = (log.parquet_path.endswith(f"/{parquet_name}", autoescape=True, escape="!")) & (log.status == "passed")
    query = select(log.file_id).where(made).order_by(log.validation_id.desc())
    file_id = project.warehouse.run(lambda c: c.execute(query).scalar())
    if file_id is None:
        raise UsageError(f"no validation made {parquet_name}; name the file that `loader validate` printed")
    return int(file_id)


def _refuse_purged(connection: Connection, delivery: Ingested) -> None:
    """What was purged comes back only when somebody wants it."""
    log, name = ingestion_log.c, delivery.name
    purged_at = connection.execute(select(log.purged_at).where(log.file_id == delivery.file_id)).scalar()
    if purged_at is not None:
        raise RefusedError(
            f"{name}: rows of it were purged on {purged_at:%Y-%m-%d}, to read it again would bring them back; ask the "
            "sender for a file without them, or load it with --force and purge again"
        )
    versions = versions_of(connection, delivery.contract.name, delivery.period.name)
    if versions and all(version.state is State.PURGED for version in versions):
        raise RefusedError(
            f"{name}: {delivery.contract.name} {delivery.period} was purged; if it has to come back, load the file "
            "with --force"
        )


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


def _record(
    connection: Connection,
    delivery: Ingested,
    outcome: Outcome,
    rejects: Path,
    *,
    files: ArchiveFiles | None = None,
    gate: GateResult | None = None,
    message: str | None = None,
) -> None:
    """Write the result to `meta.validation_log`; `summary` counts invalid cells and remarks, it never shows them."""
    row = {
        "validation_id": connection.execute(select(validation_ids.next_value())).scalar_one(),
        "file_id": delivery.file_id,
        "gate": "contract",
        "table_name": delivery.contract.name,
        "status": "passed" if files else "refused",
        "checks": len(gate.checks) if gate else None,
        "failed": 0 if gate else None,
        "rows_read": outcome.rows_read,
        "rows_valid": outcome.rows_valid,
        "rows_rejected": outcome.rows_rejected,
        "rows_dropped": outcome.rows_dropped,
        **(asdict(files) if files else {}),
        "unknown_keys": outcome.unknown_keys if delivery.contract.knows_unknown else None,
        "unreadable_keys": outcome.unreadable_keys if delivery.contract.knows_unknown else None,
        "rejects_path": rejects.name if outcome.rows_listed or outcome.notes else None,
        "summary": _summary(outcome),
        "message": message,
        "contract_fingerprint": delivery.contract.fingerprint,
        "reader_revision": READER_REVISION,
        "validated_at": now(),
        "run_id": RUN_ID,
    }
    connection.execute(insert(validation_log).values(row))
