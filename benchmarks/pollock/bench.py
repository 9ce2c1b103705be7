"""Polluted text files: the Pollock benchmark (Vitagliano et al., PVLDB 16, 2023), by its score and by wrong records.

Of each file is measured whether it is loaded, and for header, records and cells the shares of the right ones that were
loaded, of the loaded ones that are right, and the harmonic mean of both: ten figures, whose sum is the score. `simple`
is its mean over all files, `weighted` that by how often a pollution was seen in public files.

The official program compares headers and records after it has brought dates, times and prices to one form. Here cells
are compared as they are, without regard to case: what is loaded is the text of the file.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Line

GLUED = "file_multitable_same.csv"
"""Two tables of the same columns, one below the other, of which only the first is wanted: as glued files look."""
Record = tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """How the files are read."""

    title: str
    words: dict[str, Any]
    """Of the format."""
    headless: bool = False
    """Whether the contract gives the columns, where the file has one row of header."""


WAYS = (
    Way("strict", {}),
    Way("stray_quotes: keep, header: none", {"stray_quotes": "keep"}, headless=True),
)


@dataclass(frozen=True)
class Found:
    """What became of one file."""

    name: str
    score: float
    loaded: int
    wrong: int
    """Records that are not in the clean file."""
    refusal: str | None


def pollock(folder: Path, scale: float = 1.0) -> list[Line]:
    """The lines of the benchmark, for a checkout of its repository; `scale` takes a part of the files."""
    weights = json.loads((folder / "pollock_weights.json").read_text(encoding="utf-8"))
    files = sorted((folder / "polluted_files" / "csv").iterdir())
    files = files[:: max(1, round(1 / scale))]
    return [line for way in WAYS for line in _lines(way, [measure_file(path, way) for path in files], weights)]


def _lines(way: Way, found: Sequence[Found], weights: dict[str, float]) -> Iterator[Line]:
    simple = sum(one.score for one in found) / len(found)
    total = sum(weights.get(one.name, 0) for one in found)
    weighted = sum(one.score * weights.get(one.name, 0) for one in found) / total
    wrong = sum(one.wrong for one in found if one.name != GLUED)
    glued = sum(one.wrong for one in found if one.name == GLUED)
    refused = [one for one in found if one.refusal is not None]
    yield Line(f"{way.title}: score of {len(found):,} files", note=f"{simple:.3f} simple, {weighted:.3f} weighted")
    records = f"{wrong:,} of {sum(one.loaded for one in found):,}; {glued} more of {GLUED}"
    yield Line(f"  {way.title}: wrong records", note=records)
    yield Line(f"  {way.title}: refused", note=f"{len(refused)} files")


def measure_file(path: Path, way: Way) -> Found:
    """Read a polluted file and compare it with its clean form."""
    from loader.errors import RefusedError

    clean = _rows(path.parent.with_name("clean") / path.name)
    try:
        loaded = _read(path, way)
    except RefusedError as error:
        return Found(path.name, 0.0, 0, 0, error.message)
    wrong = Counter(loaded[1:]) - Counter(clean[1:])
    return Found(path.name, 1.0 + sum(_shares(clean, loaded)), len(loaded) - 1, wrong.total(), None)


def _read(path: Path, way: Way) -> list[Record]:
    """The header and the rows that are not rejected."""
    from loader.contracts import CsvFormat
    from loader.errors import RefusedError
    from loader.readers import open_table

    parameters = json.loads((path.parent.with_name("parameters") / f"{path.name}_parameters.json").read_text("utf-8"))
    lines = int(parameters["header_lines"])
    words = {
        "delimiter": parameters["delimiter"] or ",",
        "quote": parameters["quotechar"] or '"',
        "escape": parameters["escapechar"] if parameters["escapechar"] != parameters["quotechar"] else "",
        **way.words,
    }
    names = _rows(path.parent.with_name("clean") / "source.csv")[0]
    preamble = int(parameters["preamble_lines"])
    agreed = names if lines == 1 else [*_rows(path.parent.with_name("clean") / path.name), names][0]
    headless = lines == 1 and not preamble and way.headless
    words |= {"header": "none"} if headless else {"header_row": 1 + preamble, "header_rows": max(lines, 1)}
    table = open_table(path, CsvFormat(type="csv", **words), agreed)
    if [cell.strip() for cell in table.header] != [*agreed]:
        raise RefusedError(f"{path.name}: the header does not match the contract")
    rows = [tuple(table.header)]
    for batch in table.batches:
        columns = [[cell or "" for cell in column.to_pylist()] for column in batch.cells]
        rows += zip(*columns, strict=True)
    return rows


def _rows(path: Path) -> list[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


def _shares(clean: Sequence[Record], loaded: Sequence[Record]) -> Iterator[float]:
    """The three figures of the header, of the records and of the cells."""
    if not clean:
        yield from (1.0,) * 9
        return
    if loaded:
        yield from _compared(map(str.lower, clean[0]), map(str.lower, loaded[0]))
    else:
        yield from (0.0,) * 3
    yield from _compared(_records(clean[1:]), _records(loaded[1:]))
    cells: Callable[[Sequence[Record]], list[str]] = lambda rows: [cell for row in rows for cell in row]  # noqa: E731
    yield from _compared(cells(clean), cells(loaded))


def _records(rows: Sequence[Record]) -> list[str]:
    """Records as the score compares them: their cells joined by nothing."""
    return ["".join(row).lower() for row in rows]


def _compared(right: Iterable[str], found: Iterable[str]) -> tuple[float, float, float]:
    """Of right things: the share that was found, the share of what was found, their harmonic mean."""
    wanted, got = Counter(right), Counter(found)
    if not wanted:
        return 1.0, 1.0, 1.0
    same = (wanted & got).total()
    if not same:
        return 0.0, 0.0, 0.0
    share, exact = same / wanted.total(), same / got.total()
    return share, exact, 2 * share * exact / (share + exact)
