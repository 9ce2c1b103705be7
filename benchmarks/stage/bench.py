"""A text file into stage: against the engine's own best, dlt and pandas; and what its size does to memory."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, Measured, compared, line, measure, measure_peer, run
from benchmarks.people import CSV
from benchmarks.projects import people_project
from benchmarks.servers import Server
from loader.project import Project


def stage(folder: Path, scale: float) -> list[Line]:
    """1,000,000 rows of 12 columns, the first month of an empty database."""
    rows = int(1_000_000 * scale)
    project, csv = _delivered(folder, rows)
    later, some = folder / "later.csv", folder / "some.csv"
    run("benchmarks.people", later, rows, 0.02)
    run("benchmarks.people", some, rows // 10)

    raw = measure("benchmarks.stage.raw", csv, folder)
    ours = measure("benchmarks.stage.loader", project.root)
    merged = measure_peer("dlt", "benchmarks.stage.dlt", "duckdb", "delete-insert", folder, csv)
    versioned = measure_peer("dlt", "benchmarks.stage.dlt", "duckdb", "scd2", folder, csv, later)
    pandas = measure("benchmarks.stage.pandas", some, folder)

    name = f"CSV of {rows:,} x 12"
    loaded = ours.seconds - ours.parts["gate"]
    lines = [
        line(f"{name}: raw DuckDB, to parquet and to a table", raw),
        compared(f"{name}: loader load, gate aside", loaded, "raw DuckDB", raw, 2.0),
        compared(f"{name}: loader load, gate aside", loaded, "dlt delete-insert", merged, 1.0),
        *(Line(f"   {part}", seconds) for part, seconds in ours.parts.items()),
        line(f"{name}: loader load, all", ours),
        line(f"{name}: dlt delete-insert", merged),
        line(f"{name}: dlt scd2, the first month", versioned),
    ]
    if isinstance(versioned, Measured):
        lines.append(Line(f"{name}: dlt scd2, the next month, 2% changed", versioned.parts["next"]))
    return [*lines, line(f"CSV of {rows // 10:,} x 12: pandas to_sql", pandas)]


_COPIES = {
    "postgres": (("COPY from a file", "copy"),),
    "sqlserver": (("bulkcopy of rows in memory", "bulkcopy"), ("bulkcopy_arrow of the same", "bulkcopy_arrow")),
}
"""By engine: what a server does best, that which is asked about first."""


def stage_on(server: Server, folder: Path, scale: float) -> list[Line]:
    """The same delivery into a server, whose own best gets rows that are prepared."""
    rows = int(1_000_000 * scale)
    project, csv = _delivered(folder, rows, server)
    some = folder / "some.csv"
    run("benchmarks.people", some, rows // 10)

    copies = {
        f"{words}, {table}": measure("benchmarks.stage.copy", project.root, csv, kind, way)
        for words, way in _COPIES[server.name]
        for kind, table in (("bare", "a table of 12 columns"), ("stage", "stage's table: lineage, index"))
    }
    ours = measure("benchmarks.stage.loader", project.root)
    merged = measure_peer("dlt", "benchmarks.stage.dlt", server.name, "delete-insert", project.root, csv)
    pandas = measure("benchmarks.stage.pandas", some, project.root, "server")

    name = f"CSV of {rows:,} x 12"
    loaded = ours.seconds - ours.parts["gate"]
    bare, staged = list(copies)[:2]
    per_row = Measured(10 * pandas.seconds, pandas.megabytes)
    return [
        *(line(f"{name}: {words}", found) for words, found in copies.items()),
        compared(f"{name}: loader load-stage", ours.parts["load-stage"], bare, copies[bare], server.at_most),
        compared(f"{name}: loader load, gate aside", loaded, staged, copies[staged], server.at_most),
        compared(f"{name}: loader load, gate aside", loaded, bare, copies[bare], None),
        compared(f"{name}: loader load, gate aside", loaded, "dlt delete-insert", merged, 1.0),
        compared(f"{name}: loader load, gate aside", loaded, "pandas to_sql, ten times", per_row, 1.0),
        *(Line(f"   {part}", seconds) for part, seconds in ours.parts.items()),
        line(f"{name}: loader load, all", ours),
        line(f"{name}: dlt delete-insert", merged),
        line(f"CSV of {rows // 10:,} x 12: pandas to_sql", pandas),
    ]


def memory(folder: Path, scale: float) -> list[Line]:
    """Four times the rows, gate included."""
    return memory_on(None, folder, scale)


def memory_on(server: Server | None, folder: Path, scale: float) -> list[Line]:
    """The same on a server, of whose memory nothing is said; None is DuckDB."""
    found = []
    for rows in (int(1_000_000 * scale), int(4_000_000 * scale)):
        project, _ = _delivered(folder / str(rows), rows, server)
        found.append((f"CSV of {rows:,} x 12: loader load, all", measure("benchmarks.stage.loader", project.root)))
    (small_name, small), (large_name, large) = found
    ratio = large.megabytes / small.megabytes
    return [
        line(small_name, small),
        line(large_name, large, against="a quarter of it, memory", ratio=ratio, at_most=1.3),
    ]


def _delivered(folder: Path, rows: int, server: Server | None = None) -> tuple[Project, Path]:
    project = people_project(folder, CSV, server)
    csv = project.settings.landing_dir / "people_2025-01.csv"
    run("benchmarks.people", csv, rows)
    return project, csv
