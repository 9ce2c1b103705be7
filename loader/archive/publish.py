"""Give a file its name in the archive, and remove what killed processes left there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

from loader.files import put_in_place, sha256_of


def unpublished(path: Path) -> Path:
    """The name that a file of the archive has, of this process, until it is published; `sweep` knows it."""
    return path.with_name(f"{path.name}.unpublished-{os.getpid()}")


def publish(unfinished: Path, name: str) -> tuple[str, str]:
    """Give a parquet file its name in the archive; a file of that name with other bytes is never replaced.

    Returns the name that it got and its hash.
    """
    content, number = sha256_of(unfinished), 1
    path = unfinished.with_name(name)
    while path.exists() and sha256_of(path) != content:
        number += 1
        path = unfinished.with_name(f"{Path(name).stem}_{number}.parquet")
    put_in_place(unfinished, path)
    return path.name, content


def sweep(folder: Path) -> None:
    """Remove what killed processes did not publish."""
    for path in folder.glob("*-*"):
        left = re.search(r"\.unpublished-(\d+)", path.name)
        if left and not _is_owned(path, int(left[1])):
            path.unlink(missing_ok=True)


def _is_owned(path: Path, process: int) -> bool:
    """Whether the process that is named still runs; numbers are used again, in a container by every run."""
    try:
        return process != os.getpid() and psutil.Process(process).create_time() <= path.stat().st_mtime
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.Error:
        return True
