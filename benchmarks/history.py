"""History: the strategy `period` against dbt's stock `check` snapshot and SQLMesh, of the same staged rows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, Measured, NotMeasured, compared, line, measure, measure_peer, run
from benchmarks.people import CSV
from benchmarks.projects import people_project

FEW, MANY, AT_ONCE = 12, 48, 24
"""Months."""


def history(folder: Path, scale: float) -> list[Line]:
    """One new month in a history that is a year long, and in one of four years; and two years at once."""
    keys = int(200_000 * scale)
    project = people_project(folder, CSV)
    run("benchmarks.history_dbt", project.root, "prepare", keys, FEW, MANY)

    def snapshot(what: str, months: int, name: str = "people") -> Measured:
        return measure("benchmarks.history_dbt", project.root, what, months, name)

    def sqlmesh(months: int) -> Measured | NotMeasured:
        staged = folder / "data" / "staged.parquet"
        return measure_peer("sqlmesh", "benchmarks.history_sqlmesh", staged, folder / "sqlmesh", months)

    stock_few, few, many = snapshot("next", FEW, "stock"), snapshot("next", FEW), snapshot("next", MANY)
    idle = snapshot("idle", MANY)
    stock, at_once = snapshot("backfill", AT_ONCE, "stock"), snapshot("backfill", AT_ONCE)
    mesh_few, mesh = _next(sqlmesh(FEW - 1)), _same(sqlmesh(AT_ONCE), at_once)

    name = f"{keys:,} keys, 2% changed"
    month, months = f"month {FEW}, {name}", f"{AT_ONCE} months at once, {name}"
    stock_sql, few_sql = _sql(stock_few), _sql(few)
    return [
        line(f"{month}: stock check snapshot, SQL only", stock_sql),
        compared(f"{month}: period, SQL only", few_sql.seconds, "stock", stock_sql, 1.2),
        compared(f"month {MANY}, {name}: period, SQL only", _sql(many).seconds, f"month {FEW}", few_sql, 1.2),
        line(f"nothing new after month {MANY}, {name}: period, SQL only", _sql(idle)),
        line(f"{month}: SQLMesh, its whole run", mesh_few),
        compared(f"{month}: period, the whole dbt snapshot", few.seconds, "SQLMesh", mesh_few, 1.0),
        line(f"{months}: {AT_ONCE} stock dbt snapshots", stock),
        line(f"{months}: SQLMesh, its whole plan", mesh),
        compared(f"{months}: period, one dbt snapshot", at_once.seconds, f"{AT_ONCE} stock", stock, 0.2),
        compared(f"{months}: period, one dbt snapshot", at_once.seconds, "SQLMesh", mesh, 1.0),
    ]


def _sql(found: Measured) -> Measured:
    return Measured(found.parts["sql"], found.megabytes)


def _next(found: Measured | NotMeasured) -> Measured | NotMeasured:
    """The month after those that were filled in at once."""
    if isinstance(found, NotMeasured):
        return found
    return Measured(found.parts["next"], found.megabytes, said=found.said)


def _same(peer: Measured | NotMeasured, ours: Measured) -> Measured | NotMeasured:
    """A peer that made another history has not done the same."""
    if isinstance(peer, Measured) and peer.said["rows"] != ours.said["rows"]:
        return NotMeasured(f"it made {peer.said['rows']:,} versions, not {ours.said['rows']:,}")
    return peer
