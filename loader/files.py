"""Files: hash and text of their bytes, how they appear complete, and a cell that no spreadsheet program runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loader.errors import UsageError

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d., ]*$)")
"""How a formula begins; a number with a sign is none."""


def not_a_formula(cell: object) -> object:
    """A cell that a spreadsheet program would run as a formula gets an apostrophe in front (OWASP: CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_of(path: Path) -> str:
    """The text of a file of the project, in UTF-8 with or without a byte order mark.

    Raises:
        OSError: it cannot be read.
        UsageError: it is in another encoding; the message has the first line that is not UTF-8.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    else:
        if "\0" not in text[:2]:
            return text
        line = 1
    likely = "UTF-16, as > of PowerShell writes it" if b"\0" in content else "an encoding of Windows, such as cp1252"
    raise UsageError(f"{path.name}, line {line}: is not UTF-8, but likely {likely}; save the file as UTF-8")


def synced(path: Path) -> None:
    """Wait until the disk has what was written to a file, or the names of a folder, so that they outlast a power cut.

    Windows cannot sync a folder; its file systems keep names in a journal.
    """
    if os.name == "nt" and path.is_dir():
        return
    file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def put_in_place(unfinished: Path, path: Path) -> None:
    """Give a file its name, for good: after a power cut, too, it has all its bytes under it."""
    synced(unfinished)
    unfinished.replace(path)
    synced(path.parent)


def unpublished(path: Path) -> Path:
    """The name that a file has, of this process, until it is finished; `sweep` knows it."""
    return path.with_name(f"{path.name}.unpublished-{os.getpid()}")


def sweep(folder: Path) -> None:
    """Remove what killed processes did not finish."""
    for path in folder.glob("*.unpublished-*"):
        left = re.search(r"\.unpublished-(\d+)", path.name)
        if left and not _is_owned(path, int(left[1])):
            path.unlink(missing_ok=True)


def _is_owned(path: Path, process: int) -> bool:
    """Whether the process that is named still runs; numbers are used again, in a container by every run."""
    import psutil

    try:
        return psutil.Process(process).create_time() <= path.stat().st_mtime
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.Error:
        return True


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the folder of `path`, which is made; the file takes the place of `path` if all goes well.

    Such files of processes that were killed are removed from the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    unfinished = unpublished(path)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
