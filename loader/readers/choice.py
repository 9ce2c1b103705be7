"""Which sheet of a workbook a contract means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from loader.errors import RefusedError
from loader.readers.signatures import damaged


def choose(path: Path, sheets: Mapping[str, bool], sheet: str | int | None, pattern: str | None) -> str:
    """The name of the sheet; `sheets` says of each whether it is shown. Hidden ones are found by their name only.

    Raises:
        RefusedError: there is no such sheet, or several match the pattern.
    """  # noqa: DOC501 (`damaged` makes a RefusedError)
    if not sheets:
        raise damaged(path)
    found = ", ".join(sheets)
    if isinstance(sheet, str):
        if sheet not in sheets:
            raise RefusedError(f"{path.name}: there is no sheet {sheet!r}; found are: {found}")
        return sheet
    shown = [name for name, is_shown in sheets.items() if is_shown]
    if pattern is not None:
        matching = [name for name in shown if re.search(pattern, name)]
        if len(matching) == 1:
            return matching[0]
        counted = f"{len(matching)} sheets match ({', '.join(matching)})" if matching else "no sheet matches"
        raise RefusedError(f"{path.name}: {counted} the pattern {pattern!r}; found are: {found}")
    position = sheet or 1
    if position > len(shown):
        raise RefusedError(f"{path.name}: there is no sheet {position} that is not hidden; found are: {found}")
    return shown[position - 1]
