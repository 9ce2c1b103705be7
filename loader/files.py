"""Facts about a file: the hash of its bytes, and a cell that no spreadsheet program runs."""

from __future__ import annotations

import hashlib
import re
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
