"""A month of claim lines of a health insurer, day by day: into stage, through history, facts and aggregates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Line, Measured, line, measure, run
from benchmarks.projects import whole_project
from benchmarks.servers import Server

SECOND, LAST = 2, 30
"""Days that are held against each other. In both, all that comes monthly has come."""


def claims(folder: Path, scale: float) -> list[Line]:
    """2,000,000 claim lines in 30 drops. They begin with none: day 30 finds 29 times what day 2 finds."""
    return claims_on(None, folder, scale)


def claims_on(server: Server | None, folder: Path, scale: float) -> list[Line]:
    """The same on a server, of which the same is not asked; None is DuckDB."""
    if server is not None and server.name != "postgres":
        raise LookupError(f"{server.title} has no quick copy of a database")
    project = whole_project(folder, server)
    root = project.root
    run("benchmarks.claims_files", project.settings.landing_dir, scale, LAST)
    staged = measure("benchmarks.stage_loader", root, "claims")
    run("benchmarks.claims_dbt", root, "prepare", SECOND, LAST)
    second, last = (measure("benchmarks.claims_dbt", root, "day", number) for number in (SECOND, LAST))
    full, raw = (measure("benchmarks.claims_dbt", root, what) for what in ("full", "raw"))
    lines = [*_staged(staged), *_days(second, last), *_full(full, raw, staged.said["rows"])]
    return lines if server is None else [replace(each, at_most=None) for each in lines]


def _staged(found: Measured) -> list[Line]:
    loaded = found.seconds - found.parts["gate"]
    rows = found.said["rows"]
    name = f"{LAST} daily drops, {rows:,} claim lines x 17: loader load"
    return [
        Line(f"{name}, gate aside", loaded, found.megabytes, note=f"{rows / loaded:,.0f} rows a second"),
        *(Line(f"   {part}", seconds) for part, seconds in found.parts.items()),
    ]


def _days(second: Measured, last: Measured) -> list[Line]:
    """The last day, held against the second."""

    def one(what: str, before: float, after: float, at_most: float | None = None) -> Line:
        return Line(what, after, against=f"{before:.2f} s on day {SECOND}", ratio=after / before, at_most=at_most)

    name = f"day {LAST}, {last.said['rows']:,} lines upon {LAST - 1} days"
    nodes = [part for part in last.parts if part not in ("load", "tests")]
    few, many = (sum(found.parts[node] for node in nodes) for found in (second, last))
    return [
        one(f"{name}: snapshots and models", few, many, 1.2),
        *(one(f"   {node}", second.parts[node], last.parts[node]) for node in nodes),
        one(f"{name}: load to stage, gate aside", second.parts["load"], last.parts["load"]),
        one(f"{name}: all tests", second.parts["tests"], last.parts["tests"]),
    ]


def _full(full: Measured, raw: Measured, rows: int) -> list[Line]:
    """dbt, held against its own SQL."""
    name = f"star and aggregates of {rows:,} lines anew"
    return [
        line(f"{name}: the same SQL, raw", raw),
        line(f"{name}: models of dbt run", full, against="raw", ratio=full.seconds / raw.seconds, at_most=1.5),
        *(
            Line(f"   {model}", seconds, against=f"{raw.parts[model]:.2f} s raw", ratio=seconds / raw.parts[model])
            for model, seconds in full.parts.items()
        ),
    ]
