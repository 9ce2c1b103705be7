"""History worked out naively: walk the delivered periods in order, key by key, with plain lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Row = dict[str, Any]
Version = tuple[Any, ...]


@dataclass(frozen=True)
class Unknown:
    """What a delivery says nothing of: keys that only rejected rows have; all that it does not state, if incomplete."""

    keys: frozenset[tuple[Any, ...]] = frozenset()
    is_incomplete: bool = False


NOTHING = Unknown()


def expected_history(
    deliveries: Mapping[str, Sequence[Row]],
    *,
    key: Sequence[str],
    tracked: Sequence[str],
    columns: Sequence[str],
    end_marker: tuple[str, str] | None = None,
    unknown: Mapping[str, Unknown] | None = None,
) -> set[Version]:
    """The versions (columns, valid from, valid to) of the delivered periods; a delta if it has an end marker.

    The history of a key is that of the deliveries in which it is not unknown: each key is walked by itself, through
    those.
    """
    versions: list[list[Any]] = []
    for identity in {tuple(row[name] for name in key) for rows in deliveries.values() for row in rows}:
        current: list[Any] | None = None
        for period in sorted(deliveries):
            start = midnight(period_bounds(period)[0])
            stated = [row for row in deliveries[period] if tuple(row[name] for name in key) == identity]
            silence = (unknown or {}).get(period, NOTHING)
            if not stated and (end_marker or silence.is_incomplete or identity in silence.keys):
                continue
            row = stated[0] if stated and not (end_marker and stated[0][end_marker[0]] == end_marker[1]) else None
            if row and current and all(current[0][column] == row[column] for column in tracked):
                continue
            if current:
                current[2] = start
            current = [row, start, None] if row else None
            if current:
                versions.append(current)
    return {(*(row[column] for column in columns), start, end) for row, start, end in versions}


def period_bounds(period: str) -> tuple[date, date]:
    """First day of a month `YYYY-MM`, and of the next."""
    year, month = map(int, period.split("-"))
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def expected_facts(versions: set[Version], delivered: Mapping[str, Sequence[Row]]) -> list[Version]:
    """Each delivered period with the columns of each version in force at its start."""
    starts = {period: midnight(period_bounds(period)[0]) for period in delivered}
    return [
        (period, *columns)
        for period, start in starts.items()
        for *columns, valid_from, valid_to in versions
        if valid_from <= start and (valid_to is None or start < valid_to)
    ]
