"""Load-stage: replace one period in one transaction, or not at all. Rollback is the same path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.exc import DataError

from loader.archive.difference import Delivery
from loader.archive.parquet import declared_type, filled_columns
from loader.contracts import Contract, Period, may_become
from loader.errors import EnvironmentFailedError, RefusedError
from loader.files import sha256_of
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.readers import READER_REVISION
from loader.staging.guard import GuardRefusedError, judge
from loader.staging.validation_record import Validated, refuse_purged
from loader.warehouse import State, Version
from loader.warehouse.meta import load_ids, now
from loader.warehouse.stage_table import loaded_tables
from loader.warehouse.version_changes import Change
from loader.warehouse.versions import (
    ArchiveFiles,
    active_version,
    move_archived,
    rollback_command,
    same_bytes_elsewhere,
    set_reader_revision,
    versions_of,
)


@dataclass(frozen=True)
class Loaded:
    """A delivery in stage."""

    load_id: int
    version_no: int
    rows: int
    replaced: int | None
    """The version that it superseded."""
    same_bytes: str | None = None
    """Which load of another period has the bytes of its file, in words."""


@dataclass(frozen=True)
class Unchanged:
    """A delivery that stage did not need."""

    reason: str
    """In words that follow the name of the file."""


@dataclass(frozen=True)
class _Origin:
    """Where the rows of a load come from: what every row of it carries."""

    load_id: int
    file_id: int
    loaded_at: dt.datetime
    files: ArchiveFiles


def load_stage(
    project: Project,
    validated: Validated,
    *,
    force: bool = False,
    replaces: int | None = None,
    needless: Callable[[Sequence[Version]], str | None] = lambda versions: None,  # noqa: ARG005
) -> Loaded | Unchanged:
    """Put the cleaned rows of a delivery into stage as a new version of its period.

    It may have to be that of the load that `replaces` names. `needless` tells of the versions of the dataset why it is
    not to be loaded; unless it is forced, it is asked of those that are there when the period is replaced, as the
    guard is.

    Raises:
        RefusedError: the guard refuses the delivery (and it is not forced), the archive file is not the one that was
            validated, the landed file is no longer the one that was read, or another load than `replaces` is active.
        EnvironmentFailedError: the database or the archive failed; the period is as it was.
    """
    delivery = validated.delivery
    contract, period = delivery.contract, delivery.period
    with project.audit.step("load-stage", dataset=contract.name, period=period.name, subject=delivery.name) as step:
        seen, load_id = project.warehouse.run(lambda c: (versions_of(c, contract.name), _new_load(c)))
        _refuse_edited(project, validated.files)

        def work(connection: Connection, seen: list[Version]) -> Loaded | Unchanged | list[Version]:
            done = _replace(connection, project, validated, load_id, seen, replaces, force=force)
            if not isinstance(done, list):
                step.rows_in = validated.outcome.rows_valid
                step.rows_out = done.rows if isinstance(done, Loaded) else None
                step.end(connection)
            return done

        def objection() -> str | None:
            if force:
                return None
            reason = needless(seen)
            if reason is None:
                _refuse_known(validated, seen)
                _ask_guard(project, validated, seen)
            return reason

        with _still_there(project, validated.files):
            reason = objection()
        if reason is not None:
            return Unchanged(reason)
        with (
            _still_there(project, validated.files),
            uploading(project, contract, period, validated.files, load_id),
        ):
            while isinstance(result := project.warehouse.run(partial(work, seen=seen)), list):
                seen = result
                reason = objection()
                if reason is not None:
                    return Unchanged(reason)
        return result


def _new_load(connection: Connection) -> int:
    return int(connection.execute(select(load_ids.next_value())).scalar_one())


@contextmanager
def uploading(
    project: Project, contract: Contract, period: Period, files: ArchiveFiles, load_id: int
) -> Iterator[None]:
    """While it lasts, a transaction can put the rows of a load into stage.

    Raises:
        RefusedError: a row does not fit the table.
        EnvironmentFailedError: the database failed.
    """
    with ExitStack() as stack:
        for table, parquet in _sources(project, contract, files):
            if parquet is not None:
                stack.enter_context(_fitting(project, contract, period, parquet))
                stack.enter_context(project.warehouse.uploaded(table, parquet, load_id))
        yield


def _sources(project: Project, contract: Contract, files: ArchiveFiles | None) -> Iterator[tuple[Table, Path | None]]:
    """The tables of a dataset, each with the file that a load fills it from; None where it has nothing for it."""
    names = [files.parquet_path, files.unknown_path] if files else [None, None]
    for table, name in zip(loaded_tables(contract), names, strict=False):
        yield table, project.archived(name) if name else None


@contextmanager
def _fitting(project: Project, contract: Contract, period: Period, parquet: Path) -> Iterator[None]:
    """Say of rows that do not fit where they are."""
    try:
        yield
    except DataError as error:
        # only its class: what a database says of data quotes it
        raise RefusedError(
            f"{contract.name} {period}: {project.shown(parquet)} does not match stage.{contract.name} "
            f"({type(error.orig).__name__}); load its file again: loader load --force --file-path …"
        ) from error


def _replace(
    connection: Connection,
    project: Project,
    validated: Validated,
    load_id: int,
    seen: list[Version],
    replaces: int | None,
    *,
    force: bool,
) -> Loaded | Unchanged | list[Version]:
    """The transaction of a load. When the versions are no longer those that the guard saw, returns them instead."""
    delivery = validated.delivery
    contract, period = delivery.contract, delivery.period
    project.warehouse.lock(connection, contract.name)
    versions = versions_of(connection, contract.name)
    if versions != seen:
        return versions
    if not force:
        refuse_purged(connection, delivery)
    delivery.refuse_overwritten()
    of_period = [version for version in versions if version.data_period == period.name]
    active = active_version(of_period)
    if replaces is not None and (active is None or active.load_id != replaces):
        raise RefusedError(
            f"{delivery.name}: {contract.name} {period} was loaded meanwhile; run the same command again"
        )
    outcome = validated.outcome
    unreadable = outcome.unreadable_keys if contract.knows_unknown else None
    hashes = [*validated.files.hashes.values()]
    same = (delivery.sha256, hashes, unreadable or 0, contract.fingerprint)
    if active and same == (
        active.file_sha256,
        [*active.files.hashes.values()],
        active.unreadable_keys or 0,
        active.contract_fingerprint,
    ):
        set_reader_revision(connection, active, READER_REVISION)
        _move_to_new(connection, project, active.files, validated.files)
        return Unchanged(f"has the cleaned rows of version {active.version_no}, which is active")
    origin = _Origin(load_id, delivery.file_id, now(), validated.files)
    rows = _replace_rows(connection, project, contract, period, origin)
    change = Change.begin(connection, contract.name, "load-stage", RUN_ID)
    if active is not None:
        change.set_state(active, State.SUPERSEDED)
    number = max((version.version_no for version in of_period), default=0) + 1
    change.add(
        {
            "load_id": load_id,
            "dataset": contract.name,
            "data_period": period.name,
            "period_start": period.start,
            "period_end": period.end,
            "version_no": number,
            "file_id": delivery.file_id,
            **asdict(validated.files),
            **_sizes(project, validated.files),
            "unknown_keys": outcome.unknown_keys if contract.knows_unknown else None,
            "unreadable_keys": unreadable,
            "contract_fingerprint": contract.fingerprint,
            "reader_revision": READER_REVISION,
            "row_count": rows,
            "loaded_at": origin.loaded_at,
        },
    )
    same_bytes = same_bytes_elsewhere(versions, period.name, delivery.sha256)
    return Loaded(load_id, number, rows, active.version_no if active else None, same_bytes)


def _sizes(project: Project, files: ArchiveFiles) -> dict[str, int | None]:
    sizes = {name: project.archived(name).stat().st_size for name in files.hashes}
    return {
        "parquet_bytes": sizes[files.parquet_path],
        "unknown_bytes": sizes[files.unknown_path] if files.unknown_path else None,
    }


def _move_to_new(connection: Connection, project: Project, files: ArchiveFiles, new: ArchiveFiles) -> None:
    """A file of the archive whose bytes were damaged keeps its name: what was written again has another one."""
    for name, there in zip(files.hashes, new.hashes, strict=True):
        if name != there:
            move_archived(connection, name, there, new.hashes[there], project.archived(there).stat().st_size)


def activate(
    connection: Connection,
    project: Project,
    contract: Contract,
    active: Version | None,
    wanted: Version | None,
) -> int:
    """The transaction of a rollback: `wanted` (or nothing) takes the place of `active`; returns the rows in stage."""
    version = wanted or active
    if version is None:
        return 0
    period = contract.period(version.data_period)
    origin = None
    if wanted is not None:
        origin = _Origin(wanted.load_id, wanted.file_id, wanted.loaded_at, wanted.files)
    rows = _replace_rows(connection, project, contract, period, origin)
    change = Change.begin(connection, contract.name, "rollback", RUN_ID)
    if active is not None:
        forward = wanted is not None and wanted.version_no > active.version_no
        change.set_state(active, State.SUPERSEDED if forward else State.ROLLED_BACK)
    if wanted is not None:
        change.set_state(wanted, State.ACTIVE)
    return rows


def _replace_rows(
    connection: Connection, project: Project, contract: Contract, period: Period, origin: _Origin | None
) -> int:
    """Delete the period, append the rows of its load and its unknown keys; returns the number of rows."""
    appended = []
    for table, parquet in _sources(project, contract, origin.files if origin else None):
        connection.execute(delete(table).where(table.c["_data_period"] == period.name))
        if origin is None or parquet is None:
            continue
        constants: dict[str, object] = {
            "_data_period": period.name,
            "_load_id": origin.load_id,
            "_loaded_at": origin.loaded_at,
            "_source_file_id": origin.file_id,
        }
        constants = {name: value for name, value in constants.items() if name in table.c}
        with _fitting(project, contract, period, parquet):
            appended.append(project.warehouse.engine.append_parquet(connection, table, parquet, constants))
    return appended[0] if appended else 0


def _refuse_known(validated: Validated, versions: list[Version]) -> None:
    """A file that gave way to another, or was rolled back, comes back by a rollback only."""
    delivery = validated.delivery
    this = [v for v in versions if v.file_id == delivery.file_id and not v.is_forgotten]
    if this and not any(v.is_active for v in this) and this[-1].contract_fingerprint == delivery.contract.fingerprint:
        known = this[-1]
        raise RefusedError(
            f"{delivery.name} is version {known.version_no} of {known.dataset} {known.data_period} "
            f"({known.state.replace('_', ' ')}); to make it active again: "
            f"{rollback_command(known.dataset, known.data_period, known.version_no)}"
        )


def _ask_guard(project: Project, validated: Validated, versions: list[Version]) -> None:
    contract, period, files = validated.delivery.contract, validated.delivery.period, validated.files
    active = active_version([version for version in versions if version.data_period == period.name])
    if active is not None and [*active.files.hashes.values()] == [*files.hashes.values()]:
        return  # the same rows: nothing ends or changes
    unknown = project.archived(files.unknown_path) if files.unknown_path else None
    is_incomplete = validated.outcome.unreadable_keys > 0
    delivery = Delivery(period, project.archived(files.parquet_path), unknown, is_incomplete)
    verdict = judge(project, contract, delivery, versions)
    if verdict.broken:
        raise GuardRefusedError(
            f"{contract.name} {period}: the guard refuses this delivery: {' and '.join(verdict.broken)}, compared with "
            f"{verdict.compared_with}. Look at it with `loader plan FILE`; if it is right, load it with --force",
            verdict.compared_with or "",
        )


def refuse_unfit(project: Project, contract: Contract, version: Version) -> None:
    """Check that an archived version still fits: same bytes as when it was loaded, types that today's take in.

    Raises:
        RefusedError: the file was edited, or a column has a type today that cannot take its values.
        EnvironmentFailedError: the file is gone.
    """
    _refuse_edited(project, version.files)
    import pyarrow.parquet as pq

    # the columns of its unknown keys are those of its rows
    path = project.archived(version.parquet_path)
    archived, filled = {field.name: field.type for field in pq.read_schema(path)}, filled_columns(path)
    for column in contract.columns:
        if column.name not in archived or column.name not in filled:
            continue
        was = declared_type(archived[column.name])
        if not may_become(was, column.type, is_key=column.name in contract.key):
            raise RefusedError(
                f"version {version.version_no} of {contract.name} {version.data_period} was made when '{column.name}' "
                f"was {was.name if was.name == 'varchar' else was}, today it is {column.type}; load its file again "
                "instead: loader load --force --file-path …"
            )


@contextmanager
def _still_there(project: Project, files: ArchiveFiles) -> Iterator[None]:
    """Say of a failure that a file of the archive is gone, where it is: a purge may have taken it meanwhile."""
    try:
        yield
    except RefusedError:
        raise
    except Exception:
        _refuse_edited(project, files)
        raise


def _refuse_edited(project: Project, files: ArchiveFiles) -> None:
    for name, sha256 in files.hashes.items():
        path = project.archived(name)
        if not path.exists():
            raise EnvironmentFailedError(f"{project.shown(path)} is gone from the archive; restore it from a backup")
        if sha256_of(path) != sha256:
            raise RefusedError(
                f"{project.shown(path)} was edited after it was validated; restore it from a backup or validate again"
            )
