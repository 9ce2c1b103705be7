"""Where what was delivered for a load is today: in the landing folder, elsewhere, kept in the archive, or gone."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, select

from loader.archive.kept import KeptFile
from loader.contracts import Contract, Period
from loader.errors import RefusedError
from loader.project import Project
from loader.staging.content import Content, full_path, last_visits
from loader.staging.landing import (
    Landed,
    landing_files,
    recognise,
    recognise_landed,
    where_it_lay,
)
from loader.warehouse import Version
from loader.warehouse.meta import ingestion_log
from loader.warehouse.versions import versions_of


class Place(StrEnum):
    """Where the bytes of a load are."""

    LANDED = "landed"
    """In the landing folder, unchanged: the next load looks at the file."""
    KEPT = "kept"
    """Not landed, but kept in the archive."""
    ELSEWHERE = "elsewhere"
    """Unchanged where it was loaded from, outside of the landing folder."""
    PURGED = "purged"
    """Rows of the file were purged, so that it is not read again unless somebody wants it."""
    GONE = "gone"
    """Nowhere: the file is gone, or has other bytes."""


@dataclass(frozen=True)
class Source:
    """What was delivered for a load."""

    version: Version
    contract: Contract
    place: Place
    landed: Landed
    """Where it lies; when it is gone, where it lay."""
    content: Content
    """What it held when it was loaded, or holds now."""
    kept: KeptFile

    @property
    def is_of_contract(self) -> bool:
        """Whether it was read under today's contract."""
        return self.version.contract_fingerprint == self.contract.fingerprint

    @contextmanager
    def opened(self) -> Iterator[Landed]:
        """The delivery as a file; a kept one is unpacked as long as it is used, under the name that the sender gave it.

        Raises:
            RefusedError: the kept file is not the one that was delivered.
        """
        if self.place is not Place.KEPT:
            yield self.landed
            return
        with tempfile.TemporaryDirectory(prefix="almanac-kept-") as folder:
            path = Path(folder) / self.version.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.kept.unpack(path)
            yield replace(self.landed, path=path, delivered_as=self.version.file_name)


def find_sources(project: Project, versions: Sequence[Version]) -> list[Source]:
    """Where the deliveries of these versions are. No file is read of which size and time of change are as they were.

    Raises:
        EnvironmentFailedError: the landing folder is not there.
    """
    if not versions:
        return []
    known, visits = project.warehouse.run(lambda c: (_known_files(c), last_visits(project, c).contents))
    datasets = {version.dataset for version in versions}
    landed: dict[tuple[str, str], list[Landed]] = defaultdict(list)
    for path in landing_files(project):
        with suppress(RefusedError):  # another file
            one = recognise_landed(project, path)
            if one.contract.name in datasets:
                landed[one.contract.name, one.period.name].append(one)
    found = []
    for version in versions:
        recorded, then = known[version.file_id]
        contract = project.contract(version.dataset)
        path, period = where_it_lay(recorded, version.file_name), contract.period(version.data_period)
        lay = Landed(path, contract, period, version.file_order, version.file_name)
        kept = KeptFile.of(project.archived(version.dataset), lay.period, version.file_sha256)
        in_folder = landed[version.dataset, version.data_period]
        place, here, content = Place.GONE, lay, then
        if version.purged_at is not None:
            place = Place.PURGED
        elif there := _first_with(version.file_sha256, in_folder, visits):
            place, (here, content) = Place.LANDED, there
        elif kept.is_there:
            place = Place.KEPT
        elif there := _first_with(version.file_sha256, _still_recognised(project, lay), visits):
            place, (here, content) = Place.ELSEWHERE, there
        found.append(Source(version, contract, place, here, content, kept))
    return found


def loaded_periods(project: Project, contract: Contract) -> list[Period]:
    """The periods of a dataset that have an active load."""
    project.ensure_meta()
    versions = project.warehouse.run(lambda c: versions_of(c, contract.name))
    return [contract.period(version.data_period) for version in versions if version.is_active]


def _first_with(sha256: str, files: Sequence[Landed], visits: Mapping[str, Content]) -> tuple[Landed, Content] | None:
    """The first of some files that has these bytes."""
    for file in files:
        with suppress(OSError):
            content = Content.of(file.path, visits.get(full_path(file.path)))
            if content.sha256 == sha256:
                return file, content
    return None


def _still_recognised(project: Project, lay: Landed) -> list[Landed]:
    """The file where it was loaded from, if its name tells the same dataset and period by today's contracts."""
    with suppress(RefusedError):
        now = recognise(project, lay.path)
        if now.is_of(lay.contract.name, lay.period.name):
            return [now]
    return []


def _known_files(connection: Connection) -> dict[int, tuple[Path, Content]]:
    """Where each file lay when it was ingested last, and what it held, by its number."""
    log = ingestion_log.c
    rows = connection.execute(select(log.file_id, log.file_path, *Content.columns()))
    return {row.file_id: (Path(row.file_path), Content.recorded(row)) for row in rows}
