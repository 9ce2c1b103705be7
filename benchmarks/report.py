"""The figures as a table on the console, as JSON, and as Markdown for the documentation; with their machine."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import REPEAT, Line

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = ("what", "seconds", "peak MB", "held against", "ratio", "at most", "")
PAGE = """# Figures

`make bench` (`python -m benchmarks`) measures on your machine, and prints what it takes and the ratio to a public peer
that did the same work in the same run. `SCALE=0.1` is a quick look, `ENGINES=postgres,sqlserver` measures on servers.
Seconds differ from machine to machine; ratios much less. Each measurement is a process of its own; its figure is the
median of its runs, its memory the highest peak, without that of a server. How is written in `benchmarks/`.

{measured}

This page is `python -m benchmarks --markdown`, made from `data/bench.json`.
"""
_PACKAGES = (
    "duckdb",
    "pyarrow",
    "pandas",
    "python-calamine",
    "fastexcel",
    "dbt-core",
    "dbt-duckdb",
    "great-expectations",
)


Section = dict[str, Any]


def as_section(lines: list[Line], scale: float, server: str = "") -> Section:
    """What was measured together, with the machine, the server and the packages that it was measured on.

    Limits are those of the whole sizes.
    """
    found = [asdict(line) | {"holds": line.holds if scale >= 1 else None} for line in lines]
    return {"lines": found, "on": {**_machine(), "server": server, "scale": scale, "repeat": REPEAT}}


def as_json(sections: dict[str, Section]) -> str:
    """Everything that was measured, by title."""
    return json.dumps({"sections": sections}, indent=2)


def as_tables(bench: dict[str, Any]) -> list[Table]:
    """One table for the console per section."""
    from rich import box
    from rich.table import Table

    tables = []
    for title, section in bench["sections"].items():
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, justify="right" if column in _COLUMNS[1:3] + _COLUMNS[4:6] else "left")
        for line in section["lines"]:
            broken = line["holds"] is False
            table.add_row(*_cells(line), style="bold red" if broken else None)
        tables.append(table)
    return tables


def as_markdown(bench: dict[str, Any]) -> str:
    """The page of the documentation: how to measure, on which machine this was, and a table per section."""
    parts = [PAGE.format(measured="\n\n".join(environments(bench)))]
    for title, section in bench["sections"].items():
        cells = [_cells(line) for line in section["lines"]]
        rows = [_COLUMNS, ("---", "---:", "---:", "---", "---:", "---:", "---"), *cells]
        table = "\n".join(f"| {' | '.join(_indented(cell) for cell in row)} |" for row in rows)
        parts.append(f"## {title}\n\n{table}\n")
    return "\n".join(parts)


def environments(bench: dict[str, Any]) -> list[str]:
    """Where and when it was measured, in a line each; with the sections, when there is more than one line."""
    measured: dict[str, list[str]] = {}
    for title, section in bench["sections"].items():
        measured.setdefault(_in_words(section["on"]), []).append(title)
    return [
        f"Measured on {words}." if len(measured) == 1 else f"{'; '.join(titles)}: measured on {words}."
        for words, titles in measured.items()
    ]


def _indented(cell: str) -> str:
    """A part of the line above keeps its place below it."""
    return f"- {cell.strip()}" if cell.startswith(" ") else cell


def _in_words(machine: dict[str, Any]) -> str:
    """The machine in a line."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    server = f"{machine['server']}, " if machine["server"] else ""
    return (
        f"{machine['date']}, {server}{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, {packages}; SCALE={machine['scale']:g}, "
        f"REPEAT={machine['repeat']}"
    )


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    limit = line["at_most"]
    remark = line["note"] or {True: "", False: "over its limit", None: ""}[line["holds"]]
    return (
        line["what"],
        "" if line["seconds"] is None else f"{line['seconds']:.2f}",
        "" if line["megabytes"] is None else f"{line['megabytes']:,.0f}",
        line["against"],
        "" if line["ratio"] is None else f"{line['ratio']:.2f}",
        "" if limit is None else f"{limit:g}{'' if line['ratio'] is not None else ' s'}",
        remark,
    )


def _machine() -> dict[str, Any]:
    import psutil

    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    """Its name, where the system tells."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
