"""What a file holds, known by its hash: it is not read again while its size and its time stay as they were."""

from __future__ import annotations

import datetime as dt
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from loader.files import sha256_of

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
