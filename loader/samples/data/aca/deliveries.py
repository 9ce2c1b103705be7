"""The files of the insurer, all of them or those of one day.

The four monthly files of a month lie there on its first day; a drop of claim lines comes every day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from loader.samples.data.aca import files
from loader.samples.data.aca.claims import Claims, Lines, last_of_each
from loader.samples.data.aca.world import Month, Sample, months

_MONTHLY: dict[str, Callable[[Path, Sample, Month], Path]] = {
    "plans": files.write_plans,
    "providers": files.write_providers,
    "members": files.write_members,
    "enrollments": files.write_enrollments,
}


def make_deliveries(folder: Path, sample: Sample, daily_from: date = date.min) -> Iterator[Path]:
    """Write the files of every month and day of the sample, as they would come in; yields each when it is written.

    The claims before `daily_from` are a backlog: one file a month, with all that the month received, by its last day.
    Raises ValueError when the sample begins with no month.
    """
    folder.mkdir(parents=True, exist_ok=True)
    claims = Claims(sample)
    for month in islice(months(sample), sample.periods):
        yield from (write(folder, sample, month) for write in _MONTHLY.values())
        claims.see(month)
        backlog = [day for day in _days(month) if day < daily_from]
        if backlog:
            lines = last_of_each(Lines.together([claims.drop(day) for day in backlog]))
            yield files.write_claims(folder, sample, month, lines, backlog[-1])
        for day in _days(month):
            if day >= daily_from:
                yield files.write_claims(folder, sample, month, claims.drop(day), day)


def make_day(folder: Path, day: date, sample: Sample) -> Iterator[Path]:
    """Write the claim lines of one day, and the monthly files until then that are not there yet; returns what it wrote.

    Every file is, byte for byte, the one that `make_deliveries` writes.

    Raises:
        ValueError: the sample does not begin with a month, or begins after the day.
    """
    first = sample.first_month.start.date()
    if day < first:
        raise ValueError(f"{day} lies before the first month, {sample.first}")
    folder.mkdir(parents=True, exist_ok=True)
    claims = Claims(sample)
    for month in islice(months(sample), 12 * (day.year - first.year) + day.month - first.month + 1):
        for name, write in _MONTHLY.items():
            if not (folder / f"{name}_{month.period}.csv").exists():
                yield write(folder, sample, month)
        claims.see(month)
    yield files.write_claims(folder, sample, month, claims.drop(day), day)


def _days(month: Month) -> Iterator[date]:
    start = month.period.start.date()
    return (start + timedelta(days=number) for number in range((month.period.end - month.period.start).days))
