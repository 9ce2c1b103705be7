"""Files: the hash of their bytes, how they appear complete, and a cell that no spreadsheet program runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d., ]*$)")
"""How a formula begins; a number with a sign is none."""


def not_a_formula(cell: object) -> object:
    """A cell that a spreadsheet program would run as a formula gets an apostrophe in front (OWASP: CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the folder of `path`, which is made; the file takes the place of `path` if all goes well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
