"""What a file holds, known by its hash: it is not read again while its size and its times stay as they were.

A corrected file can have the size and the time of writing of the one before, as `cp -p` leaves it. Then its time of
change tells, which no program sets; Windows has no such time.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Connection, select, update

from loader.files import sha256_of
from loader.project import Project
from loader.warehouse.meta import ingestion_log, now

_EPOCH = dt.datetime(1970, 1, 1)
_LAST_SECOND = (dt.datetime(9999, 12, 31) - _EPOCH).total_seconds()
"""A file system may hold times that no calendar knows."""


_TICK = dt.timedelta(milliseconds=50)
"""File systems take their times from a clock that stands still for some milliseconds: git's rule for a racy index."""


@dataclass(frozen=True)
class Content:
    """What a file held when it was looked at: size in bytes, time of writing in UTC, and the hash of its bytes."""

    size: int
    modified_at: dt.datetime
    sha256: str
    looked_at: dt.datetime = field(compare=False)
    """Just before its bytes were read, in UTC."""

    @classmethod
    def of(cls, path: Path, seen: Content | None = None) -> Content:
        """The content of a file; it is not read again when it has not changed since it was `seen`.

        Raises:
            OSError: it cannot be read, or is a folder, a pipe or a device (which may have no end).
        """
        looked_at = now()  # both before the hash, so that a file that grows meanwhile is read again the next time
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", str(path))
        modified_at, changed_at = _moment(status.st_mtime), _moment(status.st_ctime)
        is_as_seen = seen is not None and (seen.size, seen.modified_at) == (status.st_size, modified_at)
        if seen is not None and is_as_seen and changed_at < seen.looked_at - _TICK:
            return seen
        return cls(status.st_size, modified_at, sha256_of(path), looked_at)

    @classmethod
    def recorded(cls, row: Any) -> Content:
        """The content that a row of `meta.ingestion_log` tells of."""
        return cls(row.size_bytes, row.modified_at, row.sha256, row.ingested_at)

    @staticmethod
    def columns() -> tuple[Column[Any], ...]:
        """The columns of `meta.ingestion_log` that such a row needs."""
        log = ingestion_log.c
        return (log.size_bytes, log.modified_at, log.sha256, log.ingested_at)


def _moment(seconds: float) -> dt.datetime:
    return _EPOCH + dt.timedelta(seconds=min(max(seconds, 0), _LAST_SECOND))


def full_path(path: Path) -> str:
    """The path by which a file is recorded, without links."""
    return os.path.realpath(path)


@dataclass(frozen=True)
class Visits:
    """The files that were ingested, as they were then; the last visit to a path counts."""

    _rows: Sequence[Any]

    @cached_property
    def contents(self) -> Mapping[str, Content]:
        """What each file held, by its full path."""
        return {row.file_path: Content.recorded(row) for row in self._rows}

    @cached_property
    def periods(self) -> Mapping[tuple[str, str], str]:
        """The period as which bytes were ingested, by their hash and the dataset."""
        from loader.archive.kept import is_kept  # heavy, and seldom needed

        # what the archive has kept is read again for its old period, whatever a contract says today
        told = (row for row in self._rows if row.data_period is not None and not is_kept(Path(row.file_path)))
        return {(row.sha256, row.dataset): row.data_period for row in told}


_visits: WeakKeyDictionary[Project, Visits] = WeakKeyDictionary()


def last_visits(project: Project, connection: Connection) -> Visits:
    """The files that were ingested; asked once, and again after an ingestion."""
    if project not in _visits:
        log = ingestion_log.c
        columns = (log.file_path, *Content.columns(), log.dataset, log.data_period)
        _visits[project] = Visits(connection.execute(select(*columns).order_by(log.ingested_at)).all())
    return _visits[project]


def renew_visits(project: Project, connection: Connection, contents: Mapping[str, Content]) -> None:
    """Write down by full path which files were read again and hold what they held: they need not be read next time."""
    log = ingestion_log.c
    for path, content in contents.items():
        this = (log.file_path == path) & (log.sha256 == content.sha256)
        connection.execute(update(ingestion_log).where(this).values(ingested_at=content.looked_at))
    forget_visits(project)


def forget_visits(project: Project) -> None:
    """Ask again the next time: another file was ingested."""
    _visits.pop(project, None)
