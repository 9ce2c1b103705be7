"""How text files are written, found out: on the annotated files of CSVsniffer (García, Data Science 7, 2024).

By the rule of its published figures (`python/src/test_runner.py` there) a file is right when delimiter and quote are
those of the annotation, where no quote counts as `"`; escape and line ends do not count. A file that is not in the
checkout is left out, and so is, as there, one for which there is no answer; how many are, is told.

Rules were made with one half of the files in view, by a checksum of the name; the figures of both halves stand apart.
"""

from __future__ import annotations

import csv
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Line

SETS = {  # as they are called where figures are published: annotations, and the folder of the files
    "Pollock": ("POLLOCK-dialect_annotations.txt", "CSV"),
    "W3C": ("W3C-CSVW-dialect_annotations.txt", "W3C-CSVW"),
    "CSV Wrangling": ("CCSV-manual_Dialect_Annotation.txt", "CSV_Wrangling"),
}
SIGNS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "space": " ",
    "vslash": "|",
    "nsign": "#",
    "colon": ":",
    "eqsign": "=",
    "star": "*",
    "doublequote": '"',
    "singlequote": "'",
    "tilde": "~",
}
MOST_SECONDS = 0.1


@dataclass(frozen=True)
class Annotated:
    """A file, and what a person says of it."""

    path: Path
    delimiter: str
    quote: str

    @property
    def in_view(self) -> bool:
        """Whether it was looked at when the rules were made."""
        return zlib.crc32(self.path.name.encode()) % 2 == 0


@dataclass(frozen=True)
class Found:
    """What is found of a file."""

    file: Annotated
    delimiter: str | None
    """None when there is no answer."""
    quote: str
    rivals: int
    seconds: float
    """Of the processor."""

    @property
    def is_right(self) -> bool:
        """Whether it is what the annotation says."""
        return self.delimiter == self.file.delimiter and (self.quote or '"') == self.file.quote


def delimiters(folder: Path, scale: float = 1.0) -> list[Line]:
    """The lines of the benchmark, for a checkout of the repository; `scale` takes a part of the files."""
    lines: list[Line] = []
    for title in SETS:
        files = annotated(folder, title)[:: max(1, round(1 / scale))]
        lines += _lines(title, [look_at(file) for file in files])
    return lines


def annotated(folder: Path, title: str) -> list[Annotated]:
    """The files of a set, those that are not there among them."""
    annotations, files = SETS[title]
    with (folder / "python" / "ground truth" / annotations).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="|"))[2:]
    paths = folder / "python" / files
    return [Annotated(paths / name, SIGNS[delimiter], SIGNS[quote]) for name, _, delimiter, quote, *_ in rows]


def look_at(file: Annotated) -> Found | None:
    """What is found of a file; None when it is not there."""
    from loader.codegen.text_form import text_form
    from loader.errors import RefusedError

    if not file.path.exists():
        return None
    began = time.process_time()
    try:
        form = text_form(file.path)
    except RefusedError:
        return Found(file, None, "", 0, time.process_time() - began)
    return Found(file, form.delimiter, form.quote, len(form.rivals), time.process_time() - began)


def _lines(title: str, looked_at: Sequence[Found | None]) -> Iterator[Line]:
    there = [found for found in looked_at if found is not None]
    answered = [found for found in there if found.delimiter is not None]
    halves = [[found for found in answered if found.file.in_view is in_view] for in_view in (True, False)]
    without = f"{len(looked_at) - len(there)} files are not there, {len(there) - len(answered)} have no answer"
    yield Line(f"{title}: right", note=f"{_share(answered)}; {without}")
    yield Line(f"  {title}: in the half in view, in the other half", note=", ".join(map(_share, halves)))
    wrong = [found for found in answered if not found.is_right]
    told = f"of {sum(found.rivals > 0 for found in wrong)} of {len(wrong)} wrong ones"
    right = f"of {sum(found.rivals > 0 and found.is_right for found in answered)} right ones"
    yield Line(f"  {title}: told that it could be otherwise", note=f"{told}, {right}")
    slowest = max((found.seconds for found in there), default=None)
    yield Line(f"  {title}: processor seconds of the slowest file", slowest, at_most=MOST_SECONDS)


def _share(found: Sequence[Found]) -> str:
    right = sum(one.is_right for one in found)
    return f"{right / max(len(found), 1):.1%} ({right} of {len(found)})"
