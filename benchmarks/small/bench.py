"""Small work, as it is done many times a day: processor seconds of a command, with those of what it starts.

The limits of gate and load are ratios to the import of Great Expectations, which is most of them: where that takes
3.0 s, they are 2.1 s for a gate's import and 1.5 s for a load beside it. Those of commands that look are seconds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.kept import kept
from benchmarks.measure import REPOSITORY, Line, processor_seconds
from benchmarks.projects import citizens_project, whole_project

if TYPE_CHECKING:
    from loader.project import Project

_PLAIN = "import great_expectations as gx; gx.get_context(mode='ephemeral')"
_GATE = "import loader.cli.app; from loader.gates.run import _context; _context()"
_SQL = "import duckdb_engine, sqlalchemy; sqlalchemy.create_engine('duckdb://')"


def small(folder: Path, scale: float) -> list[Line]:
    """A file of 1,000 rows with all contracts of the repository, commands that look, and a run with nothing new."""
    for name in ("loads", "builds"):
        (folder / name).mkdir(parents=True)
    project = whole_project(folder / "loads")
    claims = _claims(project, scale)
    project.ensure_migrated()
    warehouse = kept(project)
    warehouse.keep("empty")

    def anew() -> None:
        warehouse.restore("empty")
        shutil.rmtree(project.root / "data" / "stage", ignore_errors=True)

    plain, gate, sql = (_python("-c", code) for code in (_PLAIN, _GATE, _SQL))
    loaded = _loader(project, "load", "--file-path", claims, before=anew)
    rows = sum(1 for _ in claims.open(encoding="utf-8")) - 1

    return [
        Line("Great Expectations with a context, as Python imports it", plain),
        Line(
            "Great Expectations with a context, as a gate imports it",
            gate,
            against="plain",
            ratio=gate / plain,
            at_most=0.7,
        ),
        Line(f"loader load of {rows:,} claim lines x 17, with its gate", loaded),
        Line("   beside that import", loaded - gate, against="plain", ratio=(loaded - gate) / plain, at_most=0.5),
        Line("SQLAlchemy with the dialect of DuckDB, imported", sql),
        Line("loader --help", _loader(project, "--help"), at_most=0.2),
        Line("loader status", _loader(project, "status"), at_most=0.8),
        Line("loader versions", _loader(project, "versions", "--dataset", "claims"), at_most=0.8),
        *_nothing_new(citizens_project(folder / "builds"), scale),
    ]


def _nothing_new(project: Project, scale: float) -> list[Line]:
    """What a schedule pays when nothing has landed: six months of citizens, built."""
    for words in (("sample-data", "--rows", max(10, int(5_000 * scale))), ("run",)):
        command = [sys.executable, "-m", "loader", "--project-dir", project.root, *words]
        subprocess.run([*map(str, command)], check=True, capture_output=True, cwd=REPOSITORY)
    whole, changed, idle = (_loader(project, *words) for words in (["build", "--check-all"], ["build"], ["run"]))
    return [
        Line("six months of citizens: loader build --check-all", whole),
        Line("nothing new: loader build", changed, against="--check-all", ratio=changed / whole),
        Line("nothing new: loader run", idle, against="--check-all", ratio=idle / whole),
        Line("nothing new: loader run", idle, at_most=2),
    ]


def _claims(project: Project, scale: float) -> Path:
    """The claim lines of one day in the landing folder: 1,000 at scale 1."""
    from loader.samples.data.aca import Sample, make_day

    landing = project.settings.landing_dir
    for path in make_day(landing, date(2025, 2, 3), Sample(scale=max(5.5 * scale, 0.01), first="2025-02", use=4.7)):
        if not path.name.startswith("claims"):
            path.unlink()
    (claims,) = landing.iterdir()
    return claims


def _loader(project: Project, *words: object, before: Callable[[], None] = lambda: None) -> float:
    return _python("-m", "loader", "--project-dir", project.root, *words, before=before)


def _python(*words: object, before: Callable[[], None] = lambda: None) -> float:
    return processor_seconds([sys.executable, *map(str, words)], before)
