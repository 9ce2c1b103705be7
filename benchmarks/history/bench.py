"""History: the strategy `period` against dbt's stock `check` snapshot and SQLMesh, of the same staged rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import Line, Measured, NotMeasured, compared, line, measure, measure_peer, run
from benchmarks.people import CSV
from benchmarks.projects import people_project
from benchmarks.servers import Server
from loader.project import Project

FEW, MANY, AT_ONCE = 12, 48, 24
"""Months."""


def history(folder: Path, scale: float) -> list[Line]:
    """One new month in a history that is a year long, and in one of four years; and two years at once."""
    keys = int(200_000 * scale)
    project, found = _snapshots(folder, keys)

    def sqlmesh(months: int) -> Measured | NotMeasured:
        staged = project.root / "data" / "staged.parquet"
        return measure_peer("sqlmesh", "benchmarks.history.sqlmesh", staged, folder / "sqlmesh", months)

    mesh_few, mesh = _next(sqlmesh(FEW - 1)), _same(sqlmesh(AT_ONCE), found.at_once)
    month, months = _names(keys)
    by_month, at_once = _lines(keys, found)
    some = "1% of the keys unknown"
    month_unknown = measure("benchmarks.history.dbt", project.root, "next_with_unknown", FEW, "people")
    months_unknown = measure("benchmarks.history.dbt", project.root, "backfill_with_unknown", AT_ONCE, "people")
    plain, plain_at_once = _sql(found.few), _sql(found.at_once)
    return [
        compared(f"{month}, {some}: period, SQL only", _sql(month_unknown).seconds, "none unknown", plain, 2.0),
        compared(
            f"{months}, {some}: period, SQL only", _sql(months_unknown).seconds, "none unknown", plain_at_once, 1.5
        ),
        *by_month,
        line(f"{month}: SQLMesh, its whole run", mesh_few),
        compared(f"{month}: period, the whole dbt snapshot", found.few.seconds, "SQLMesh", mesh_few, 1.0),
        *at_once,
        line(f"{months}: SQLMesh, its whole plan", mesh),
        compared(f"{months}: period, one dbt snapshot", found.at_once.seconds, "SQLMesh", mesh, 1.0),
    ]


def history_on(server: Server, folder: Path, scale: float) -> list[Line]:
    """The same on a server, against the stock snapshot there."""
    keys = int(200_000 * scale)
    _, found = _snapshots(folder, keys, server)
    by_month, at_once = _lines(keys, found)
    return [replace(each, at_most=None) for each in (*by_month, *at_once)]  # how much is asked of DuckDB only


@dataclass(frozen=True)
class _Snapshots:
    stock_few: Measured
    few: Measured
    many: Measured
    idle: Measured
    stock_each: Measured
    at_once: Measured


def _snapshots(folder: Path, keys: int, server: Server | None = None) -> tuple[Project, _Snapshots]:
    project = people_project(folder, CSV, server)
    run("benchmarks.history.dbt", project.root, "prepare", keys, FEW, MANY)

    def snapshot(what: str, months: int, name: str = "people") -> Measured:
        return measure("benchmarks.history.dbt", project.root, what, months, name)

    return project, _Snapshots(
        stock_few=snapshot("next", FEW, "stock"),
        few=snapshot("next", FEW),
        many=snapshot("next", MANY),
        idle=snapshot("idle", MANY),
        stock_each=snapshot("backfill", AT_ONCE, "stock"),  # these two last: they begin without history
        at_once=snapshot("backfill", AT_ONCE),
    )


def _names(keys: int) -> tuple[str, str]:
    name = f"{keys:,} keys, 2% changed"
    return f"month {FEW}, {name}", f"{AT_ONCE} months at once, {name}"


def _lines(keys: int, found: _Snapshots) -> tuple[list[Line], list[Line]]:
    """One new month, and many at once, against the stock snapshot."""
    month, months = _names(keys)
    later = month.replace(f"{FEW}", f"{MANY}", 1)
    stock, few, at_once = _sql(found.stock_few), _sql(found.few), found.at_once.seconds
    return [
        line(f"{month}: stock check snapshot, SQL only", stock),
        compared(f"{month}: period, SQL only", few.seconds, "stock", stock, 1.2),
        compared(f"{later}: period, SQL only", _sql(found.many).seconds, f"month {FEW}", few, 1.2),
        line(f"nothing new after {later}: period, SQL only", _sql(found.idle)),
    ], [
        line(f"{months}: {AT_ONCE} stock dbt snapshots", found.stock_each),
        compared(f"{months}: period, one dbt snapshot", at_once, f"{AT_ONCE} stock", found.stock_each, 0.2),
    ]


def _sql(found: Measured) -> Measured:
    return Measured(found.parts["sql"], found.megabytes)


def _next(found: Measured | NotMeasured) -> Measured | NotMeasured:
    """The month after those that were filled in at once."""
    if isinstance(found, NotMeasured):
        return found
    return Measured(found.parts["next"], found.megabytes, facts=found.facts)


def _same(peer: Measured | NotMeasured, ours: Measured) -> Measured | NotMeasured:
    """A peer that made another history has not done the same."""
    if isinstance(peer, Measured) and peer.facts["rows"] != ours.facts["rows"]:
        return NotMeasured(f"it made {peer.facts['rows']:,} versions, not {ours.facts['rows']:,}")
    return peer
