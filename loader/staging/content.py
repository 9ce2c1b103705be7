"""What a file holds, known by its hash: it is not read again while its size and its time stay as they were."""

from __future__ import annotations

import datetime as dt
import errno
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, select

from loader.files import sha256_of
from loader.project import Project
from loader.warehouse.meta import ingestion_log

_EPOCH = dt.datetime(1970, 1, 1)
_LAST_SECOND = (dt.datetime(9999, 12, 31) - _EPOCH).total_seconds()
"""A file system may hold times that no calendar knows."""


@dataclass(frozen=True)
class Content:
    """What a file held when it was looked at: size in bytes, time of change in UTC, and the hash of its bytes."""

    size: int
    modified_at: dt.datetime
    sha256: str

    @classmethod
    def of(cls, path: Path, seen: Content | None = None) -> Content:
        """The content of a file; it is not read again when size and time of change are still as they were `seen`.

        Raises:
            OSError: it cannot be read, or is a folder, a pipe or a device (which may have no end).
        """
        status = path.stat()  # before the hash, so that a file that grows meanwhile is read again the next time
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", str(path))
        modified_at = _EPOCH + dt.timedelta(seconds=min(max(status.st_mtime, 0), _LAST_SECOND))
        if seen is not None and (seen.size, seen.modified_at) == (status.st_size, modified_at):
            return seen
        return cls(status.st_size, modified_at, sha256_of(path))


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
        return {row.file_path: Content(row.size_bytes, row.modified_at, row.sha256) for row in self._rows}

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
        columns = (log.file_path, log.size_bytes, log.modified_at, log.sha256, log.dataset, log.data_period)
        _visits[project] = Visits(connection.execute(select(*columns).order_by(log.ingested_at)).all())
    return _visits[project]


def forget_visits(project: Project) -> None:
    """Ask again the next time: another file was ingested."""
    _visits.pop(project, None)
