"""Commands that tests disturb, what each is prepared with, and where a course that nobody disturbs takes it."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
import yaml

from tests.conftest import Project, Result
from tests.support.deliveries import change_contract
from tests.support.digest import Digest, difference, digest
from tests.support.faults import Change, Fault, changes
from tests.support.projects import PLACES, only_subjects
from tests.support.shop import PRODUCTS, deliver, load, open_shop, products

FOLDERS = ("data", "target")
"""What commands change."""
TAKES_ROOM = "wom"
"""Signs of what a full disk refuses."""
KEEPING = "    keep_files: true\n    duplicates: identical\n    invalid_rows: {action: reject_rows, max_share: 0.9}\n"
REJECTED = {"sku": "A4", "weight": "heavy"}


class Command(NamedTuple):
    """What is disturbed."""

    args: Sequence[object]
    prepare: Callable[[Project], None]
    tries: int = 1
    """Of `make test`."""
    again: int = 0
    """How the command ends when there is nothing left to do."""
    marks: Sequence[pytest.MarkDecorator] = ()


def a_correction(project: Project) -> None:
    """A shop that keeps what was delivered; a first load, and a correction of it with a row to reject."""
    open_shop(project)
    change_contract(project, "    columns:\n", f"{KEEPING}    columns:\n")
    deliver(project, "2025-01", products("A1", "A2", "A3", "A3", REJECTED))
    load(project)
    deliver(project, "2025-01", products("A1", {"sku": "A2", "price": "9.99"}, "A5", "A5", REJECTED))


def two_versions(project: Project) -> None:
    """The same, loaded."""
    a_correction(project)
    load(project)


def nothing(project: Project) -> None:
    """No warehouse yet."""
    open_shop(project)
    path = Path(project.profile_output["path"])
    path.unlink()
    duckdb.connect(path).close()


FACT = """{{ config(materialized='incremental', incremental_strategy='period_replace') }}

select periods.period_start, periods.data_period, history.sku, history.price
from {{ delivered_periods(ref('products')) }} as periods
inner join {{ ref('products') }} as history
    on periods.period_start >= history.dbt_valid_from
    and (history.dbt_valid_to is null or periods.period_start < history.dbt_valid_to)
{% if is_incremental() %}
where periods.period_start >= {{ first_stale_period() }}
{% endif %}
"""
AGGREGATE = """select data_period, count(*) as products, sum(price) as price
from {{ ref('fct_product') }}
group by data_period
"""


def a_history(project: Project) -> None:
    """Two months of the shop, built: a snapshot, a fact, an aggregate; a correction of the first was loaded since."""
    only_subjects(project.root)
    for place in PLACES:
        shutil.rmtree(project.root / place / "shared", ignore_errors=True)
    (project.root / "datasets_config.yml").write_text(PRODUCTS, encoding="utf-8")
    assert project.loader("derive", "--snapshot", "products").exit_code == 0
    for name, model in {"fct_product": FACT, "agg_product_month": AGGREGATE}.items():
        (project.root / f"dbt_project/models/marts/{name}.sql").write_text(model, encoding="utf-8")
    for period in ("2025-01", "2025-02"):
        deliver(project, period, products("A1", "A2"))
    config = project.root / "dbt_project.yml"
    none = yaml.safe_dump({"data_tests": {"almanac": {"+enabled": False}}})  # they only read
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{none}", encoding="utf-8")
    done = project.loader("run")
    assert done.exit_code == 0, done.output
    deliver(project, "2025-01", products("A1", {"sku": "A2", "price": "9.99"}, "A3"), order=1)
    load(project)


def three_files(project: Project) -> None:
    """The same, and three files that wait."""
    a_history(project)
    for period in ("2025-01", "2025-02", "2025-03"):
        deliver(project, period, products("A1", {"sku": "A2", "price": "8.88"}, "A4"), order=2)


ROLLBACK = ["rollback", "--dataset", "products", "--period", "2025-01", "--to", 1]
COMMANDS = {
    "load": Command(["load"], a_correction, 5),
    "rollback": Command(ROLLBACK, two_versions, 10, again=2),
    "purge": Command(["purge", "--dataset", "products", "--key", "A1", "--yes"], two_versions, 2),
    "migrate": Command(["migrate"], nothing, 13),
    "build": Command(["build"], a_history, marks=[pytest.mark.long]),
    "run": Command(["run"], three_files, marks=[pytest.mark.long]),
}


class Case(NamedTuple):
    """One answer at one point."""

    change: Change
    fault: Fault


@dataclass
class Trial:
    """A project and where a course that nobody disturbs takes it."""

    project: Project
    command: Command
    saved: Path
    before: Digest
    after: Digest
    journal: list[Change]
    """What it changed, and printed, in its order."""

    @property
    def course(self) -> list[Change]:
        """The points."""
        return [change for change in self.journal if change.sign != "p"]

    @classmethod
    def of(cls, project: Project, command: Command, beside: Path) -> Trial:
        saved, journal = beside / "saved", beside / "journal"
        for folder in FOLDERS:
            (project.root / folder).mkdir(exist_ok=True)
            shutil.copytree(project.root / folder, saved / folder)
        before = digest(project)
        done = project.loader(*command.args, own_process=True, env=Fault(project.root, journal=journal).as_variable())
        assert done.exit_code == 0, done.output
        return cls(project, command, saved, before, digest(project), list(changes(journal)))

    def cases(self) -> list[Case]:
        """Every answer at every point; of the writes to what nobody refers to the first and the last."""
        writes: dict[str, list[int]] = {}
        course = self.course
        for number, change in enumerate(course, 1):
            writes.setdefault(f"{change.sign} {self.unfinished(change.path)}", []).append(number)
        found = []
        for number, change in enumerate(course, 1):
            of_file = self.unfinished(change.path)
            same = writes[f"{change.sign} {of_file}"]
            if of_file and change.sign in "wom" and number not in (same[0], same[-1] if change.sign == "w" else 0):
                continue
            answers = "KEF" if change.sign in TAKES_ROOM else "KE"
            found += [Case(change, Fault(self.project.root, number, answer)) for answer in answers]
        return found

    def unfinished(self, path: str) -> str | None:
        """Which file, or which part of dbt's own folder, a path is of, if nothing refers to it."""
        parts = Path(path).relative_to(self.project.root).parts
        if parts[0] == "target":
            return "/".join(parts[:2])
        return path if ".unpublished" in path else None

    def put_back(self) -> None:
        """Make the project what it was."""
        for folder in FOLDERS:
            shutil.rmtree(self.project.root / folder)
            shutil.copytree(self.saved / folder, self.project.root / folder)

    def disturb(self, case: Case, *, look: bool) -> str:
        """Disturb the command at a point, and run it again; returns what was wrong, empty if nothing was.

        `look`: at what was left, before the command is run again; else the next run is the first to open it.
        """
        self.put_back()
        done = self.project.loader(*self.command.args, own_process=True, env=case.fault.as_variable())
        wrong = [] if self._is_told_well(done, case.fault) else ["it did not end as it should"]
        if look or done.exit_code == 0 or "loaded  " in done.output:
            wrong += self._done_by_half(done)
        again = self.project.loader(*self.command.args)
        if again.exit_code not in (0, self.command.again):
            wrong.append("the next run failed")
        wrong += difference(digest(self.project), self.after)
        ends = f"{done.exit_code}: {done.output}\nagain {again.exit_code}: {again.output}"
        return "\n".join([*wrong, ends]) if wrong else ""

    @staticmethod
    def _is_told_well(done: Result, fault: Fault) -> bool:
        codes = (-signal.SIGKILL,) if fault.answer == "K" else (0, 3)
        return done.exit_code in codes and "Traceback" not in done.output

    def _done_by_half(self, done: Result) -> list[str]:
        """Each period and each table is as it was or as it will be: the latter, where the command said so."""
        found = digest(self.project)
        if done.exit_code == 0:
            return difference(found, self.after)
        wrong = []
        told = {f"period {period}" for period in re.findall(r"(?m)^loaded +\S+ (\S+)", done.output)}
        for entry, lines in found.items():
            allowed = [self.after.get(entry, [])] + ([] if entry in told else [self.before.get(entry, [])])
            if entry.startswith(("period", "core", "mart")) and lines not in allowed:
                wrong.append(
                    f"{entry} is neither as it was nor as it will be" if len(allowed) > 1 else f"{entry} is lost"
                )
        return wrong
