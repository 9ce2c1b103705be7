"""Load-stage: replace one period in one transaction, or not at all. Rollback is the same path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import DataError

from loader.archive.parquet import arrow_type
from loader.contracts import Contract, Period
from loader.errors import EnvironmentFailedError, RefusedError
from loader.files import sha256_of
from loader.project import Project
from loader.readers import READER_REVISION
from loader.staging.guard import judge
from loader.staging.validate import Validated
from loader.warehouse import State, Version
from loader.warehouse.meta import load_ids, now
from loader.warehouse.stage_table import stage_table
from loader.warehouse.versions import active_version, add_version, set_reader_revision, set_state, versions_of


@dataclass(frozen=True)
class Loaded:
    """A delivery in stage."""

    load_id: int
    version_no: int
    rows: int
    replaced: int | None
    """The version that it superseded."""
    reloaded: bool = True
    """False when the same content was active already, so that nothing was done."""


@dataclass(frozen=True)
class _Origin:
    """Where the rows of a load come from: what every row of it carries."""

    load_id: int
    file_id: int
    loaded_at: dt.datetime
    parquet: Path


def load_stage(project: Project, validated: Validated, *, force: bool = False, replaces: int | None = None) -> Loaded:
    """Put the cleaned rows of a delivery into stage as a new version of its period.

    It may have to be that of the load that `replaces` names.

    Raises:
        RefusedError: the guard refuses the delivery (and it is not forced), the archive file is not the one that was
            validated, or another load than `replaces` is active.
        EnvironmentFailedError: the database or the archive failed; the period is as it was.
    """
    delivery = validated.delivery
    contract, period = delivery.contract, delivery.period
    parquet = project.archived(validated.parquet)
    with project.audit.step(
        "load-stage", dataset=contract.name, period=period.name, subject=delivery.path.name
    ) as step:
        _refuse_edited(project, parquet, validated.parquet_sha256)
        seen, load_id = project.warehouse.run(lambda c: (versions_of(c, contract.name), _new_load(c)))
        if not force:
            _refuse_known(validated, seen)
            _ask_guard(project, contract, period, parquet, seen)

        def work(connection: Connection, seen: list[Version]) -> Loaded | list[Version]:
            done = _replace(connection, project, validated, load_id, seen, replaces)
            if isinstance(done, Loaded):
                step.rows_in, step.rows_out = validated.outcome.rows_valid, done.rows
                step.end(connection)
            return done

        with uploading(project, contract, period, parquet, load_id):
            while True:
                result = project.warehouse.run(partial(work, seen=seen))
                if isinstance(result, Loaded):
                    return result
                seen = result
                if not force:
                    _ask_guard(project, contract, period, parquet, seen)


def _new_load(connection: Connection) -> int:
    return int(connection.execute(select(load_ids.next_value())).scalar_one())


@contextmanager
def uploading(project: Project, contract: Contract, period: Period, parquet: Path, load_id: int) -> Iterator[None]:
    """While it lasts, a transaction can put the rows of a load into stage.

    Raises:
        RefusedError: a row does not fit the table.
        EnvironmentFailedError: the database failed.
    """
    with (
        _fitting(project, contract, period, parquet),
        project.warehouse.uploaded(stage_table(contract), parquet, load_id),
    ):
        yield


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
) -> Loaded | list[Version]:
    """The transaction of a load. When the versions are no longer those that the guard saw, returns them instead."""
    delivery = validated.delivery
    contract, period = delivery.contract, delivery.period
    project.warehouse.engine.lock(connection, contract.name)
    versions = versions_of(connection, contract.name)
    if versions != seen:
        return versions
    of_period = [version for version in versions if version.data_period == period.name]
    active = active_version(of_period)
    if replaces is not None and (active is None or active.load_id != replaces):
        raise RefusedError(
            f"{delivery.path.name}: {contract.name} {period} was loaded meanwhile; run the same command again"
        )
    same = (delivery.sha256, validated.parquet_sha256, contract.fingerprint)
    if active and (active.file_sha256, active.parquet_sha256, active.contract_fingerprint) == same:
        set_reader_revision(connection, active, READER_REVISION)
        return Loaded(active.load_id, active.version_no, active.row_count, None, reloaded=False)
    origin = _Origin(load_id, delivery.file_id, now(), project.archived(validated.parquet))
    rows = _replace_rows(connection, project, contract, period, origin)
    if active is not None:
        set_state(connection, active, State.SUPERSEDED)
    number = max((version.version_no for version in of_period), default=0) + 1
    add_version(
        connection,
        {
            "load_id": load_id,
            "dataset": contract.name,
            "data_period": period.name,
            "period_start": period.start,
            "period_end": period.end,
            "version_no": number,
            "file_id": delivery.file_id,
            "parquet_path": validated.parquet,
            "parquet_sha256": validated.parquet_sha256,
            "contract_fingerprint": contract.fingerprint,
            "reader_revision": READER_REVISION,
            "row_count": rows,
            "loaded_at": origin.loaded_at,
        },
    )
    return Loaded(load_id, number, rows, active.version_no if active else None)


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
        archived = project.archived(wanted.parquet_path)
        origin = _Origin(wanted.load_id, wanted.file_id, wanted.loaded_at, archived)
    rows = _replace_rows(connection, project, contract, period, origin)
    if active is not None:
        forward = wanted is not None and wanted.version_no > active.version_no
        set_state(connection, active, State.SUPERSEDED if forward else State.ROLLED_BACK)
    if wanted is not None:
        set_state(connection, wanted, State.ACTIVE)
    return rows


def _replace_rows(
    connection: Connection, project: Project, contract: Contract, period: Period, origin: _Origin | None
) -> int:
    """Delete the period, append the rows of its load; returns their number."""
    table = stage_table(contract)
    connection.execute(delete(table).where(table.c["_data_period"] == period.name))
    if origin is None:
        return 0
    constants = {
        "_data_period": period.name,
        "_load_id": origin.load_id,
        "_loaded_at": origin.loaded_at,
        "_source_file_id": origin.file_id,
    }
    with _fitting(project, contract, period, origin.parquet):
        return project.warehouse.engine.append_parquet(connection, table, origin.parquet, constants)


def _refuse_known(validated: Validated, versions: list[Version]) -> None:
    """A file that gave way to another, or was rolled back, comes back by a rollback only."""
    delivery = validated.delivery
    this = [v for v in versions if v.file_id == delivery.file_id]
    if this and not any(v.is_active for v in this) and this[-1].contract_fingerprint == delivery.contract.fingerprint:
        known = this[-1]
        raise RefusedError(
            f"{delivery.path.name} is version {known.version_no} of {known.dataset} {known.data_period} "
            f"({known.state.replace('_', ' ')}); to make it active again: loader rollback --dataset {known.dataset} "
            f"--period {known.data_period} --to {known.version_no}"
        )


def _ask_guard(project: Project, contract: Contract, period: Period, parquet: Path, versions: list[Version]) -> None:
    verdict = judge(project, contract, period, parquet, versions)
    if verdict.broken:
        raise RefusedError(
            f"{contract.name} {period}: the guard refuses this delivery: {' and '.join(verdict.broken)}, compared with "
            f"{verdict.compared_with}. Look at it with `loader plan FILE`; if it is right, load it with --force"
        )


def refuse_unfit(project: Project, contract: Contract, version: Version) -> None:
    """Check that an archived version still fits: same bytes as when it was loaded, and types as of today.

    Raises:
        RefusedError: the file was edited, or a column has another type today.
        EnvironmentFailedError: the file is gone.
    """
    path = project.archived(version.parquet_path)
    _refuse_edited(project, path, version.parquet_sha256)
    import pyarrow.parquet as pq

    archived = {field.name: field.type for field in pq.read_schema(path)}
    for column in contract.columns:
        was, needed = archived.get(column.name), arrow_type(column.type)
        if was is not None and was != needed:
            raise RefusedError(
                f"version {version.version_no} of {contract.name} {version.data_period} was made when '{column.name}' "
                f"was {was}, today it is {needed}; load its file again instead: loader load --force --file-path …"
            )


def _refuse_edited(project: Project, path: Path, sha256: str) -> None:
    if not path.exists():
        raise EnvironmentFailedError(f"{project.shown(path)} is gone from the archive; restore it from a backup")
    if sha256_of(path) != sha256:
        raise RefusedError(
            f"{project.shown(path)} was edited after it was validated; restore it from a backup or validate again"
        )
