"""The limit of a workbook: fastexcel reads the sheet into Arrow, and that is all."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.measure import print_result


def main(path: Path) -> None:
    import fastexcel

    started = time.perf_counter()
    rows = fastexcel.read_excel(path).load_sheet(0).to_arrow().num_rows
    print_result(time.perf_counter() - started, rows=rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
