"""Selection: which of the landed deliveries are to be loaded, in which order, and why the others are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from loader.archive.damage import Damage
from loader.project import Project
from loader.staging.archived import damage_of_version
from loader.staging.content import Content, full_path, last_visits, renew_visits
from loader.staging.ingest import Ingested, ingest, ingest_kept
from loader.staging.landing import Landed
from loader.staging.sources import Place, Source
from loader.warehouse import State, Version
from loader.warehouse.versions import active_version, rollback_command, versions_of


@dataclass(frozen=True)
class Standing:
    """How a period stands: the load that is active, and the version of each content that it has had."""

    active: Version | None
    known: Mapping[str, Version]

    @classmethod
    def of(cls, versions: Sequence[Version]) -> Standing:
        """The standing of a period of these versions; of two of a content the active one counts."""
        known = {version.file_sha256: version for version in versions if not version.is_forgotten}
        active = active_version(versions)
        return cls(active, known | ({active.file_sha256: active} if active else {}))


@dataclass(frozen=True)
class Candidate:
    """A landed delivery, and why it shall or shall not be loaded."""

    landed: Landed
    seen: Content | None = None
    """What the file holds, when the selection had to read it."""
    refusal: str | None = None
    unchanged: str | None = None
    kept: Source | None = None
    """Where the archive has kept it, when it did not land."""
    replaces: int | None = None
    """The load that it shall replace, and no other: of a file that is read again though nobody asked for just that."""
    damage: Damage | None = None
    """What is wrong with the file of its rows in the archive, so that it is read again though stage has it."""
    named: bool = False
    """Whether somebody named it, so that it is loaded even when it is older than the active one."""

    @classmethod
    def of(cls, source: Source) -> Candidate:
        """A delivery that was loaded before, to be loaded again."""
        kept = source if source.place is Place.KEPT else None
        return cls(source.landed, source.content, kept=kept, replaces=source.version.load_id)

    def needless(self, sha256: str | None, standing: Standing) -> str | None:
        """Why a file of this content is not to be loaded, as its period stands; None when it is."""
        if self.replaces is not None:  # what comes in its place then is refused
            return None
        version = standing.known.get(sha256) if sha256 else None
        if version is not None:
            is_due = version.is_active and version.contract_fingerprint != self.landed.contract.fingerprint
            return None if is_due else _known(self.landed, version)
        if standing.active is not None and not self.named and _is_older(self.landed, standing.active):
            return _older(self.landed, standing.active)
        return None

    def needless_now(self, sha256: str, versions: Sequence[Version]) -> str | None:
        """The same as the versions of its dataset are when its period is about to be replaced."""
        period = self.landed.period.name
        return self.needless(sha256, Standing.of([one for one in versions if one.data_period == period]))

    @contextmanager
    def ingested(self, project: Project) -> Iterator[Ingested]:
        """Ingest it; what is raised is that of `ingest`."""
        if self.kept is None:
            yield ingest(project, self.landed.path, self.seen)
            return
        with self.kept.opened() as unpacked:
            yield ingest_kept(project, unpacked, self.kept.content, self.kept.kept.path)


def select(project: Project, landed: Sequence[Landed], *, force: bool, named: bool) -> list[Candidate]:
    """Of the files of each period, those to load, in the order in which they follow each other.

    An embedded warehouse is made ready here. A file that comes alone is read before: the warehouse is opened once less.
    A file is known by its content, whatever its name. One that somebody `named` is loaded even when it is older than
    the active one. `force` loads what is known already: the file that was named, or the last of each period.
    """
    by_period: dict[tuple[str, str], list[Landed]] = defaultdict(list)
    for one in sorted(landed, key=lambda one: (one.contract.name, one.period, one.rank, one.name)):
        by_period[one.contract.name, one.period.name].append(one)
    alone = _content(landed[0].path, None) if len(landed) == 1 else None
    project.ensure_migrated()
    visits, versions = project.warehouse.run(
        lambda c: (last_visits(project, c), _versions(c, {name for name, _ in by_period}))
    )
    if alone is None:
        project.warehouse.let_go()
    selected: list[Candidate] = []
    for key, files in by_period.items():
        selected += _select_of_period(project, files, visits.contents, versions[key], alone, force=force, named=named)
    read_again = {
        path: one.seen
        for one in selected
        if one.seen is not None and visits.contents.get(path := full_path(one.landed.path)) == one.seen
    }
    if read_again:
        project.warehouse.run(lambda connection: renew_visits(project, connection, read_again))
    return selected


def _versions(connection: Connection, datasets: Iterable[str]) -> dict[tuple[str, str], list[Version]]:
    """The versions of each period of some datasets; a query for each period costs seconds when many have landed."""
    found: dict[tuple[str, str], list[Version]] = defaultdict(list)
    for name in datasets:
        for version in versions_of(connection, name):
            found[name, version.data_period].append(version)
    return found


def _select_of_period(
    project: Project,
    files: list[Landed],
    visits: Mapping[str, Content],
    versions: list[Version],
    alone: Content | None,
    *,
    force: bool,
    named: bool,
) -> list[Candidate]:
    standing = Standing.of(versions)
    due: list[tuple[Candidate, str | None]] = []
    selected = []
    damage: Damage | None = None
    for file in files:
        visit = visits.get(full_path(file.path))
        content = alone or _content(file.path, visit)
        version = standing.known.get(content.sha256) if content else None
        candidate = Candidate(file, seen=None if content is visit else content, named=named)
        forced = force and (named or file is files[-1])
        reason = None if forced else candidate.needless(content.sha256 if content else None, standing)
        if reason is not None and version is not None and version.is_active and damage is None:
            # what was looked at anew is compared by its bytes, as the delivery was; what was purged must not come back
            damage = None if version.purged_at else damage_of_version(project, version, by_hash=content is not visit)
            if damage is not None:
                due.append((replace(candidate, replaces=version.load_id, damage=damage), version.file_sha256))
                continue
        if reason is not None:
            selected.append(replace(candidate, unchanged=reason))
        else:
            replaced = version.load_id if version and not force else None
            due.append((replace(candidate, replaces=replaced), content.sha256 if content else None))
    for rank in {one.landed.rank for one, _ in due}:
        selected += _of_one_rank([(one, sha256) for one, sha256 in due if one.landed.rank == rank])
    return sorted(selected, key=lambda candidate: (candidate.landed.rank, candidate.landed.name))


def _of_one_rank(due: list[tuple[Candidate, str | None]]) -> list[Candidate]:
    """New files of a period of which nothing tells the later one: if they are the same, the first; else none."""
    (first, sha256), *others = due
    if sha256 is not None and all(one_sha256 == sha256 for _, one_sha256 in others):
        return [first, *(replace(one, unchanged=f"has the same bytes as {first.landed.name}") for one, _ in others)]
    names = ", ".join(one.landed.name for one, _ in due)
    return [replace(one, refusal=_twins(one.landed, names)) for one, _ in due]


def _content(path: Path, visit: Content | None) -> Content | None:
    """What a file holds; None when it cannot be read, and ingesting it will say why."""
    with suppress(OSError):
        return Content.of(path, visit)
    return None


def _known(file: Landed, version: Version) -> str:
    state = version.state.replace("_", " ")
    known = f"is version {version.version_no} of {file.contract.name} {version.data_period} ({state})"
    if version.purged_at is not None:
        return f"{known}; rows of it were purged, --force brings them back"
    if version.state is State.ACTIVE:
        return f"{known}; --force reads it again"
    again = rollback_command(version.dataset, version.data_period, version.version_no)
    return f"{known}; to make it active again: {again}"


def _twins(file: Landed, names: str) -> str:
    return (
        f"{file.name}: two new files for {file.contract.name} {file.period} and nothing tells which is the later "
        f"one ({names}); remove one, or give them an order that file_name in the contract knows"
    )


def _is_older(file: Landed, active: Version) -> bool:
    of_active = Landed(file.path, file.contract, file.period, active.file_order)
    return file.rank < of_active.rank


def _older(file: Landed, active: Version) -> str:
    return f"is older than the active {active.file_name}; --file-path {file.path} loads it all the same"
