"""Reads the period that stands within a delivery."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path

from loader.contracts import Contract, WorkbookFormat
from loader.contracts.period_within import PeriodWithin
from loader.readers.outside_table import lines_above, read_cell
from loader.readers.table import FIRST_KNOWN, CellKind


class NoPeriodError(ValueError):
    """Why a place within a delivery tells no period."""


def read_period(path: Path, contract: Contract) -> str:
    """The name of the period that stands where the contract says.

    Raises:
        RefusedError: the file cannot be read.
        NoPeriodError: nothing there tells a period.
    """
    within, fmt = contract.period_within, contract.format
    if not isinstance(within, PeriodWithin):
        raise NoPeriodError("the contract does not say where it stands")
    if within.cell and isinstance(fmt, WorkbookFormat):
        kind, text = read_cell(path, within.format_of_cell(fmt), within.cell)
        return _of_cell(kind, text, within.place, contract)
    names = within.names_in(lines_above(path, fmt), contract.spelling)
    if not names:
        raise NoPeriodError(f"no line above the header is written '{within.line}'")
    if len(names) > 1:
        raise NoPeriodError(f"lines above the header tell {' and '.join(names)}")
    return contract.period(names[0]).name


def _of_cell(kind: CellKind, text: str, place: str, contract: Contract) -> str:
    if not text:
        raise NoPeriodError(f"{place} is empty")
    if kind is CellKind.DATE:
        with suppress(ValueError):
            moment = dt.datetime.fromisoformat(text)
            if moment >= FIRST_KNOWN:
                return contract.period_at(moment).name
        raise NoPeriodError(f"{place} holds a date that is in no calendar, or before {FIRST_KNOWN:%Y-%m-%d}")
    if kind not in (CellKind.TEXT, CellKind.NUMBER):
        raise NoPeriodError(f"{place} holds no date, text or number, but {kind.name.lower()}")
    with suppress(ValueError):
        return contract.period(contract.spelling.read(text)).name
    # the text is not shown: a wrong cell may hold anything
    form = contract.spelling.form
    written = form.text if form else f"like {contract.grain.example}"
    what = f"{place} holds a {kind.name.lower()}"
    raise NoPeriodError(f"{what} that is not the period of a {contract.grain} written {written}")
