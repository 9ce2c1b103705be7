"""Writes people with every cell in quotes, and a share of the rows torn by a stray quote."""

from __future__ import annotations

import sys
from pathlib import Path


def main(path: Path, rows: int, share: float) -> None:
    import pyarrow.csv as pacsv

    from benchmarks.people import people

    path.parent.mkdir(parents=True, exist_ok=True)
    pacsv.write_csv(people(rows), path, pacsv.WriteOptions(quoting_style="all_valid"))
    if share:
        step = round(1 / share)
        lines = path.read_text(encoding="utf-8").split("\n")
        torn = (line.replace(" ", '"', 1) if at % step == step - 1 else line for at, line in enumerate(lines))
        path.write_text("\n".join(torn), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
