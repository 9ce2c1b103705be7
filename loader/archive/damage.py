"""Whether a file of the archive is the one that was written, by its size, or also by its hash."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from loader.files import sha256_of


class Damage(StrEnum):
    """What became of a file."""

    GONE = "gone"
    SIZE = "other size"
    CONTENT = "other content"

    @property
    def in_words(self) -> str:
        """What is said of the file behind its name."""
        return "is gone from the archive" if self is Damage.GONE else f"has {self} in the archive"


def damage_of(path: Path, size: int | None, sha256: str | None = None) -> Damage | None:
    """What is wrong with a file; None when nothing is.

    Its size in bytes is not compared where nobody knows it; its hash only when that is given, since that reads it.
    """
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return Damage.GONE
    if size is not None and found != size:
        return Damage.SIZE
    return Damage.CONTENT if sha256 is not None and sha256_of(path) != sha256 else None
