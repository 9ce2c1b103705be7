"""A month of claim lines of a health insurer, day by day: into stage, through history, facts and aggregates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.measure import Line, Measured, line, measure, run
from benchmarks.projects import whole_project
from benchmarks.servers import Server

FIRST, LAST = (2, 3, 4), (28, 29, 30)
"""Days that are held against each other, three each: every other day DuckDB merges what was appended, which takes half
a second. In all of them, all that comes monthly has come."""


def claims(folder: Path, scale: float) -> list[Line]:
    """2,000,000 claim lines in 30 drops. They begin with none: day 30 finds 29 times what day 2 finds."""
    return claims_on(None, folder, scale)


def claims_on(server: Server | None, folder: Path, scale: float) -> list[Line]:
    """The same on a server, of which the same is not asked; None is DuckDB."""
    if server is not None and server.name != "postgres":
        raise LookupError(f"{server.title} has no quick copy of a database")
    project = whole_project(folder, server)
    root = project.root
    run("benchmarks.claims.files", project.settings.landing_dir, scale, LAST[-1])
    staged = measure("benchmarks.stage.loader", root, "claims")
    run("benchmarks.claims.dbt", root, "prepare", *FIRST, *LAST)
    first, last = ([measure("benchmarks.claims.dbt", root, "day", day) for day in days] for days in (FIRST, LAST))
    full, raw = (measure("benchmarks.claims.dbt", root, what) for what in ("full", "raw"))
    lines = [*_staged(staged), *_days(first, last), *_full(full, raw, staged.facts["rows"])]
    return lines if server is None else [replace(each, at_most=None) for each in lines]


def _staged(found: Measured) -> list[Line]:
    loaded = found.seconds - found.parts["gate"]
    rows = found.facts["rows"]
    name = f"{LAST[-1]} daily drops, {rows:,} claim lines x 17: loader load"
    return [
        Line(f"{name}, gate aside", loaded, found.megabytes, note=f"{rows / loaded:,.0f} rows a second"),
        *(Line(f"   {part}", seconds) for part, seconds in found.parts.items()),
    ]


def _days(first: list[Measured], last: list[Measured]) -> list[Line]:
    """A day of the last ones, held against one of the first."""

    def one(what: str, before: float, after: float, at_most: float | None = None) -> Line:
        against = f"{before:.2f} s on days {FIRST[0]} to {FIRST[-1]}"
        return Line(what, after, against=against, ratio=after / before, at_most=at_most)

    lines = sum(found.facts["rows"] for found in last) // len(last)
    name = f"a day of {LAST[0]} to {LAST[-1]}, {lines:,} lines"
    nodes = [part for part in last[0].parts if part not in ("load", "tests")]
    few, many = _mean(first[:1], *nodes), _mean(last[-1:], *nodes)
    return [
        one(f"{name}: snapshots and models", _mean(first, *nodes), _mean(last, *nodes), 1.2),
        Line(f"   day {LAST[-1]}", many, against=f"{few:.2f} s on day {FIRST[0]}", ratio=many / few),
        *(one(f"   {node}", _mean(first, node), _mean(last, node)) for node in nodes),
        one(f"{name}: load to stage, gate aside", _mean(first, "load"), _mean(last, "load")),
        one(f"{name}: all tests", _mean(first, "tests"), _mean(last, "tests")),
    ]


def _mean(days: list[Measured], *parts: str) -> float:
    """Seconds of these parts of a day."""
    return fmean(sum(day.parts[part] for part in parts) for day in days)


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
