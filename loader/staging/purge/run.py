"""Purge: remove the rows of a key, or whole periods, from all that Almanac keeps.

It is the one exception to what the archive promises. Order of the steps, so that a purge that was killed is finished
by the same command:

1. The rest of each file of the archive is written under a new name; nothing refers to it yet.
2. One transaction, under the lock of the dataset: stage, the versions and their files, the marks in the ledger.
3. The old files and the rejects are deleted. What is left of them is found by their content, not by `meta`.
4. The engine lets go of the bytes, as soon as no history waits for a build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

from loader import console
from loader.archive import Stem
from loader.archive.kept import FOLDER, KeptFile, is_kept, kept_files
from loader.archive.publish import publish
from loader.contracts import Contract
from loader.errors import EnvironmentFailedError, RefusedError
from loader.files import sweep, unpublished
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.staging.content import Content, full_path, last_visits
from loader.staging.landing import Landed, landing_files, recognise, where_it_lay
from loader.staging.period_within import PeriodNotFoundError
from loader.staging.purge.scope import Scope
from loader.text import listed, plural
from loader.warehouse import State, Version
from loader.warehouse.build_mark import forget_gate_passes, withdraw_mark
from loader.warehouse.layers import STAGE
from loader.warehouse.ledger import applied_load, changes_of, consumers, followers, waiting_for_changes
from loader.warehouse.meta import dataset_version, etl_audit, ingestion_log, now, validation_log
from loader.warehouse.stage_table import loaded_tables
from loader.warehouse.transactions import portions
from loader.warehouse.version_changes import Change
from loader.warehouse.versions import move_archived, versions_of


@dataclass(frozen=True)
class Delivery:
    """A file of the sender that was looked into."""

    landed: Landed
    sha256: str
    holds: bool
    """Whether it holds rows of the scope."""


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
    kept: tuple[KeptFile, ...]
    """Delivered files in the archive that hold such rows, or may."""
    deliveries: tuple[Delivery, ...]
    unreadable: tuple[str, ...]
    unloaded: tuple[str, ...]
    """Deliveries with such rows that the next load would take for new."""
    waiting: tuple[str, ...]
    """Histories and facts that hold such rows until the next build."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.archive or self.staged or self.rejects or self.kept)

    @property
    def counts(self) -> str:
        """What was found, in one line of numbers."""
        rows, files = sum(self.archive.values()), len(self.archive)
        kept = f", {plural(len(self.kept), 'kept file')}" if self.kept else ""
        return (
            f"{rows:,} rows in {files:,} files of the archive, {self.staged:,} rows of stage, "
            f"{len(self.rejects):,} lists of rejects{kept}"
        )


@dataclass(frozen=True)
class Purged:
    """What a purge did."""

    found: Found
    waiting: tuple[str, ...]
    """Histories and facts that hold such rows until the next build."""
    elsewhere: tuple[str, ...]
    """Other tables that have rows of the key."""
    is_nobodys: bool
    """Whether no file and no table has the key, so that what waits is an earlier purge."""
    is_rewritten: bool
    """Whether the engine let go of the bytes of what was deleted."""


def purge(project: Project, scope: Scope, confirm: Callable[[Found], None]) -> Purged:
    """Remove the rows of a scope; `confirm` is shown what was found, and raises when it shall stay.

    Raises:
        EnvironmentFailedError: the database, the archive or the disk failed; the same command goes on where it ended.
    """
    contract = scope.contract
    try:
        found = look(project, scope)
        if not found.is_empty:
            confirm(found)
            with project.audit.step("purge", dataset=contract.name, subject=f"{scope.words}: {found.counts}") as step:
                old, step.rows_out = project.warehouse.run(lambda c: _remove(c, project, scope, found))
                workbooks = (path.with_suffix(".xlsx") for path in found.rejects)
                for path in (*old, *found.rejects, *workbooks, *(kept.path for kept in found.kept)):
                    path.unlink(missing_ok=True)
        folders = (project.archived(contract.name), project.archived(contract.name) / FOLDER)
        for folder in (*folders, project.rejects("")):
            sweep(folder)
        after = project.warehouse.run(lambda c: _after(c, scope))
        is_due = after.is_due and not after.waiting
        if is_due:
            with project.audit.step("rewrite", dataset=contract.name):
                project.warehouse.reclaim_space(after.tables)
    except OSError as error:
        raise EnvironmentFailedError(f"{error}; run the same command again") from error
    holds = not found.is_empty or any(one.holds for one in found.deliveries) or bool(found.unreadable or found.gone)
    return Purged(found, after.waiting, after.elsewhere, after.is_in_no_table and not holds, is_due)


def describe(project: Project, scope: Scope, found: Found) -> list[str]:
    """What a purge would do, a line each, without a value."""
    files = [project.shown(path) for path in found.rejects]
    return [
        f"purge of {scope.words} of {scope.contract.name}",
        f"archive:  {sum(found.archive.values()):,} rows of {len(found.archive):,} files",
        f"stage:    {found.staged:,} rows",
        *([f"kept:     {plural(len(found.kept), 'delivered file')}"] if found.kept else []),
        f"rejects:  {listed(files)}{' and the workbooks beside them' if files else ''}",
        f"history:  {'follows with the next `dbt build`' if found.waiting or found.staged else 'has nothing of it'}",
    ]


def summarize(scope: Scope, done: Purged) -> list[str]:
    """What a purge did, and what it leaves to others, a line each."""
    found, lines = done.found, []
    if not found.is_empty:
        lines.append(f"purged     {scope.contract.name}  {scope.words}: {found.counts}")
    else:
        lines.append(f"nothing to purge: {scope.contract.name} has no such rows")
    if done.waiting and done.is_nobodys:
        lines.append(f"waiting    an earlier purge waits for a build of {listed(done.waiting)}; this key is nobody's")
    elif done.waiting:
        lines.append(f"waiting    {listed(done.waiting)} still hold it; run `dbt build`, then the same purge once more")
    if done.elsewhere:
        lines.append(
            f"elsewhere  {listed(done.elsewhere)} have rows of this key; what is made from {scope.contract.name} "
            "follows with the next build, other datasets have to be purged too"
        )
    if done.is_rewritten:
        lines.append("rewritten  tables and files of the warehouse, so that deleted rows leave no bytes in them")
    landed = sorted({one.landed.name for one in found.deliveries if one.holds})
    if landed:
        lines.append(f"landed     files that the loader never edits hold it: {listed(landed)}")
    if found.unloaded:
        lines.append(f"           not loaded yet, the next load would bring it back: {listed(found.unloaded)}")
    if found.unreadable:
        lines.append(f"           cannot be read: {listed(found.unreadable)}")
    if found.gone:
        lines.append(f"missing    in the archive, a backup may still hold it: {listed(found.gone)}")
    return lines


def look(project: Project, scope: Scope) -> Found:
    """Where the rows of a scope are. Changes nothing; takes as long as to read every file of the dataset."""
    contract = scope.contract
    with console.progress(f"looking for {scope.words} of {contract.name}", "deliveries") as seen:
        archive = _in_archive(project, scope)
        rejects = tuple(path for path in _rejects(project, contract) if scope.is_in_rejects(path))
        deliveries, unreadable = _in_deliveries(project, scope, seen)
        kept = tuple(_kept(project, scope))

    def ask(connection: Connection) -> Found:
        versions = versions_of(connection, contract.name)
        log = ingestion_log.c
        ingested = select(log.data_period, log.sha256).where(log.dataset == contract.name)
        known = {(row.data_period, row.sha256) for row in connection.execute(ingested)}
        holding = [one for one in deliveries if one.holds]
        new = {one.landed.name for one in holding if (one.landed.period.name, one.sha256) not in known}
        return Found(
            archive=archive,
            gone=tuple(_gone(project, versions)),
            staged=sum(_count(connection, table, scope.is_staged()) for table in loaded_tables(contract)),
            rejects=rejects,
            kept=kept,
            deliveries=tuple(deliveries),
            unreadable=tuple(unreadable),
            unloaded=tuple(sorted(new)),
            waiting=tuple(scope.waiting(connection)),
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


def _kept(project: Project, scope: Scope) -> Iterator[KeptFile]:
    """The kept files of a dataset that are concerned."""
    contract, log = scope.contract, ingestion_log.c
    query = select(log.sha256, log.file_name).where(log.dataset == contract.name)
    names = {row.sha256: row.file_name for row in project.warehouse.run(lambda c: c.execute(query).all())}
    for kept in kept_files(contract, project.archived(contract.name)):
        if scope.is_in_kept(kept, names.get(kept.sha256, kept.path.name)):
            yield kept


def _in_deliveries(project: Project, scope: Scope, seen: Callable[[int], None]) -> tuple[list[Delivery], list[str]]:
    """The deliveries of a dataset, where they landed or were loaded from; and those that cannot be read."""
    log = ingestion_log.c
    ingested = select(log.file_path, log.file_name).where(log.dataset == scope.contract.name).distinct()
    known, visits = project.warehouse.run(lambda c: (c.execute(ingested).all(), last_visits(project, c).contents))
    lay = {row.file_path: where_it_lay(Path(row.file_path), row.file_name) for row in known}
    files = {path: there for path, there in lay.items() if not is_kept(Path(path))}
    files |= {full_path(path): path for path in landing_files(project)}
    found, unreadable = [], []
    for number, (full, path) in enumerate(sorted(files.items())):
        seen(number)
        with suppress(RefusedError):  # no delivery at all
            try:
                delivery = recognise(project, path)
            except PeriodNotFoundError as error:
                if error.dataset == scope.contract.name and path.is_file():
                    unreadable.append(path.name)
                continue
            if not path.is_file() or delivery.contract.name != scope.contract.name:
                continue
            try:
                content = Content.of(path, visits.get(full))
                found.append(Delivery(delivery, content.sha256, scope.is_in_delivery(delivery)))
            except (RefusedError, OSError):
                unreadable.append(path.name)
    return found, unreadable


def _gone(project: Project, versions: Sequence[Version]) -> list[str]:
    kept = {name for version in versions if version.state is not State.PURGED for name in version.files.hashes}
    return sorted(name for name in kept if not project.archived(name).exists())


def _count(connection: Connection, table: Table, here: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(here)).scalar_one())


def _remove(connection: Connection, project: Project, scope: Scope, found: Found) -> tuple[list[Path], int]:
    """The transaction; returns the files that nothing refers to any more, and the rows deleted from stage."""
    contract = scope.contract
    project.warehouse.lock(connection, contract.name)
    versions = versions_of(connection, contract.name)
    known = _known_files(connection, contract)
    concerned: set[str] = set()
    moved: set[str] = set()
    files = _in_archive(project, scope)  # again: this is under the lock
    for path, rows in files.items():
        name = f"{contract.name}/{path.name}"
        concerned |= {version.data_period for version in versions if name in version.files.hashes}
        unfinished = unpublished(path)
        if name in known and scope.keep_rest(path, unfinished):
            stem = Stem.of(contract, path.name)
            new, sha256 = publish(unfinished, stem.parquet if stem else path.name)
            size = path.with_name(new).stat().st_size
            move_archived(connection, name, f"{contract.name}/{new}", sha256, size, rows)
            moved.add(name)
    here, deleted = scope.is_staged(), 0
    for table in loaded_tables(contract):
        concerned |= set(connection.execute(select(table.c["_data_period"]).where(here).distinct()).scalars())
        deleted += _count(connection, table, here)
        connection.execute(delete(table).where(here))
        for waiting in project.warehouse.engine.stage_tables(table)[1:]:
            connection.execute(delete(waiting))  # a load that died left them; one that lives starts again
    change = Change.begin(connection, contract.name, "purge", RUN_ID)
    change.record_rows(version for version in versions if not moved.isdisjoint(version.files.hashes))
    scope.record_for_history(change, versions, sorted(concerned))
    withdraw_mark(connection)
    forget_gate_passes(connection)
    _mark(connection, contract, list(files), found)
    return list(files), deleted


def _known_files(connection: Connection, contract: Contract) -> set[str]:
    loaded, checked = dataset_version.c, validation_log.c
    queries = (
        select(loaded.parquet_path, loaded.unknown_path).where(loaded.dataset == contract.name),
        select(checked.parquet_path, checked.unknown_path).where(checked.table_name == contract.name),
    )
    return {str(name) for query in queries for row in connection.execute(query) for name in row}


def _mark(connection: Connection, contract: Contract, archive: Sequence[Path], found: Found) -> None:
    """Files that would bring the rows back are marked: they are not read again unless somebody wants it.

    What was rejected may be valid under another contract; only a look into the delivery tells that it is not there.
    """
    stems = [Stem.of(contract, path.name) for path in (*archive, *found.rejects)]
    clean = {one.sha256[:12] for one in found.deliveries if not one.holds}
    hashes = {one.sha256[:12] for one in found.deliveries if one.holds}
    hashes |= {stem.sha256 for stem in stems if stem} - clean
    hashes |= {kept.sha256[:12] for kept in found.kept} - clean
    log = ingestion_log.c
    moment = now()
    for some in portions(sorted(hashes)):
        these = (log.dataset == contract.name) & func.substring(log.sha256, 1, 12).in_(some)
        connection.execute(update(ingestion_log).where(these).values(purged_at=moment))


@dataclass(frozen=True)
class _After:
    waiting: tuple[str, ...]
    elsewhere: tuple[str, ...]
    is_in_no_table: bool
    tables: list[str]
    """Those that rows were deleted from, by the purge or by the builds after it."""
    is_due: bool
    """Whether there was a purge since the warehouse let go of bytes last."""


def _after(connection: Connection, scope: Scope) -> _After:
    contract, audit = scope.contract, etl_audit.c
    read_by = consumers(connection, applied_load.c.dataset == contract.name)
    changes = changes_of(connection, read_by)
    waiting = [*scope.waiting(connection)]
    waiting += waiting_for_changes(connection, changes)
    having = scope.elsewhere(connection)
    elsewhere = [name for name in having if name not in (*waiting, *changes)]
    is_in_no_table = not having and not scope.waits_by_period
    staged = [f"{STAGE}.{table.name}" for table in loaded_tables(contract)]
    tables = [*staged, *read_by, *followers(connection, read_by), *changes]
    steps = select(func.max(audit.audit_id)).where(audit.dataset == contract.name)
    purged = connection.execute(steps.where(audit.step == "purge")).scalar()
    rewritten = connection.execute(steps.where((audit.step == "rewrite") & (audit.status == "done"))).scalar()
    is_due = purged is not None and purged > (rewritten or 0)
    return _After(tuple(waiting), tuple(elsewhere), is_in_no_table, tables, is_due)
