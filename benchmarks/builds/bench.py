"""What `dbt build` of the citizens costs, node by node, when the history is a year long, and when it is four."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, Measured, measure, run
from benchmarks.projects import citizens_project

MONTHS = (12, 48)
SCENARIOS = {"nothing": "nothing new", "next": "one new month", "first": "the first month corrected"}


def builds(folder: Path, scale: float) -> list[Line]:
    """20,000 citizens, 2% of them changed in a month."""
    keys = int(20_000 * scale)
    project = citizens_project(folder)
    for months in MONTHS:
        run("benchmarks.builds.dbt", project.root, "prepare", months, keys)
    lines = []
    for scenario, words in SCENARIOS.items():
        few, many = (measure("benchmarks.builds.dbt", project.root, scenario, months) for months in MONTHS)
        lines += _lines(f"{keys:,} citizens, {words}", few, many)
    return lines


def _lines(name: str, few: Measured, many: Measured) -> list[Line]:
    """The longer history, held against the shorter one."""

    def one(what: str, short: float, long: float) -> Line:
        return Line(what, long, against=f"{short:.2f} s after {MONTHS[0]}", ratio=long / short)

    nodes = [one(f"   {node}", few.parts[node], seconds) for node, seconds in many.parts.items()]
    return [one(f"{name}, after {MONTHS[1]} months: all nodes", few.seconds, many.seconds), *nodes]
