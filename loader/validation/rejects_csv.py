"""The rejects of a delivery as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.files import not_a_formula, replacing
from loader.readers.table import Remark
from loader.validation.rules import Rule

Reject = Callable[[int, str, str | None, Rule | Remark], None]
"""Lists a rejected cell, or a row that is noted: row, column, value, rule."""
REJECT_COLUMNS = ("row", "column", "value", "rule")


@contextmanager
def rejects_file(path: Path, *, append: bool = False) -> Iterator[Reject]:
    """A function that lists what is rejected or noted; `append` goes on where the file ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8-sig" if not append else "utf-8", newline="") as file:
        lines = csv.writer(file)
        if not append:
            lines.writerow(REJECT_COLUMNS)

        def reject(row: int, column: str, value: str | None, rule: Rule | Remark) -> None:
            lines.writerow([row, *map(not_a_formula, (column, value, str(rule)))])

        yield reject


def list_up_to(path: Path, last: int) -> None:
    """Take out what is listed of rows below that one."""
    with (
        replacing(path) as unfinished,
        path.open(encoding="utf-8-sig", newline="") as listed,
        unfinished.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        lines = enumerate(csv.reader(listed))
        csv.writer(file).writerows(line for at, line in lines if at == 0 or int(line[0]) <= last)
