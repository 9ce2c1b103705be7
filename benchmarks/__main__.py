"""`make bench`: everything that is measured, as a table and as JSON. `SCALE=` multiplies the sizes.

python -m benchmarks                    all of it
python -m benchmarks stage phones       some of it
python -m benchmarks --markdown         nothing is measured: the figures of data/bench.json as Markdown
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.builds import builds
from benchmarks.delivery import delivery
from benchmarks.history import history
from benchmarks.measure import REPOSITORY
from benchmarks.report import as_json, as_markdown, as_tables, in_words
from benchmarks.stage import memory, stage
from benchmarks.workbook import phones, workbook

BENCHES = {
    "stage": ("A text file into stage", stage),
    "memory": ("Memory and the size of a file", memory),
    "workbook": ("A workbook into stage", workbook),
    "phones": ("Telephone numbers", phones),
    "delivery": ("From landing to gated mart", delivery),
    "history": ("History", history),
    "builds": ("Builds, node by node", builds),
}
FIGURES = REPOSITORY / "data" / "bench.json"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; SCALE= and REPEAT= apply.")
    arguments.add_argument("benches", nargs="*", metavar="bench", help=", ".join(BENCHES))
    arguments.add_argument("--markdown", action="store_true", help="print the figures measured last as Markdown")
    asked = arguments.parse_args()
    if unknown := set(asked.benches) - set(BENCHES):
        arguments.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if asked.markdown:
        print(as_markdown(json.loads(FIGURES.read_text(encoding="utf-8"))))
        return
    _measure(asked.benches or list(BENCHES), float(os.environ.get("SCALE", "1")))
    _show(json.loads(FIGURES.read_text(encoding="utf-8")))


def _measure(names: list[str], scale: float) -> None:
    sections = {}
    with tempfile.TemporaryDirectory(prefix="almanac-bench-") as folder:
        for name in names:
            title, bench = BENCHES[name]
            print(f"measuring: {title}", file=sys.stderr)
            place = Path(folder) / name
            place.mkdir()
            sections[title] = bench(place, scale)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(as_json(sections, scale), encoding="utf-8")


def _show(bench: dict) -> None:  # type: ignore[type-arg]
    from rich.console import Console

    console = Console(width=150)
    for table in as_tables(bench):
        console.print(table)
    console.print(f"{in_words(bench)}; SCALE={bench['scale']:g}", highlight=False)
    print(f"written: {FIGURES.relative_to(REPOSITORY).as_posix()}", file=sys.stderr)


if __name__ == "__main__":
    main()
