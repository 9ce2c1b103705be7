"""`make bench`: everything that is measured, as a table and as JSON. `SCALE=` multiplies the sizes.

python -m benchmarks                          all of it, on DuckDB
python -m benchmarks stage phones             some of it; the figures of the rest stay as they are
python -m benchmarks pollock POLLOCK=…        odd text files: a checkout of github.com/HPI-Information-Systems/Pollock
python -m benchmarks delimiters CSVSNIFFER=…  how they are written: a checkout of github.com/ws-garcia/CSVsniffer
python -m benchmarks proposals PACKAGES=…     proposed contracts: a folder of checkouts of data packages
python -m benchmarks --markdown               nothing is measured: the figures of data/bench.json as Markdown

ENGINES=postgres,sqlserver measures on servers what has a part there: stage, memory, history, and on PostgreSQL claims.
PostgreSQL is the one that pip installs, SQL Server the one that ALMANAC_SQLSERVER_HOST, _PORT, _USER, _PASSWORD name.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.builds.bench import builds
from benchmarks.claims.bench import claims, claims_on
from benchmarks.delimiters.bench import delimiters
from benchmarks.delivery.bench import delivery
from benchmarks.history.bench import history, history_on
from benchmarks.measure import REPOSITORY, Line
from benchmarks.pollock.bench import pollock
from benchmarks.proposals.bench import proposals
from benchmarks.report import as_json, as_markdown, as_section, as_tables, environments
from benchmarks.servers import SERVERS, Server
from benchmarks.small.bench import small
from benchmarks.stage.bench import memory, memory_on, stage, stage_on
from benchmarks.torn.bench import torn
from benchmarks.workbook.bench import phones, workbook

BENCHES = {
    "stage": ("A text file into stage", stage),
    "memory": ("Memory and the size of a file", memory),
    "torn": ("Torn rows of a text file", torn),
    "workbook": ("A workbook into stage", workbook),
    "phones": ("Telephone numbers", phones),
    "small": ("Small work, in processor seconds", small),
    "delivery": ("From landing to gated mart", delivery),
    "history": ("History", history),
    "builds": ("Builds, node by node", builds),
    "claims": ("Claim lines, day by day", claims),
}
ON_DATA = {
    "pollock": ("Odd text files: the Pollock benchmark", pollock),
    "delimiters": ("How text files are written: the sets of CSVsniffer", delimiters),
    "proposals": ("Proposed contracts: the schemas of data packages", proposals),
}
"""Measured when asked for, on data of others."""
FOLDERS = {"pollock": "POLLOCK", "delimiters": "CSVSNIFFER", "proposals": "PACKAGES"}
"""The variables that say where those data are."""
ON_SERVERS = {"stage": stage_on, "memory": memory_on, "history": history_on, "claims": claims_on}
FIGURES = REPOSITORY / "data" / "bench.json"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; SCALE= and REPEAT= apply.")
    arguments.add_argument("benches", nargs="*", metavar="bench", help=", ".join([*BENCHES, *ON_DATA]))
    arguments.add_argument("--markdown", action="store_true", help="print the figures measured last as Markdown")
    asked = arguments.parse_args()
    os.environ.update(word.split("=", 1) for word in asked.benches if "=" in word)
    asked.benches = [word for word in asked.benches if "=" not in word]
    if unknown := set(asked.benches) - {*BENCHES, *ON_DATA}:
        arguments.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join([*BENCHES, *ON_DATA])}")
    if missing := [name for name in asked.benches if name in ON_DATA and FOLDERS[name] not in os.environ]:
        arguments.error(f"{FOLDERS[missing[0]]}=folder says where its data are")
    if asked.markdown:
        print(as_markdown(figures()))
        return
    engines = [name.strip() for name in os.environ.get("ENGINES", "duckdb").split(",")]
    if unknown := set(engines) - {"duckdb", *SERVERS}:
        arguments.error(f"ENGINES names {', '.join(sorted(unknown))}; there are duckdb, {', '.join(SERVERS)}")
    measured = _measure(engines, asked.benches or list(BENCHES), float(os.environ.get("SCALE", "1")))
    _show({"sections": {title: section for title, section in figures()["sections"].items() if title in measured}})


def figures() -> dict[str, Any]:
    """What was measured so far."""
    if not FIGURES.exists():
        return {"sections": {}}
    sections = json.loads(FIGURES.read_text(encoding="utf-8"))["sections"]
    return {"sections": {title: section for title, section in sections.items() if "on" in section}}


def _measure(engines: list[str], names: list[str], scale: float) -> list[str]:
    """The titles of what was measured. Each section takes the place of the one of an earlier run, others stay."""
    titles = []
    for engine in engines:
        for name in names:
            if engine == "duckdb" and name in ON_DATA:
                title, on_data = ON_DATA[name]
                data = Path(os.environ[FOLDERS[name]])
                print(f"measuring: {title}", file=sys.stderr)
                section = as_section(on_data(data, scale), scale)
            elif engine == "duckdb":
                title, bench = BENCHES[name]
                section = as_section(_measured(title, partial(bench, scale=scale)), scale)
            elif name in ON_SERVERS:
                title = f"{BENCHES[name][0]}: {SERVERS[engine].title}"
                try:
                    section = _measured_on(SERVERS[engine], name, title, scale)
                except LookupError as reason:
                    print(f"not measured: {title}: {reason}", file=sys.stderr)
                    continue
            else:
                continue
            keep(title, section)
            titles.append(title)
    return titles


def _measured_on(server: Server, name: str, title: str, scale: float) -> dict[str, Any]:
    description = server.description()
    try:
        return as_section(_measured(title, partial(ON_SERVERS[name], server, scale=scale)), scale, description)
    finally:
        server.leave()


def _measured(title: str, bench: Callable[[Path], list[Line]]) -> list[Line]:
    print(f"measuring: {title}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as folder:
        return bench(Path(folder) / "project")


def keep(title: str, section: dict[str, Any]) -> None:
    sections = figures()["sections"] | {title: section}
    suffixes = ["", *(f": {server.title}" for server in SERVERS.values())]
    titles = [f"{title}{suffix}" for suffix in suffixes for title, _ in [*BENCHES.values(), *ON_DATA.values()]]
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(as_json({title: sections[title] for title in titles if title in sections}), encoding="utf-8")


def _show(bench: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(width=150)
    for table in as_tables(bench):
        console.print(table)
    for words in environments(bench):
        console.print(words, highlight=False)
    print(f"written: {FIGURES.relative_to(REPOSITORY).as_posix()}", file=sys.stderr)


if __name__ == "__main__":
    main()
