"""`loader load` of what has landed, as a user runs it; the parts are those of `meta.etl_audit`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import print_result

if TYPE_CHECKING:
    from loader.project import Project


def main(root: Path, dataset: str | None = None) -> None:
    from benchmarks.projects import start_anew
    from loader.project import Project

    project = Project.open(root)
    start_anew(project)
    started = time.perf_counter()
    rows = load_all(project, dataset=dataset)
    seconds = time.perf_counter() - started
    print_result(seconds, steps(project), rows=rows)


def load_all(project: Project, **which: Any) -> int:
    """Load what has landed, or some of it; returns the number of rows. Ends the process when a file is not loaded."""
    from loader.staging.load import load

    report = load(project, **which)
    if report.count("loaded") != len(report.lines):
        raise SystemExit(f"not loaded: {report}")
    return sum(line.rows or 0 for line in report.lines)


def steps(project: Project) -> dict[str, float]:
    """Seconds of each step by its name, from the audit; those of a layer carry the layer's name."""
    from sqlalchemy import text

    query = """
        select case when subject in ('stage', 'core', 'mart') then step || ' ' || subject else step end as part,
            sum(duration_seconds)
        from meta.etl_audit group by part order by min(audit_id)
    """
    found = project.warehouse.run(lambda connection: connection.execute(text(query)).all())
    return {str(part): float(seconds) for part, seconds in found}


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
