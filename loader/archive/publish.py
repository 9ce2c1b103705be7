"""Give a file its name in the archive."""

from __future__ import annotations

from pathlib import Path

from loader.files import put_in_place, sha256_of


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
