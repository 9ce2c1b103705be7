"""Workbooks: a big one loaded, against fastexcel that only reads it; and telephone numbers cleaned."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.measure import Line, Measured, compared, line, measure, run
from benchmarks.people import WORKBOOK, WORKBOOK_PHONES_CLEANED
from benchmarks.projects import people_project


def workbook(folder: Path, scale: float) -> list[Line]:
    """400,000 rows of 13 columns, one of them telephone numbers, as they are and cleaned."""
    rows = int(400_000 * scale)
    path = folder / "people_2025-01.xlsx"
    run("benchmarks.people", path, rows)
    name = f"workbook of {rows:,} x 13, {path.stat().st_size / 1e6:.0f} MB"

    read = measure("benchmarks.workbook.read", path)
    ours = _loaded(folder / "plain", WORKBOOK, path)
    cleaned = _loaded(folder / "cleaned", WORKBOOK_PHONES_CLEANED, path)
    checked = ours.parts["ingest"] + ours.parts["validate"]
    return [
        line(f"{name}: fastexcel only reads it", read),
        compared(f"{name}: read, checked, written as parquet", checked, "fastexcel", read, 2.4),
        *(Line(f"   {part}", seconds) for part, seconds in ours.parts.items()),
        line(f"{name}: loader load, all", ours),
        line(f"{name}: loader load, all, with the telephone numbers cleaned", cleaned),
    ]


def _loaded(folder: Path, contract: str, path: Path) -> Measured:
    project = people_project(folder, contract)
    project.settings.landing_dir.mkdir(parents=True)
    shutil.copy(path, project.settings.landing_dir)
    return measure("benchmarks.stage.loader", project.root)


def phones(_: Path, scale: float) -> list[Line]:
    """1,000,000 telephone numbers, one in ten odd."""
    rows = int(1_000_000 * scale)
    cleaned = measure("benchmarks.workbook.phone_numbers", rows)
    return [line(f"{rows:,} telephone numbers cleaned, one in ten odd", cleaned, at_most=3)]
