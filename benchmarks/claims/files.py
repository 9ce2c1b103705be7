"""The files of an insurer for the days of one month: claim lines every day, all else monthly, with two months before.

200,000 members at scale 1, each with nine lines a month. Claims come up to 45 days after the service, so the months
before make the first day as full as any; what was claimed in them is not delivered.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

MONTH = "2025-04"


def main(folder: Path, scale: float, days: int) -> None:
    from loader.samples.data.aca import Sample, make_day

    sample = Sample(scale=100 * scale, first="2025-02", use=4.7)
    for day in range(1, days + 1):
        for _ in make_day(folder, date.fromisoformat(f"{MONTH}-{day:02}"), sample):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
