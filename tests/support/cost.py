"""What the tests cost, in seconds of processor time, and whether that is within the budget (`make test COST=1`).

Measured for each test and each shared fixture: this process and all that it started, as /proc tells; the servers of a
run do not belong to any test. Seconds are those of one machine, so the budget of an area is a multiple of a fixed loop
that is timed in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.run import run_folder

BUDGET = Path(__file__).parents[1] / "budget.json"
"""Loops by area, as of a quiet machine."""
MOST = 1.3
"""How far above its budget an area may be."""
SMALL = 1000
"""Loops below which an area is not judged: who imports dbt first in a process pays for it."""
SHOWN = 30
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def processor_seconds() -> float:
    """Of this process and all below it, and of those that these have waited for."""
    children: dict[int, list[int]] = {}
    spent: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
        spent[int(entry.name)] = sum(map(int, fields[11:15]))
    below, total = [os.getpid()], 0
    while below:
        process = below.pop()
        total += spent.get(process, 0)
        below += children.get(process, [])
    return total / _TICKS


def loop_seconds() -> float:
    """Processor seconds of the loop by which machines are compared: the median of five."""

    def once() -> float:
        begun = time.process_time()
        table: dict[int, str] = {}
        for number in range(100_000):
            table[number % 1000] = f"{number:x}"
        return time.process_time() - begun

    return statistics.median(once() for _ in range(5))


class Cost:
    """A plugin of pytest, in each process of the run."""

    def __init__(self) -> None:
        self._fixtures = [0.0]
        """Seconds of the shared fixtures below the one that is being made."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        begun, self._fixtures[0] = processor_seconds(), 0.0
        try:
            return (yield)
        finally:
            self._note(item.nodeid, processor_seconds() - begun - self._fixtures[0])

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        if fixturedef.scope == "function":
            return (yield)
        begun = processor_seconds()
        self._fixtures.append(0.0)
        try:
            return (yield)
        finally:
            took, below = processor_seconds() - begun, self._fixtures.pop()
            self._fixtures[-1] += took
            self._note(f"{fixturedef.baseid}::{fixturedef.argname} (fixture)", took - below)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            self._note("loop", loop_seconds())
            return
        spent, loops = _noted()
        loop = statistics.median(loops or [loop_seconds()])
        lines, over = judged(_by_area(spent), loop, json.loads(BUDGET.read_text(encoding="utf-8")))
        dearest = [f"{seconds:9.1f}  {name}" for name, seconds in spent.most_common(SHOWN)]
        print(f"\nprocessor seconds by area (a loop takes {loop * 1000:.1f} ms)", *lines, sep="\n")
        print("the most expensive", *dearest, sep="\n")
        if over and not session.testsfailed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print(f"over the budget of tests/budget.json: {', '.join(over)}")

    def _note(self, name: str, seconds: float) -> None:
        with (run_folder() / f"cost-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, seconds]) + "\n")


def judged(spent: Counter[str], loop: float, budget: dict[str, float]) -> tuple[list[str], list[str]]:
    """A line for each area, dearest first, and the areas that are above their budget, or have none."""
    lines, over = [], []
    for area, seconds in spent.most_common():
        took, allowed = seconds / loop, budget.get(area)
        is_over = took > MOST * max(allowed or 0, SMALL)
        over += [area] if is_over else []
        words = f"budget {allowed:,.0f}" if allowed else "no budget"
        lines.append(f"{seconds:9.1f}  {area:<24}{took:10,.0f} loops, {words}{' - over' if is_over else ''}")
    return lines, over


def _by_area(spent: Counter[str]) -> Counter[str]:
    areas = Counter[str]()
    for name, seconds in spent.items():
        areas["/".join(name.split("::")[0].split("/")[:2])] += seconds
        areas["all"] += seconds
    return areas


def _noted() -> tuple[Counter[str], list[float]]:
    spent, loops = Counter[str](), []
    for path in run_folder().glob("cost-*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, seconds = json.loads(line)
            if name == "loop":
                loops.append(seconds)
            else:
                spent[name] += seconds
    return spent, loops
