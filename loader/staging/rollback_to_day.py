"""Rollback of many periods at once: each becomes again what it was when a day ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from loader.contracts import Contract, Period
from loader.errors import UsageError
from loader.project import Project
from loader.staging.rollback import in_words, rollback
from loader.text import listed
from loader.warehouse import State, Version
from loader.warehouse.meta import version_event
from loader.warehouse.versions import active_version, versions_of

_RECONSTRUCTED = "reconstructed"


@dataclass(frozen=True)
class Step:
    """One period that was otherwise when the day ended; None stands for an empty period."""

    contract: Contract
    period: Period
    now: Version | None
    then: Version | None

    def __str__(self) -> str:
        return f"{self.contract.name} {self.period}: from {in_words(self.now)} to {in_words(self.then)}"


def rollback_to_day(
    project: Project, contracts: Iterable[Contract], day: dt.date, confirm: Callable[[Sequence[Step]], None]
) -> Iterator[Step]:
    """Make active in each period the load that was active when `day` ended (UTC), and yield what is done.

    `confirm` is shown the steps before the first of them, and may raise. Each step is a transaction of its own: after
    a failure the same command does the rest.

    Raises:
        UsageError: it is not known what was active, or it was purged since; nothing is changed. Or a period was loaded
            after it was shown; it and those after it are left as they are.
        RefusedError: an archived file does not fit any more.
    """
    end = dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1)
    steps = project.warehouse.run(lambda c: [step for one in contracts for step in _steps(c, one, end)])
    gone = [str(step) for step in steps if step.then is not None and step.then.state is State.PURGED]
    if gone:
        raise UsageError(f"what was active on {day} was purged since: {listed(gone, 3)}")
    if steps:
        confirm(steps)
    for step in steps:
        to = step.then.version_no if step.then else 0
        rollback(project, step.contract, step.period, to, (step.now, step.then))
        yield step


def _steps(connection: Connection, contract: Contract, end: dt.datetime) -> Iterator[Step]:
    versions = versions_of(connection, contract.name)
    by_period: dict[str, list[Version]] = {}
    for version in versions:
        by_period.setdefault(version.data_period, []).append(version)
    active = _active_before(connection, contract, end)
    for name, of_period in by_period.items():
        now = active_version(of_period)
        then = next((version for version in of_period if version.load_id in active), None)
        if now != then:
            yield Step(contract, contract.period(name), now, then)


def _active_before(connection: Connection, contract: Contract, end: dt.datetime) -> set[int]:
    """The loads that were active just before a moment.

    Raises:
        UsageError: a migration worked out what happened about that time, and cannot know all of it.
    """
    event = version_event.c
    of_dataset = event.dataset == contract.name
    later = (of_dataset, event.step == _RECONSTRUCTED, event.happened_at >= end)
    unknown = connection.execute(select(event.data_period).where(*later).distinct().order_by(event.data_period))
    periods = [str(row[0]) for row in unknown]
    if periods:
        raise UsageError(
            f"what was active in {contract.name} {listed(periods, 3)} when that day ended is not known: it lies before "
            "meta.version_event was kept; roll back each period by `loader rollback --to`"
        )
    last = select(func.max(event.event_id)).where(of_dataset, event.happened_at < end).group_by(event.load_id)
    active = select(event.load_id).where(event.event_id.in_(last), event.state == State.ACTIVE.value)
    return {int(row[0]) for row in connection.execute(active)}
