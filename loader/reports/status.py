"""Status: datasets x periods, from `meta` and the sizes of the files in the archive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from loader.project import Project
from loader.staging.archived import damage_of_version
from loader.warehouse import State, Version
from loader.warehouse.meta import etl_audit, ingestion_log, now, validation_log
from loader.warehouse.versions import active_version, same_bytes_elsewhere, versions_of

if TYPE_CHECKING:
    from loader.staging.sources import Source
    from loader.staging.unknown_files import UnknownFile


@dataclass(frozen=True)
class PeriodStatus:
    """The state of one period of one dataset."""

    dataset: str
    period: str
    state: str
    """`active`; `rolled_back`, `reset`, `purged`: nothing is in stage; `refused`; `ingested`: not loaded; `running`;
    `unknown`: a file in the landing folder that no contract knows."""
    version: int | None
    rows: int | None
    rejected: int | None
    file: str
    when: dt.datetime
    message: str | None = None
    unknown_keys: int | None = None
    """Keys of the active load that only rejected rows have: it says nothing of them."""
    unreadable_keys: int | None = None
    """Its rejected rows without a readable key: above 0, it is incomplete."""
    same_bytes: str | None = None
    """Which earlier load of another period has the bytes of its file, in words that follow the file's name."""
    older_contract: str | None = None
    """Of a period that was read under an older contract: where its file is; None when it was read under today's."""
    damage: str | None = None
    """What is wrong with the parquet file of its active load, by its size: `gone` or `other size`; None for nothing."""


def status(project: Project, dataset: str | None = None, older: Sequence[Source] = ()) -> list[PeriodStatus]:
    """One entry per dataset and period that was ever delivered, and one per file of which the last was no good.

    Such a file is shown until a newer one of its period or of its name is in. `older` are the deliveries that were read
    under an older contract.
    """
    lines = project.warehouse.run(lambda c: list(_status(c, project, dataset)))
    places = {(one.version.dataset, one.version.data_period): one.place for one in older}
    return [
        replace(line, older_contract=places.get((line.dataset, line.period))) if line.state == State.ACTIVE else line
        for line in lines
    ]


def of_unknown(files: Iterable[UnknownFile]) -> list[PeriodStatus]:
    """One entry per file in the landing folder that no contract knows."""
    return [PeriodStatus("?", "?", "unknown", None, None, None, one.file, now(), one.message) for one in files]


def _status(connection: Connection, project: Project, dataset: str | None) -> Iterable[PeriodStatus]:
    contracts = project.contracts
    rejected = _rejected(connection)
    refused = _refused(connection)
    for contract in contracts:
        if dataset not in (None, contract.name):
            continue
        by_period: dict[str, list[Version]] = {}
        for version in versions_of(connection, contract.name):
            by_period.setdefault(version.data_period, []).append(version)
        every = [version for versions in by_period.values() for version in versions]
        lines = [_of_period(project, versions, rejected, every) for versions in by_period.values()]
        lines += [line for line in refused if line.dataset == contract.name]
        yield from sorted(lines, key=lambda line: (line.period, line.when))
    if dataset is None:
        yield from (line for line in refused if contracts.get(line.dataset) is None)


def _of_period(
    project: Project, versions: list[Version], rejected: dict[int, int], every: list[Version]
) -> PeriodStatus:
    """The status of a period by its versions; `every` are those of all periods of the dataset."""
    active = active_version(versions)
    last = active or versions[-1]
    states = {version.state for version in versions}
    if active:
        state = State.ACTIVE
    elif states <= {State.RESET, State.PURGED}:
        state = State.RESET if State.RESET in states else State.PURGED
    else:
        state = State.ROLLED_BACK
    return PeriodStatus(
        last.dataset,
        last.data_period,
        state,
        active.version_no if active else None,
        last.row_count if active else 0,
        rejected.get(last.file_id, 0) if active else None,
        last.file_name,
        last.loaded_at,
        unknown_keys=active.unknown_keys if active else None,
        unreadable_keys=active.unreadable_keys if active else None,
        same_bytes=same_bytes_elsewhere(every, active.data_period, active.file_sha256, active.load_id)
        if active
        else None,
        damage=damage_of_version(project, active, by_hash=False) if active else None,
    )


def _rejected(connection: Connection) -> dict[int, int]:
    log = validation_log.c
    rows = connection.execute(
        select(log.file_id, log.rows_rejected)
        .where((log.gate == "contract") & (log.status == "passed"))
        .order_by(log.validation_id)
    )
    return {row.file_id: row.rows_rejected for row in rows}


def _refused(connection: Connection) -> list[PeriodStatus]:
    """Files that are not in stage as they were last looked at, and nothing newer is: what was said of each last."""
    loaded: set[int] = set()
    last_loads: dict[tuple[str, ...], dt.datetime] = {}
    for version in (version for name in _datasets(connection) for version in versions_of(connection, name)):
        loaded.add(version.file_id)
        for what in ((version.dataset, version.data_period), (version.file_name,)):
            last_loads[what] = max(version.loaded_at, last_loads.get(what, version.loaded_at))
    last_steps = _last_steps(connection)
    found = []
    for file in connection.execute(select(ingestion_log).order_by(ingestion_log.c.file_id)):
        step = last_steps.get(file.file_id)
        state = "refused" if file.status == "refused" or (step and step.status == "refused") else "ingested"
        if step and step.status in ("running", "interrupted", "failed"):
            state = step.status
        newest = [last_loads.get(what) for what in ((file.dataset, file.data_period), (file.file_name,))]
        if any(loaded_at and loaded_at > file.ingested_at for loaded_at in newest):
            continue
        if file.file_id in loaded and state == "ingested":
            continue
        message = file.message or (step.error if step else None)
        found.append(
            PeriodStatus(
                file.dataset or "?",
                file.data_period or "?",
                state,
                None,
                None,
                None,
                file.file_name,
                file.ingested_at,
                message,
            )
        )
    return found


def _last_steps(connection: Connection) -> dict[int, Any]:
    """The last step after its ingestion that each file went through, by file.

    A step knows the name of its file only, and senders use a name again: what happened from the ingestion of one
    content to that of the next belongs to the first.
    """
    file, step = ingestion_log.c, etl_audit.c
    owner = (
        select(file.file_id)
        .where(file.file_name == step.subject, file.ingested_at <= step.started_at)
        .where(file.dataset.is_not_distinct_from(step.dataset))
        .where(file.data_period.is_not_distinct_from(step.data_period))
        .order_by(file.ingested_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    steps = select(owner.label("file_id"), step.status, step.error).where(step.step != "ingest")
    return {row.file_id: row for row in connection.execute(steps.order_by(step.audit_id))}


def _datasets(connection: Connection) -> list[str]:
    return list(connection.execute(select(ingestion_log.c.dataset).distinct()).scalars().all())


def as_json(lines: Iterable[PeriodStatus]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{**vars(line), "when": line.when.isoformat()} for line in lines]
