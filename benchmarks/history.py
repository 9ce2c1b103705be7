"""History: the strategy `period` against dbt's stock `check` snapshot and SQLMesh, of the same staged rows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, Measured, NotMeasured, compared, line, measure, measure_peer, run
from benchmarks.people import CSV
from benchmarks.projects import people_project


def history(folder: Path, scale: float) -> list[Line]:
    """One new month after 11 and after 47, and 24 months at once."""
    keys = int(200_000 * scale)
    project = people_project(folder, CSV)
    run("benchmarks.history_dbt", project.root, "prepare", keys)

    def next_month(snapshot: str, number: int) -> Measured:
        return measure("benchmarks.history_dbt", project.root, "next", number, snapshot)

    stock_12, ours_12, ours_48 = next_month("stock", 12), next_month("people", 12), next_month("people", 48)
    idle = measure("benchmarks.history_dbt", project.root, "idle", 48, "people")
    stock_24 = measure("benchmarks.history_dbt", project.root, "backfill", 24, "stock")
    ours_24 = measure("benchmarks.history_dbt", project.root, "backfill", 24, "people")
    staged, mesh = folder / "data" / "staged.parquet", folder / "sqlmesh"
    mesh_12 = measure_peer("sqlmesh", "benchmarks.history_sqlmesh", staged, mesh, 11)
    mesh_24 = measure_peer("sqlmesh", "benchmarks.history_sqlmesh", staged, mesh, 24)

    name = f"{keys:,} keys, 2% changed"
    stock_sql, ours_sql = _sql(stock_12), _sql(ours_12)
    return [
        line(f"the 12th month, {name}: stock check snapshot, SQL only", stock_sql),
        compared(f"the 12th month, {name}: period, SQL only", ours_sql.seconds, "stock", stock_sql, 1.2),
        compared(f"the 48th month, {name}: period, SQL only", _sql(ours_48).seconds, "the 12th", ours_sql, 1.2),
        Line(f"nothing new after 48 months, {name}: period, SQL only", _sql(idle).seconds),
        line(f"the 12th month, {name}: SQLMesh, its whole run", _next(mesh_12)),
        compared(
            f"the 12th month, {name}: period, whole dbt snapshot", ours_12.seconds, "SQLMesh", _next(mesh_12), 1.0
        ),
        line(f"24 months at once, {name}: 24 stock dbt snapshots", stock_24),
        line(f"24 months at once, {name}: SQLMesh, its whole plan", _same(mesh_24, ours_24)),
        compared(f"24 months at once, {name}: one dbt snapshot", ours_24.seconds, "24 stock", stock_24, 0.2),
        compared(f"24 months at once, {name}: one dbt snapshot", ours_24.seconds, "SQLMesh", mesh_24, 1.0),
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
