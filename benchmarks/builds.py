"""What `dbt build` of the citizens costs, node by node, when the history is a year long, and when it is four."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, Measured, measure, run
from benchmarks.projects import citizens_project

MONTHS = (12, 48)
SCENARIOS = {
    "nothing": "nothing new",
    "next": "one new month",
    "first": "the first month corrected",
}


def builds(folder: Path, scale: float) -> list[Line]:
    """20,000 citizens, 2% of them changed in a month."""
    keys = int(20_000 * scale)
    project = citizens_project(folder)
    for months in MONTHS:
        run("benchmarks.builds_dbt", project.root, "prepare", months, keys)
    lines = []
    for scenario, words in SCENARIOS.items():
        few, many = (measure("benchmarks.builds_dbt", project.root, scenario, months) for months in MONTHS)
        lines += _lines(f"{keys:,} citizens, {words}", few, many)
    return lines


def _lines(name: str, few: Measured, many: Measured) -> list[Line]:
    """Both lengths of history, the longer one held against the shorter."""
    lines = []
    for part in ("all nodes", *few.parts):
        short, long = ((of.parts | {"all nodes": sum(of.parts.values())})[part] for of in (few, many))
        what = f"{name}: {part}" if part == "all nodes" else f"   {part}"
        lines.append(Line(f"{what}, {MONTHS[0]} months", short))
        lines.append(Line(f"{what}, {MONTHS[1]} months", long, against=f"{MONTHS[0]} months", ratio=long / short))
    return lines
