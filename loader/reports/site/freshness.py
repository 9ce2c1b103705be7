"""Freshness: which periods are in, since when and from which file, what was loaded again and what was refused.

A part of the site's first page, made from what `loader status` knows. It has names of files and no message, of which a
reader of the site cannot know whether a sender wrote it, and nothing of the data, not even counts of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader

from loader import console
from loader.project import Project
from loader.reports.status import PeriodStatus, status
from loader.warehouse import State
from loader.warehouse.meta import now

_NOT_IN = (State.ROLLED_BACK, State.RESET, State.PURGED)


@dataclass(frozen=True)
class Freshness:
    """What is told of one dataset; `lines` are its periods and refused files, the last period first."""

    title: str
    lines: list[PeriodStatus]

    @property
    def active(self) -> list[PeriodStatus]:
        """The periods that are in."""
        return [line for line in self.lines if line.state == State.ACTIVE]

    @property
    def latest(self) -> PeriodStatus | None:
        """The last of the periods that are in; None when none is."""
        return max(self.active, key=lambda line: line.period, default=None)

    @property
    def loaded(self) -> PeriodStatus | None:
        """The period that was loaded last; None when none is in."""
        return max(self.active, key=lambda line: line.when, default=None)

    @property
    def again(self) -> int:
        """How many of its periods are in by a second load or a later one: corrected, or read again."""
        return sum((line.version or 0) > 1 for line in self.active)

    @property
    def pending(self) -> int:
        """How many files came and are not in."""
        return sum(line.state not in (State.ACTIVE, *_NOT_IN) for line in self.lines)


def write_freshness(project: Project, path: Path) -> None:
    """Write the part of the page; raises EnvironmentFailedError when the warehouse is out of reach or locked."""
    lines = status(project)
    names = dict.fromkeys([*(contract.name for contract in project.contracts), *(line.dataset for line in lines)])
    titles = {contract.name: contract.title for contract in project.contracts}
    datasets = {
        name: Freshness(
            titles.get(name, name),
            sorted((line for line in lines if line.dataset == name), key=lambda line: line.period, reverse=True),
        )
        for name in names
    }
    pages = Environment(
        loader=PackageLoader("loader.reports.site", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters["plain"] = console.plain
    part = pages.get_template("freshness.html").render(when=now(), datasets=datasets, active=State.ACTIVE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(part, encoding="utf-8")
