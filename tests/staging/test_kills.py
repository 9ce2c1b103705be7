"""`make run`, killed at any moment: a plain re-run ends where a run that nobody disturbed does.

`CRASH_KILLS=250 pytest tests/staging/test_kills.py -s` kills 200 times on DuckDB and 50 times on a
server, and tells where; `CRASH_SEED` repeats a series of moments.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.conftest import Project
from tests.support.deliveries import citizen_rows, write_citizens
from tests.support.digest import Digest, difference, digest
from tests.support.effort import effort
from tests.support.engines import Engine
from tests.support.gating import ask_less

KILLS = int(os.environ.get("CRASH_KILLS", effort(5, 250)))
SEED = int(os.environ.get("CRASH_SEED", random.randrange(10**6)))
REFUSED = 1
"""Exit code of each run: one of the deliveries is broken."""


# --- what is killed ---------------------------------------------------------------------------------------------


def land_first(project: Project) -> None:
    """What the warehouse is built from before anything is killed."""
    for month in ("2025-01", "2025-02"):
        write_citizens(project.landing / f"citizens_{month}.xlsx", citizen_rows(60))


def land_more(project: Project) -> None:
    """What the killed run finds: a correction of the past, news with a bad row, a broken file."""
    moved = [{**row, "city": "Leipzig", "postal_code": "04107"} for row in citizen_rows(12)]
    stayed = citizen_rows(62)[12:]
    write_citizens(project.landing / "citizens_2025-01_v2.xlsx", [*moved[:6], *citizen_rows(60)[6:]])
    write_citizens(project.landing / "citizens_2025-03.xlsx", [*moved, *stayed[3:-1], {**stayed[-1], "gender": "?"}])
    (project.landing / "citizens_2025-04.xlsx").write_bytes(b"cut off")


@dataclass
class Trial:
    """A built warehouse with deliveries that wait, and where a run that nobody disturbs takes it."""

    project: Project
    saved: Project
    """The same, as it is before each round."""
    before: Digest
    after: Digest
    course: list[Mark]


@pytest.fixture
def trial(engine: Engine, new_project: Callable[..., Project]) -> Trial:
    project, saved = new_project(engine), new_project(engine, folder="saved")
    project.env["DBT_LOG_LEVEL_FILE"] = "debug"  # tells the node that dbt works on
    if engine.name != "duckdb":
        assert project.loader("migrate").exit_code == 0
    ask_less(project)
    land_first(project)
    finish(project, exit_code=0)
    land_more(project)
    put_back(project, saved)
    before = digest(project)
    course = finish(project, exit_code=REFUSED)
    return Trial(project, saved, before, digest(project), course)


def put_back(source: Project, into: Project) -> None:
    """Make folder and warehouse of one project the same as those of another."""
    profile = (into.root / "profiles.yml").read_bytes()
    shutil.rmtree(into.root)
    shutil.copytree(source.root, into.root)
    (into.root / "profiles.yml").write_bytes(profile)
    source.engine.copy(source.profile_output, into.profile_output)


# --- where a run is ---------------------------------------------------------------------------------------------


class Mark(NamedTuple):
    """A run has come to a place, so many seconds after its start."""

    place: str
    seconds: float


class Watch:
    """Reads the logs of a run while it works: the steps of the loader, and the nodes of dbt."""

    def __init__(self, project: Project) -> None:
        self.folder = project.root / "data" / "logs"
        self.read = {path: path.stat().st_size for path in self.folder.glob("*")}
        self.started = time.monotonic()
        self.marks = [Mark("start", 0)]

    def look(self) -> None:
        seconds = time.monotonic() - self.started
        for path in sorted(self.folder.glob("*")):
            with path.open("rb") as file:
                file.seek(self.read.get(path, 0))
                lines = file.read().rpartition(b"\n")[0]
            self.read[path] = self.read.get(path, 0) + len(lines)
            for line in lines.decode().splitlines():
                place = place_of(line)
                if place and place != self.marks[-1].place:
                    self.marks.append(Mark(place, seconds))

    def visits(self, place: str) -> int:
        return sum(mark.place == place for mark in self.marks)


def place_of(line: str) -> str | None:
    """The place that begins with a line of a log; all tests of dbt between two other nodes are one place."""
    if line.startswith("{"):
        entry = json.loads(line)
        where = "" if "dataset" in entry else f" {entry['subject']}"
        return f"{entry['step']}{where}" if entry["event"] == "started" else None
    node = re.search(r"Began running node (\w+)\.\w+\.(\w+)", line)
    return None if node is None else "dbt tests" if node[1] == "test" else f"{node[1]} {node[2]}"


def finish(project: Project, *, exit_code: int) -> list[Mark]:
    """A run that nobody disturbs; returns its course."""
    process, watch = project.start_loader("run"), Watch(project)
    while process.poll() is None:
        watch.look()
        time.sleep(0.005)
    output, errors = process.communicate()
    assert process.returncode == exit_code, output + errors
    return [*watch.marks, Mark("end", time.monotonic() - watch.started)]


class Moment(NamedTuple):
    """So many seconds after a run has come to a place for the n-th time."""

    place: str
    visit: int
    delay: float


def moments(course: list[Mark], chance: random.Random) -> Iterator[Moment]:
    """Random moments, spread evenly over the places of a run, however long it stays there."""
    stays: dict[str, list[float]] = defaultdict(list)
    for mark, following in pairwise(course):
        stays[mark.place].append(following.seconds - mark.seconds)
    while True:
        for place in chance.sample(sorted(stays), len(stays)):
            visit = chance.randrange(len(stays[place]))
            yield Moment(place, visit + 1, chance.random() * stays[place][visit])


def strike(project: Project, moment: Moment) -> str | None:
    """Kill a run at a moment; returns the place where it was, None when it had ended by then."""
    process, watch = project.start_loader("run"), Watch(project)
    while process.poll() is None and watch.visits(moment.place) < moment.visit:
        time.sleep(0.005)
        watch.look()
    time.sleep(moment.delay)
    process.kill()
    process.communicate()
    watch.look()
    return watch.marks[-1].place if process.returncode == -signal.SIGKILL else None


# --- the test ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that ends a process without its knowledge")
def test_a_killed_run_is_mended_by_the_next(trial: Trial) -> None:
    kills = KILLS * 4 // 5 if trial.project.engine.name == "duckdb" else KILLS - KILLS * 4 // 5
    struck: Counter[str] = Counter()
    for number, moment in enumerate(moments(trial.course, random.Random(SEED))):
        put_back(trial.saved, trial.project)
        place = strike(trial.project, moment)
        if place is None:
            continue
        context = f"CRASH_SEED={SEED}, round {number}: killed at '{place}' ({moment})"
        print(context)
        if number % 2:  # else the next run is the first to open what was left
            assert_nothing_is_done_by_half(trial, context)
        finish(trial.project, exit_code=REFUSED)
        assert difference(digest(trial.project), trial.after) == [], context
        assert trial.project.sql("select * from meta.etl_audit where status = 'running'") == [], context
        struck[place] += 1
        if struck.total() == kills:
            break
    print(f"survived {struck.total()} kills on {trial.project.engine.name}:", *struck.most_common(), sep="\n  ")


def assert_nothing_is_done_by_half(trial: Trial, context: str) -> None:
    """Each period, each history and each model with its ledger is as it was, or as it will be."""
    while trial.project.engine.sessions(trial.project.profile_output):
        time.sleep(0.05)
    found = digest(trial.project)
    for entry in trial.after:
        if entry.startswith(("period", "core", "mart")):
            allowed = (trial.before.get(entry), trial.after[entry])
            assert found.get(entry) in allowed, (context, entry)
    if trial.project.sql("select token from meta.build_mark where inputs is not null"):
        built = [entry for entry in trial.after if entry.startswith(("core", "mart"))]
        wholes = [[state.get(entry) for entry in built] for state in (trial.before, trial.after)]
        assert [found.get(entry) for entry in built] in wholes, (context, "a mark stands for half a build")
