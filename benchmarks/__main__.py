"""`make bench`: everything that is measured, as a table and as JSON. `SCALE=` multiplies the sizes."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import REPOSITORY, Line, measure, new_project
from benchmarks.people import write_csv


def stage(folder: Path, scale: float) -> list[Line]:
    """CSV into stage against raw DuckDB."""
    rows = int(1_000_000 * scale)
    project = new_project(folder)
    csv = project.settings.landing_dir / "people_2025-01.csv"
    write_csv(csv, rows)

    raw = measure("benchmarks.stage_raw", csv, folder)
    ours = measure("benchmarks.stage_loader", project.root)
    loaded = ours.seconds - ours.details["gate"]
    name = f"CSV of {rows:,} x 12 into stage"
    return [
        Line(f"{name}: raw DuckDB", raw.seconds, megabytes=raw.megabytes),
        Line(f"{name}: loader, gate aside", loaded, "raw DuckDB", loaded / raw.seconds, "2.0"),
        *(Line(f"   {part}", spent) for part, spent in ours.details.items()),
        Line(f"{name}: loader, all", ours.seconds, megabytes=ours.megabytes),
    ]


def main() -> None:
    scale = float(os.environ.get("SCALE", "1"))
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as folder:
        from benchmarks.history import history

        lines = [*stage(Path(folder) / "stage", scale), *history(Path(folder) / "history", scale)]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table(title=f"{machine}, SCALE={scale:g}")
    for column in ("what", "seconds", "peak MB", "against", "ratio", "at most"):
        table.add_column(column, justify="right" if column in ("seconds", "peak MB", "ratio", "at most") else "left")
    for line in lines:
        megabytes = f"{line.megabytes:,.0f}" if line.megabytes else ""
        ratio = f"{line.ratio:.2f}" if line.ratio else ""
        table.add_row(line.what, f"{line.seconds:.2f}", megabytes, line.against, ratio, line.limit)
    Console(width=130).print(table)
    output = REPOSITORY / "data" / "bench.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps([vars(line) for line in lines], indent=2), encoding="utf-8")
    print(f"written: {output.relative_to(REPOSITORY)}", file=sys.stderr)


if __name__ == "__main__":
    main()
