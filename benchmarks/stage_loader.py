"""`loader load` of one delivery, as a user runs it; the parts are those of `meta.etl_audit`."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from benchmarks.measure import tell


def main(root: Path) -> None:
    from loader.load import load
    from loader.migrate import ensure_migrated
    from loader.project import Project

    shutil.rmtree(root / "data" / "stage", ignore_errors=True)
    for left in root.glob("data/warehouse.duckdb*"):
        left.unlink()
    project = Project.open(root)
    ensure_migrated(project)
    started = time.perf_counter()
    report = load(project)
    seconds = time.perf_counter() - started
    if report.count("loaded") != 1:
        raise SystemExit(f"not loaded: {report}")
    tell(seconds, **dict(project.warehouse.run(_steps)))


def _steps(connection):  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    return connection.execute(text("select step, sum(duration_seconds) from meta.etl_audit group by step")).all()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
