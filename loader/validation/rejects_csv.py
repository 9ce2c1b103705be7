"""The rejects of a delivery as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.files import not_a_formula

REJECT_COLUMNS = ("row", "column", "value", "rule")


@contextmanager
def rejects_file(path: Path, *, append: bool = False) -> Iterator[Callable[..., None]]:
    """A function that writes one line of a rejects file, from its cells; `append` goes on where the file ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8-sig" if not append else "utf-8", newline="") as file:
        lines = csv.writer(file)
        if not append:
            lines.writerow(REJECT_COLUMNS)
        yield lambda *cells: lines.writerow([not_a_formula(cell) for cell in cells])
