"""One folder for all processes of a test run: what one of them has made, the others copy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_NAMED_BY = "TEST_RUN_FOLDER"


def begin_run() -> None:
    """Make the folder; the processes that this one starts find it in their environment."""
    if _NAMED_BY not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="almanac-run-"))
        folder.chmod(0o755)  # a server that root starts runs as another user
        os.environ[_NAMED_BY] = str(folder)


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
