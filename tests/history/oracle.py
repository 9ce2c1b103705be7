"""History worked out naively: walk the delivered periods in order, key by key, with plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from tests.history.feeding import period_bounds

Row = dict[str, Any]
Version = tuple[Any, ...]


def expected_history(
    deliveries: Mapping[str, Sequence[Row]],
    *,
    key: Sequence[str],
    tracked: Sequence[str],
    columns: Sequence[str],
    end_marker: tuple[str, str] | None = None,
) -> set[Version]:
    """The versions (columns, valid from, valid to) of the delivered periods; a delta if it has an end marker."""
    versions: list[list[Any]] = []
    open_versions: dict[tuple[Any, ...], list[Any]] = {}

    def end(identity: tuple[Any, ...], at: datetime) -> None:
        if identity in open_versions:
            open_versions.pop(identity)[2] = at

    for period in sorted(deliveries):
        start = midnight(period_bounds(period)[0])
        delivered = {tuple(row[column] for column in key): row for row in deliveries[period]}
        if end_marker is None:
            for absent in set(open_versions) - set(delivered):
                end(absent, start)
        for identity, row in delivered.items():
            if end_marker is not None and row[end_marker[0]] == end_marker[1]:
                end(identity, start)
                continue
            current = open_versions.get(identity)
            if current is not None and all(current[0][column] == row[column] for column in tracked):
                continue
            end(identity, start)
            open_versions[identity] = [row, start, None]
            versions.append(open_versions[identity])
    return {(*(row[column] for column in columns), start, end_) for row, start, end_ in versions}


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
