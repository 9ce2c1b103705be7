"""The rejects of a delivery as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.files import not_a_formula
from loader.validation.rules import Rule

REJECT_COLUMNS = ("row", "column", "value", "rule")


@contextmanager
def rejects_file(path: Path, *, append: bool = False) -> Iterator[Callable[[int, str, str | None, Rule], None]]:
    """A function that lists a rejected cell: row, column, value, rule; `append` goes on where the file ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8-sig" if not append else "utf-8", newline="") as file:
        lines = csv.writer(file)
        if not append:
            lines.writerow(REJECT_COLUMNS)

        def reject(row: int, column: str, value: str | None, rule: Rule) -> None:
            lines.writerow([row, *map(not_a_formula, (column, value, str(rule)))])

        yield reject
