"""Tables for people: versions and status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.table import Table

from loader import console
from loader.reports.status import PeriodStatus
from loader.text import number
from loader.warehouse import State, Version
from loader.warehouse.versions import words_of_unknown

LEAVE_OUT = ("when (UTC)", "loaded (UTC)", "unknown", "version", "rejected")
"""Columns that a narrow window lacks, the first one first."""


def versions_table(versions: Sequence[Version]) -> Table:
    """One row per load."""
    table = _table("period", "version", "state", "rows", "file", "loaded (UTC)", right=("version", "rows"))
    for one in versions:
        state = one.state.replace("_", " ")
        when = f"{one.loaded_at:%Y-%m-%d %H:%M}"
        table.add_row(
            one.data_period, str(one.version_no), state, f"{one.row_count:,}", console.plain(one.file_name), when
        )
    return table


def status_table(lines: Sequence[PeriodStatus]) -> Table:
    """One row per dataset and period, and one per refused file."""
    table = _table(
        "dataset", "period", "state", "version", "rows", "rejected", "unknown", "file", "when (UTC)",
        right=("version", "rows", "rejected", "unknown"),
    )  # fmt: skip
    for one in lines:
        style = None if one.state == State.ACTIVE else "yellow"
        cells = [
            one.dataset,
            one.period,
            one.state.replace("_", " "),
            number(one.version),
            number(one.rows),
            number(one.rejected),
            number(one.unknown_keys) + (" +" if one.unreadable_keys else ""),
        ]
        table.add_row(*cells, console.plain(one.file), f"{one.when:%Y-%m-%d %H:%M}", style=style)
    return table


def status_messages(lines: Sequence[PeriodStatus]) -> list[str]:
    """What was said of each delivery that is not in stage, and what those in stage leave open, a line each."""
    said = [f"{one.file}: {one.message.removeprefix(f'{one.file}: ')}" for one in lines if one.message]
    left_open = [(one, words_of_unknown(one.unknown_keys, one.unreadable_keys)) for one in lines]
    said += [f"{one.dataset} {one.period}: {one.file} {one.same_bytes}" for one in lines if one.same_bytes]
    return said + [f"{one.dataset} {one.period}: {words}" for one, words in left_open if words]


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = console.table()
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(name, justify=justify, no_wrap=name != "file", overflow="fold")
    return table
