"""One folder for all processes of a test run: what one of them has made, the others copy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
from filelock import FileLock

_NAMED_BY = "TEST_RUN_FOLDER"
_MEMORY = Path("/dev/shm")
"""Files in memory, on Linux: to make a database there takes a seventh of what it takes on a disk, a project a third."""
_ROOM = 4 << 30
"""Bytes that must be free in memory, to work there."""


def begin_run() -> None:
    """Make the folder; the processes that this one starts find it in their environment."""
    if _NAMED_BY not in os.environ:
        if "TMPDIR" not in os.environ and _has_room():
            os.environ["TMPDIR"] = str(_MEMORY)
            tempfile.tempdir = None  # it may have looked already
        folder = Path(tempfile.mkdtemp(prefix="almanac-run-"))
        folder.chmod(0o755)  # a server that root starts runs as another user
        os.environ[_NAMED_BY] = str(folder)


def _has_room() -> bool:
    if not (_MEMORY.is_mount() and os.access(_MEMORY, os.W_OK)):
        return False
    return min(psutil.disk_usage(str(_MEMORY)).free, psutil.virtual_memory().available) >= _ROOM


def run_folder() -> Path:
    """The folder of this run."""
    return Path(os.environ[_NAMED_BY])


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The file called `name`, which the first process that asks for it makes while the others wait."""
    path = run_folder() / name
    with FileLock(f"{path}.lock"):
        if not path.exists():
            unfinished = path.with_name(f"{name}.new")
            make(unfinished)
            unfinished.replace(path)
    return path
