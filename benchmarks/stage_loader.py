"""`loader load` of one delivery, as a user runs it; the parts are those of `meta.etl_audit`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import tell

if TYPE_CHECKING:
    from loader.project import Project


def main(root: Path) -> None:
    from benchmarks.projects import start_anew
    from loader.load import load
    from loader.project import Project

    project = Project.open(root)
    start_anew(project)
    started = time.perf_counter()
    report = load(project)
    seconds = time.perf_counter() - started
    if report.count("loaded") != 1:
        raise SystemExit(f"not loaded: {report}")
    ((_, rows),) = [(line.result, line.rows) for line in report.lines]
    tell(seconds, steps(project), rows=rows)


def steps(project: Project) -> dict[str, float]:
    """Seconds of each step by its name, from the audit; those of a layer carry the layer's name."""
    from sqlalchemy import text

    said = """
        select case when subject in ('stage', 'core', 'mart') then step || ' ' || subject else step end as part,
            sum(duration_seconds)
        from meta.etl_audit group by part order by min(audit_id)
    """
    found = project.warehouse.run(lambda connection: connection.execute(text(said)).all())
    return {str(part): float(seconds) for part, seconds in found}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
