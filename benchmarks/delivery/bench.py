"""A monthly workbook of citizens from landing to gated mart: one `loader run`, with its parts."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, line, measure, run
from benchmarks.projects import citizens_project


def delivery(folder: Path, scale: float) -> list[Line]:
    """A workbook of 50 MB."""
    rows = int(530_000 * scale)
    project = citizens_project(folder)
    path = project.settings.landing_dir / "citizens_2025-01.xlsx"
    run("benchmarks.delivery.citizens", path, rows)

    ours = measure("benchmarks.delivery.run", project.root)
    name = f"citizens, {rows:,} x 12, {path.stat().st_size / 1e6:.0f} MB"
    return [
        line(f"{name}: from landing to gated mart", ours, at_most=60),
        *(Line(f"   {part}", seconds) for part, seconds in ours.parts.items()),
    ]
