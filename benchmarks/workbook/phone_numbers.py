"""Telephone numbers as people write them, nine in ten plain, one in ten odd; drawn at random."""

from __future__ import annotations

import sys
from typing import Any

# how a number is written, of area code and subscriber number, and how many of a hundred are
PLAIN = {
    "0{area}{number}": 22,
    "0{area} {number}": 14,
    "0{area}/{number}": 10,
    "(0{area}) {number}": 6,
    "+49{area}{number}": 14,
    "+49 {area} {number}": 12,
    "+49 (0){area} {number}": 6,
    "0049 {area} {number}": 6,
}
ODD = {
    "+43 1 {number}": 2,  # another country
    "+420 60{number}": 1,
    "0{area} {number} ext. 12": 2,  # an extension, for which E.164 has no room
    "Tel. 0{area} {number}": 2,
    "0{area}{number} x": 1,
    "+49-{area}-{number} #3": 1,
    "{number}": 1,  # an area code is missing: mostly no valid number
}
AREAS = ("30", "40", "69", "89", "351", "341", "371", "1511", "1525", "1601", "1761")  # the last four are mobile


def phone_numbers(rows: int) -> Any:
    """An Arrow array of `rows` texts; the same for the same number."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(2)
    written = {**PLAIN, **ODD}
    forms = random.choice(len(written), rows, p=np.array(list(written.values())) / 100)
    areas = np.array(AREAS)[random.integers(0, len(AREAS), rows)]
    numbers = random.integers(2_000_000, 9_999_999, rows)
    drawn = zip(forms.tolist(), areas.tolist(), numbers.tolist(), strict=True)
    texts = list(written)
    return pa.array([texts[form].format(area=area, number=number) for form, area, number in drawn], pa.string())


def main(rows: int) -> None:
    """Clean that many numbers, as a column of a delivery."""
    import time

    import pandas as pd
    import pyarrow as pa

    from benchmarks.measure import print_result
    from loader.cleaning import RULES

    cells = pd.Series(phone_numbers(rows), dtype=pd.ArrowDtype(pa.string()))
    started = time.perf_counter()
    cleaned = RULES["phone"](cells, region="DE")
    seconds = time.perf_counter() - started
    print_result(seconds, rejected=int(cleaned.invalid.sum()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
