"""Purge: remove the rows of a key, or whole periods, from all that Almanac keeps.

It is the one exception to what the archive promises. Order of the steps, so that a purge that was killed is finished
by the same command:

1. The rest of each file of the archive is written under a new name; nothing refers to it yet.
2. One transaction, under the lock of the dataset: stage, the versions and their files, the marks in the ledger.
3. The old files and the rejects are deleted. What is left of them is found by their content, not by `meta`.
4. The engine lets go of the bytes, as soon as no history waits for a build.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, select, update

from loader import console
from loader.cleaned_file import publish, sha256_of, sweep
from loader.contracts import Contract
from loader.errors import EnvironmentFailedError, RefusedError
from loader.landing import Landed, recognise
from loader.meta import applied_load, dataset_version, ingestion_log, now, validation_log
from loader.project import Project, Stem
from loader.purge_scope import Scope, consumers
from loader.stage_table import STAGE, stage_table
from loader.versions import Version, move_archived, versions_of


@dataclass(frozen=True)
class Found:
    """Where the rows of a scope are."""

    archive: dict[Path, int]
    """Rows that go, by file."""
    gone: tuple[str, ...]
    """Files that should be in the archive and are not, so that nobody can look into them."""
    staged: int
    rejects: tuple[Path, ...]
    """The CSV files; the workbooks beside them go too."""
    landed: tuple[Landed, ...]
    unloaded: tuple[Landed, ...]
    """Those of them that the next load would take for new."""
    unreadable: tuple[str, ...]
    waiting: tuple[str, ...]
    """Histories and facts that hold such rows until the next build."""
    was_purged: bool
    """Whether there was a purge of the dataset before."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.archive or self.staged or self.rejects)

    @property
    def counts(self) -> str:
        rows, files = sum(self.archive.values()), len(self.archive)
        return (
            f"{rows:,} rows in {files:,} files of the archive, {self.staged:,} rows of stage, "
            f"{len(self.rejects):,} lists of rejects"
        )


@dataclass(frozen=True)
class Purged:
    """What a purge did."""

    found: Found
    waiting: tuple[str, ...] = ()
    """Histories and facts that hold such rows until the next build."""
    elsewhere: tuple[str, ...] = ()
    """Other tables that have rows of the key."""
    is_rewritten: bool = False
    """Whether the engine let go of the bytes."""


def purge(project: Project, scope: Scope, confirm: Callable[[Found], None]) -> Purged:
    """Remove the rows of a scope; `confirm` is shown what was found, and raises when it shall stay.

    Raises:
        EnvironmentFailedError: the database, the archive or the disk failed; the same command goes on where it ended.
    """
    contract = scope.contract
    try:
        found = look(project, scope)
        if found.is_empty and not found.was_purged:
            return Purged(found, found.waiting)
        if not found.is_empty:
            confirm(found)
        with project.audit.step("purge", dataset=contract.name, subject=f"{scope.words}: {found.counts}") as step:
            old, step.rows_out = project.warehouse.run(lambda c: _remove(c, project, scope, found))
            for path in (*old, *found.rejects, *(path.with_suffix(".xlsx") for path in found.rejects)):
                path.unlink(missing_ok=True)
            sweep(project.archived(contract.name))
            waiting, elsewhere, tables = project.warehouse.run(lambda c: _after(c, scope))
            if not waiting:
                project.warehouse.scrub(tables)
    except OSError as error:
        raise EnvironmentFailedError(f"{error}; run the same command again") from error
    return Purged(found, waiting, elsewhere, is_rewritten=not waiting)


def describe(project: Project, scope: Scope, found: Found) -> list[str]:
    """What a purge would do, a line each, without a value."""
    files = [project.shown(path) for path in found.rejects]
    return [
        f"purge of {scope.words} of {scope.contract.name}",
        f"archive:  {sum(found.archive.values()):,} rows of {len(found.archive):,} files",
        f"stage:    {found.staged:,} rows",
        f"rejects:  {', '.join(files) or 'none'}{' and the workbooks beside them' if files else ''}",
        f"history:  {'follows with the next `dbt build`' if found.waiting or found.staged else 'has nothing of it'}",
    ]


def tell(scope: Scope, done: Purged) -> list[str]:
    """What a purge did, and what it leaves to others, a line each."""
    found, lines = done.found, []
    if not found.is_empty:
        lines.append(f"purged     {scope.contract.name}  {scope.words}: {found.counts}")
    elif not found.was_purged:
        lines.append(f"nothing to purge: {scope.contract.name} has no such rows")
    if done.waiting:
        lines.append(
            f"waiting    {_listed(done.waiting)} still hold it; run `dbt build`, then the same purge once more"
        )
    if done.elsewhere:
        lines.append(
            f"elsewhere  {_listed(done.elsewhere)} have rows of this key; what is made from {scope.contract.name} "
            "follows with the next build, other datasets have to be purged too"
        )
    if done.is_rewritten:
        lines.append("rewritten  tables and files of the warehouse, so that deleted rows leave no bytes in them")
    if found.landed:
        lines.append(f"landed     files that the loader never edits hold it: {_listed(_names(found.landed))}")
    if found.unloaded:
        lines.append(f"           not loaded yet, the next load would bring it back: {_listed(_names(found.unloaded))}")
    if found.unreadable:
        lines.append(f"           cannot be read: {_listed(found.unreadable)}")
    if found.gone:
        lines.append(f"missing    in the archive, a backup may still hold it: {_listed(found.gone)}")
    return lines


def _names(landed: Sequence[Landed]) -> list[str]:
    return sorted({one.path.name for one in landed})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def look(project: Project, scope: Scope) -> Found:
    """Where the rows of a scope are. Changes nothing; takes as long as to read every file of the dataset."""
    contract = scope.contract
    with console.progress(f"looking for {scope.words} of {contract.name}", "deliveries") as seen:
        archive = _in_archive(project, scope)
        rejects = tuple(path for path in _rejects(project, contract) if scope.is_in_rejects(path))
        landed, unreadable = _in_deliveries(project, scope, seen)

    def ask(connection: Connection) -> Found:
        versions = versions_of(connection, contract.name)
        log = ingestion_log.c
        ingested = select(log.data_period, log.sha256).where(log.dataset == contract.name)
        known = {(row.data_period, row.sha256) for row in connection.execute(ingested)}
        here = select(func.count()).select_from(stage_table(contract)).where(scope.is_staged(versions))
        purged = select(func.count()).where(log.dataset == contract.name, log.purged_at.is_not(None))
        return Found(
            archive=archive,
            gone=tuple(_gone(project, versions)),
            staged=int(connection.execute(here).scalar_one()),
            rejects=rejects,
            landed=tuple(landed),
            unloaded=tuple(one for one in landed if (one.period.name, sha256_of(one.path)) not in known),
            unreadable=tuple(unreadable),
            waiting=tuple(scope.waiting(connection, versions)),
            was_purged=bool(connection.execute(purged).scalar_one()),
        )

    return project.warehouse.run(ask)


def _in_archive(project: Project, scope: Scope) -> dict[Path, int]:
    """The files of the archive that are concerned, known to `meta` or not, and how many rows of each."""
    folder = project.archived(scope.contract.name)
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        try:
            rows = scope.rows_in(path)
        except ValueError as error:  # Arrow's word for a file that is none
            raise EnvironmentFailedError(
                f"{project.shown(path)} cannot be read, so nobody can tell what it holds; restore it from a backup or "
                "remove it, and run the same command again"
            ) from error
        if rows is not None:
            found[path] = rows
    return found


def _rejects(project: Project, contract: Contract) -> list[Path]:
    """The CSV files of a dataset's rejects, also where only the workbook is left."""
    files = project.rejects("").glob(f"{contract.name}_*")
    named = (path for path in files if path.suffix in (".csv", ".xlsx") and Stem.of(contract, path.name))
    return sorted({path.with_suffix(".csv") for path in named})


def _in_deliveries(project: Project, scope: Scope, seen: Callable[[int], None]) -> tuple[list[Landed], list[str]]:
    """Deliveries that hold such rows, where they landed or were loaded from; and those that cannot be read."""
    log = ingestion_log.c
    ingested = select(log.file_path).where(log.dataset == scope.contract.name).distinct()
    known: list[str] = project.warehouse.run(lambda c: [*c.execute(ingested).scalars()])
    folder = project.settings.landing_dir
    landed = [path.resolve() for path in folder.iterdir()] if folder.is_dir() else []
    found, unreadable = [], []
    for number, path in enumerate(sorted({*landed, *map(Path, known)})):
        seen(number)
        with suppress(RefusedError):  # no delivery at all
            delivery = recognise(path, project.contracts)
            if not path.is_file() or delivery.contract.name != scope.contract.name:
                continue
            try:
                if scope.is_in_delivery(delivery):
                    found.append(delivery)
            except (RefusedError, OSError):
                unreadable.append(path.name)
    return found, unreadable


def _gone(project: Project, versions: Sequence[Version]) -> list[str]:
    kept = {version.parquet_path for version in versions if version.state != "purged"}
    return sorted(name for name in kept if not project.archived(name).exists())


def _remove(connection: Connection, project: Project, scope: Scope, found: Found) -> tuple[list[Path], int]:
    """The transaction; gives the files that nothing refers to any more, and the rows deleted from stage."""
    contract = scope.contract
    project.warehouse.engine.lock(connection, contract.name)
    versions = versions_of(connection, contract.name)
    known = _known_files(connection, contract)
    concerned: set[str] = set()
    files = _in_archive(project, scope)  # again: this is under the lock
    for path, rows in files.items():
        name = f"{contract.name}/{path.name}"
        concerned |= {version.data_period for version in versions if version.parquet_path == name}
        unfinished = path.with_name(f"{path.name}.purging-{os.getpid()}")
        if name in known and scope.keep_rest(path, unfinished):
            stem = Stem.of(contract, path.name)
            new, sha256 = publish(unfinished, f"{stem.base if stem else path.stem}.parquet")
            move_archived(connection, name, f"{contract.name}/{new}", sha256, rows)
    staged = stage_table(contract)
    here = scope.is_staged(versions)
    concerned |= set(connection.execute(select(staged.c["_data_period"]).where(here).distinct()).scalars())
    deleted = connection.execute(select(func.count()).select_from(staged).where(here)).scalar_one()
    connection.execute(delete(staged).where(here))
    scope.settle(connection, versions, sorted(concerned))
    _mark(connection, contract, [*files, *found.rejects], found.landed)
    return list(files), int(deleted)


def _known_files(connection: Connection, contract: Contract) -> set[str]:
    loaded = select(dataset_version.c.parquet_path).where(dataset_version.c.dataset == contract.name)
    checked = select(validation_log.c.parquet_path).where(validation_log.c.table_name == contract.name)
    return {str(row[0]) for query in (loaded, checked) for row in connection.execute(query)}


def _mark(connection: Connection, contract: Contract, files: Sequence[Path], landed: Sequence[Landed]) -> None:
    """Files that would bring the rows back are marked: they are not read again unless somebody wants it."""
    stems = [Stem.of(contract, path.name) for path in files]
    hashes = {stem.sha256 for stem in stems if stem} | {sha256_of(delivery.path)[:12] for delivery in landed}
    log = ingestion_log.c
    these = (log.dataset == contract.name) & func.substr(log.sha256, 1, 12).in_(sorted(hashes))
    connection.execute(update(ingestion_log).where(these).values(purged_at=now()))


def _after(connection: Connection, scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Tables that wait for a build, other tables with such rows, and those that rows were deleted from."""
    contract = scope.contract
    waiting = scope.waiting(connection, versions_of(connection, contract.name))
    elsewhere = [name for name in scope.elsewhere(connection) if name not in waiting]
    tables = [f"{STAGE}.{contract.name}", *consumers(connection, applied_load.c.dataset == contract.name)]
    return tuple(waiting), tuple(elsewhere), tables
