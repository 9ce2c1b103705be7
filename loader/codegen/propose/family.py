"""Several samples of one dataset: the same column found again, under its header of each period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.sample import Sample, joined
from loader.contracts import plain_header
from loader.readers.table import Cells
from loader.text import listed

_SAME = 0.5
"""Share of the different cells of a column that stand in another, too, where the second is the first renamed."""


@dataclass(frozen=True)
class FamilyColumn:
    """A column in all samples, which are sorted by period."""

    headers: tuple[str | None, ...]
    """As each sample writes it; None in one that does not have it."""
    parts: tuple[Cells | None, ...]
    filled_down: int = 0
    """Empty cells that were given the value above them."""

    @property
    def is_filled_down(self) -> bool:
        """Whether empty cells seem to mean the value above them."""
        return self.filled_down > 0

    @property
    def header(self) -> str:
        """As the last sample writes it that has it."""
        return next(" ".join(header.split()) for header in reversed(self.headers) if header is not None)

    @property
    def cells(self) -> Cells:
        """The cells of all samples."""
        return joined([part for part in self.parts if part is not None])

    @property
    def present(self) -> list[int]:
        """The samples that have it."""
        return [at for at, header in enumerate(self.headers) if header is not None]

    @property
    def is_filled(self) -> bool:
        """Whether each cell of the samples that have it is filled."""
        parts = [part for part in self.parts if part is not None]
        return all(part.text.null_count == 0 for part in parts) and any(len(part.text) for part in parts)

    @property
    def filled(self) -> int:
        """Filled cells in all samples."""
        return sum(len(part.text) - int(part.text.null_count) for part in self.parts if part is not None)

    @property
    def is_everywhere(self) -> bool:
        """Whether each sample has it."""
        return len(self.present) == len(self.headers)

    @property
    def is_renamed(self) -> bool:
        """Whether samples write its header in different ways."""
        return len({plain_header(header) for header in self.headers if header is not None}) > 1


def join_columns(samples: Sequence[Sample]) -> tuple[list[FamilyColumn], list[str]]:
    """The columns of all samples, and which of them have values but no header."""
    found: dict[str, FamilyColumn] = {}
    headless: list[str] = []
    nothing = (None,) * len(samples)
    for at, sample in enumerate(samples):
        for position, (header, cells) in enumerate(zip(sample.header, sample.columns, strict=True)):
            plain = plain_header(header)
            if not plain:
                if cells.text.null_count < len(cells.text):
                    headless.append(f"column {position + 1} of {sample.path.name} has values but no header")
                continue
            known = found.get(plain) or FamilyColumn(nothing, nothing)
            found[plain] = FamilyColumn(_set(known.headers, at, header), _set(known.parts, at, cells))
    return _renamed([*found.values()]), headless


def _set(values: tuple[object, ...], at: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:at], value, *values[at + 1 :])


def _renamed(columns: list[FamilyColumn]) -> list[FamilyColumn]:
    """With a column that ends where one of the same values begins taken for one of two headers."""
    ending = [one for one in columns if not one.is_everywhere and 0 in one.present]
    kept = [*columns]
    for old in ending:
        follower = next((new for new in kept if _follows(old, new)), None)
        if follower is None or old not in kept:
            continue
        headers = tuple(a if a is not None else b for a, b in zip(old.headers, follower.headers, strict=True))
        parts = tuple(a if a is not None else b for a, b in zip(old.parts, follower.parts, strict=True))
        kept[kept.index(old)] = FamilyColumn(headers, parts)
        kept.remove(follower)
    return kept


def _follows(old: FamilyColumn, new: FamilyColumn) -> bool:
    gone, come = max(old.present), min(new.present)
    if come != gone + 1 or old.present != [*range(gone + 1)] or new.present != [*range(come, len(new.headers))]:
        return False
    before, after = old.parts[gone], new.parts[come]
    if before is None or after is None:
        return False
    distinct = [pc.unique(cells.text.drop_null()) for cells in (before, after)]
    fewer = min(map(len, distinct))
    shared = pc.sum(pc.is_in(distinct[0], distinct[1])).as_py() or 0
    return fewer > 0 and shared >= _SAME * fewer


def header_words(column: FamilyColumn, periods: Sequence[str]) -> list[tuple[str, str, str]]:
    """Each header with the periods from and until which it is written so; empty for the first and the last."""
    spans: list[tuple[str, int, int]] = []
    for at in column.present:
        header = " ".join((column.headers[at] or "").split())
        if spans and plain_header(spans[-1][0]) == plain_header(header):
            spans[-1] = (spans[-1][0], spans[-1][1], at)
        else:
            spans.append((header, at, at))
    last = len(spans) - 1
    return [
        (header, periods[first] if number else "", periods[end] if number < last else "")
        for number, (header, first, end) in enumerate(spans)
    ]


def found_again(parts: Sequence[Sequence[pa.StringArray]]) -> list[tuple[int, int]]:
    """Of the key of each sample but the last: its rows, and those that the next sample has too. `parts` by sample."""
    joined_keys = [
        pc.binary_join_element_wise(*columns, "\x1f") if len(columns) > 1 else columns[0] for columns in parts
    ]
    return [(len(one), pc.sum(pc.is_in(one, other)).as_py() or 0) for one, other in pairwise(joined_keys)]


def missing_in(column: FamilyColumn, samples: Sequence[Sample]) -> str:
    """The files that lack a column."""
    return listed((samples[at].path.name for at in range(len(samples)) if at not in column.present), 3)
