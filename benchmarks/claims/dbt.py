"""Days of claim lines: each drop loaded and built upon the days before; and the whole star made anew, or in raw SQL.

Of dbt the seconds of its nodes count, one after the other: neither start-up nor parsing.
"""

from __future__ import annotations

import json
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.claims.files import MONTH
from benchmarks.dbt_process import invoke_dbt
from benchmarks.kept import kept
from benchmarks.measure import print_result
from benchmarks.stage.loader import load_all, steps

_MONTHLY = ("health_plans", "providers", "members", "enrollments")
_SELECTED = ("--select", "+marts.aca", "--indirect-selection", "buildable", "--threads", "1")
"""The insurer's models, all that they are made of, and their tests."""


class _Bench:
    """A project in which all files have landed."""

    def __init__(self, root: Path) -> None:
        from loader.project import Project

        self.project = Project.open(root)
        self.kept = kept(self.project)
        self.models = root / "data" / "models.json"

    def prepare(self, *days: int) -> None:
        """Day by day until the last of these; keep the warehouse as it is before each of them, and in the end."""
        from benchmarks.projects import start_anew

        start_anew(self.project)
        for dataset in _MONTHLY:
            load_all(self.project, dataset=dataset)
        for number in range(1, max(days) + 1):
            if number in days:
                self.kept.keep(f"before_{number}")
            load_all(self.project, dataset="claims", period=_period(number))
            self._dbt("build", "--exclude-resource-type", "test")
        self.kept.keep("built")

    def day(self, number: int) -> tuple[dict[str, float], int]:
        """Seconds of the load, gate aside, of each node, and of all tests; and the lines of the day."""
        self.kept.restore(f"before_{number}")
        gate_before, started = steps(self.project)["gate"], time.perf_counter()
        rows = load_all(self.project, dataset="claims", period=_period(number))
        loaded = time.perf_counter() - started
        gate = steps(self.project)["gate"] - gate_before
        results = self._dbt("build")
        return {"load": loaded - gate, **_of_nodes(results), "tests": _of_tests(results)}, rows

    def full(self) -> dict[str, float]:
        """Seconds of each model, made anew; keeps what dbt compiled."""
        self.kept.restore("built")
        results = self._dbt("run", "--full-refresh")
        nodes = [result.node for result in results]
        compiled = [(node.name, node.relation_name, node.compiled_code) for node in nodes]
        self.models.write_text(json.dumps(compiled), encoding="utf-8")
        return _of_nodes(results)

    def raw(self) -> dict[str, float]:
        """The same by the statements that dbt compiled, one after the other in one connection."""
        from sqlalchemy import NullPool, create_engine

        self.kept.restore("built")
        seconds = {}
        with create_engine(self.project.warehouse.engine.url(), poolclass=NullPool).connect() as connection:
            for model, relation, query in json.loads(self.models.read_text(encoding="utf-8")):
                started = time.perf_counter()
                connection.exec_driver_sql(f"drop table if exists {relation}")
                connection.exec_driver_sql(f"create table {relation} as {query}")
                connection.commit()
                seconds[model] = time.perf_counter() - started
        return seconds

    def _dbt(self, command: str, *arguments: str) -> Any:
        """What became of each snapshot, model and test."""
        arguments = (command, *_SELECTED, *arguments, "--no-write-json")
        results = invoke_dbt(self.project, *arguments, manifest=self._manifest).result
        return [result for result in results if result.node.resource_type in ("snapshot", "model", "test")]

    @cached_property
    def _manifest(self) -> Any:
        return invoke_dbt(self.project, "parse").result


def _of_nodes(results: Any) -> dict[str, float]:
    return {result.node.name: result.execution_time for result in results if result.node.resource_type != "test"}


def _of_tests(results: Any) -> float:
    return sum(result.execution_time for result in results if result.node.resource_type == "test")


def _period(day: int) -> str:
    return f"{MONTH}-{day:02}"


def main(root: Path, what: str, *days: int) -> None:
    bench = _Bench(root)
    if what == "prepare":
        bench.prepare(*days)
    elif what == "day":
        parts, rows = bench.day(*days)
        print_result(sum(parts.values()), parts, rows=rows)
    else:
        parts = bench.full() if what == "full" else bench.raw()
        print_result(sum(parts.values()), parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
