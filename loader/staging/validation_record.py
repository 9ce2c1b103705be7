"""What `meta.validation_log` keeps of the validation of a delivery: how it is written, and taken up again later."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select

from loader.errors import RefusedError, UsageError
from loader.files import sha256_of
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.readers import READER_REVISION
from loader.staging.ingest import Ingested, find_ingested
from loader.staging.options import refuse_second_name
from loader.validation import Outcome
from loader.warehouse import State
from loader.warehouse.layers import STAGE
from loader.warehouse.meta import ingestion_log, now, validation_ids, validation_log
from loader.warehouse.versions import ArchiveFiles, versions_of

if TYPE_CHECKING:
    from loader.gates import GateResult

_NOTE = "note: "
"""What stands before a remark in the summary."""
_PACKAGES = ("almanac", "babel", "great_expectations", "pandas", "phonenumbers", "pyarrow", "python-calamine")
"""Whose versions a result may hang on."""


@dataclass(frozen=True)
class Validated:
    """A delivery whose cleaned rows passed every check."""

    delivery: Ingested
    files: ArchiveFiles
    outcome: Outcome
    workbook: str | None
    """Where its rejects lie as a workbook, as a person reads it."""
    taken_up: dt.datetime | None = None
    """When it was made (UTC), if that was another command."""


def conditions(project: Project, delivery: Ingested) -> str:
    """A hash of what the result hangs on besides the file, its contract and the reader: suite, versions of packages."""
    from loader.gates import suite_files

    suite = suite_files(project.root, STAGE).get(delivery.contract.name, [])
    parts = [*(path.read_text(encoding="utf-8") for path in suite), *_versions()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _versions() -> list[str]:
    import duckdb  # works out row rules and patterns, whatever the warehouse is

    return [f"DuckDB {duckdb.__version__}", *(f"{name} {version(name)}" for name in _PACKAGES)]


def taken_up(project: Project, delivery: Ingested) -> Validated | None:
    """A validation of a delivery that has passed, when one of today would come to the same, and nothing of it is gone.

    A command that was killed, or refused by the guard, left it.
    """
    row = _last_passed(project, delivery, validation_log.c.conditions == conditions(project, delivery))
    if row is None:
        return None
    files = _files(row)
    for name, sha256 in files.hashes.items():
        path = project.archived(name)
        if not path.exists() or sha256_of(path) != sha256:
            return None
    if row.rejects_path is not None:
        rejects = project.rejects(row.rejects_path)
        listed = [rejects, *([rejects.with_suffix(".xlsx")] if row.rows_rejected or row.rows_dropped else [])]
        if not all(path.exists() for path in listed):
            return None
    return replace(_read(project, delivery, row), taken_up=row.validated_at)


def validated(project: Project, delivery: Ingested) -> Validated | None:
    """The last validation that a delivery passed by today's contract and reader, when its parquet is still there."""
    row = _last_passed(project, delivery)
    if row is None or not all(project.archived(path).exists() for path in _files(row).hashes):
        return None
    return _read(project, delivery, row)


def _last_passed(project: Project, delivery: Ingested, *also: ColumnElement[bool]) -> Row[Any] | None:
    log = validation_log.c
    passed = (log.file_id == delivery.file_id) & (log.gate == "contract") & (log.status == "passed")
    passed &= log.contract_fingerprint == delivery.contract.fingerprint
    passed &= log.reader_revision == READER_REVISION
    query = select(validation_log).where(passed, *also).order_by(log.validation_id.desc())
    return project.warehouse.run(lambda c: c.execute(query).first())


def _files(row: Row[Any]) -> ArchiveFiles:
    return ArchiveFiles(row.parquet_path, row.parquet_sha256, row.unknown_path, row.unknown_sha256)


def _read(project: Project, delivery: Ingested, row: Row[Any]) -> Validated:
    outcome = Outcome(
        row.rows_read,
        row.rows_rejected,
        row.rows_dropped or 0,
        *_counts(row.summary),
        row.unknown_keys or 0,
        row.unreadable_keys or 0,
    )
    workbook = project.rejects(row.rejects_path).with_suffix(".xlsx") if outcome.rows_listed else None
    return Validated(delivery, _files(row), outcome, project.shown(workbook) if workbook else None)


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


def _summary(outcome: Outcome) -> str:
    notes = {f"{_NOTE}{note}": count for note, count in outcome.notes.items()}
    return json.dumps({**outcome.summary, **notes}, sort_keys=True)


def _counts(summary: str | None) -> tuple[Counter[str], Counter[str]]:
    """The invalid cells and the remarks of a summary."""
    counts = json.loads(summary or "{}")
    notes = {what.removeprefix(_NOTE): count for what, count in counts.items() if what.startswith(_NOTE)}
    return Counter({what: count for what, count in counts.items() if not what.startswith(_NOTE)}), Counter(notes)


def record_validation(
    connection: Connection,
    delivery: Ingested,
    outcome: Outcome,
    rejects: Path,
    *,
    files: ArchiveFiles | None = None,
    gate: GateResult | None = None,
    made_under: str | None = None,
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
        "conditions": made_under,
        "validated_at": now(),
        "run_id": RUN_ID,
    }
    connection.execute(insert(validation_log).values(row))


def refuse_purged(connection: Connection, delivery: Ingested) -> None:
    """What was purged comes back only when somebody wants it; raises RefusedError."""
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
