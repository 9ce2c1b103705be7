"""What torn rows cost: reading and checking a quoted text file with them, against the same file without."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, compared, line, measure, run

SHARES = (0.001, 0.05)


def torn(folder: Path, scale: float) -> list[Line]:
    """300,000 rows of 12 columns, every cell in quotes."""
    rows = int(300_000 * scale)
    sound = folder / "people_sound.csv"
    run("benchmarks.torn.file", sound, rows, 0)
    clean = measure("benchmarks.torn.read", sound)
    lines = [line(f"CSV of {rows:,} x 12, in quotes: read and checked, in processor seconds", clean)]
    for share in SHARES:
        path = folder / f"people_{share}.csv"
        run("benchmarks.torn.file", path, rows, share)
        found = measure("benchmarks.torn.read", path)
        name = f"CSV of {rows:,} x 12, in quotes: {share:.1%} of the rows torn"
        lines.append(compared(name, found.seconds, "without", clean, 2.0))
    return lines
