"""The ways to split a text into cells, and how much each of them gives a table.

A delimiter is told by rows of one width (the table uniformity of García, doi 10.3233/DS-240062, 2024), by cells that
look like cells (as van den Burg et al. have it, see `cell_shapes`), and by quotes at the borders of cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import sqrt

from loader.codegen.cell_shapes import likeness

COMMON = ",;\t|"
SELDOM = " :=#*~^¦§\x01\x1f"
"""Delimiters that are rare, or stand in prose, dates and codes too."""
_RARE, _RARE_ROWS = 0.8, 3
"""What a split by a rare delimiter counts for, and the rows of one width that it needs."""
_COLUMN = 0.9
"""How much lines are like cells that a rare delimiter does not split."""
_TITLE = 0.5
"""What a split counts for whose first row has another width: a header is the first row, unless a title is."""
_SEVERAL = re.compile(r"([^\w\s\"'.,()-])[^\w\s\"'.,()-]{0,2}\1")
"""Delimiters of several characters: `||`, `|~|`."""
_STANDS_FOR_SEVERAL = "\x1e"
_MOST_ROWS, _MOST_CELLS, _MOST_QUOTES = 300, 3000, 5000
"""That are looked at."""
_PAIRED = 0.8
"""Of the quotes at borders, how many open or close a cell that is closed or opened, too."""
COMMENT = "#"
_COMMENTED = re.compile(rf"(?:\A|(?<=[\r\n])){COMMENT}[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Split:
    """A way to split a text, with what it gives."""

    delimiter: str
    quote: str
    escape: str
    rows: Sequence[Sequence[str]]
    """The first rows."""
    width: int
    """Cells of most rows."""
    score: float
    """From 0 to 1: how much it is a table."""

    @property
    def fitting(self) -> list[Sequence[str]]:
        """The rows of that width."""
        return [row for row in self.rows if len(row) == self.width]


@dataclass(frozen=True)
class Quotes:
    """Where the quotes of a text stand, numbers of them."""

    opening: int
    """Behind a delimiter or a line break."""
    closing: int
    """Before one."""
    beside: int
    """Either."""
    total: int

    @property
    def pair_up(self) -> bool:
        """Whether they stand around cells: an apostrophe is a letter, too, or stands before texts (Excel)."""
        return self.beside >= self.total / 2 and min(self.opening, self.closing) >= _PAIRED * self.beside / 2


class Sample:
    """The first lines of a text.

    Lines that begin with `#` are left out where there are others: they are comments, or the header.
    """

    def __init__(self, text: str) -> None:
        uncommented = _COMMENTED.sub("", text)
        self.has_comments = uncommented != text
        self._comment = COMMENT if self.has_comments else ""
        self.text = uncommented if uncommented.strip() else text
        self.whole = text
        self._likeness: dict[str, float] = {}
        self._seen: dict[tuple[str, str, bool], Counter[tuple[str, str]]] = {}

    def splits(self, delimiters: Sequence[str] = ()) -> Iterator[Split]:
        """All of them that give a table, by one of these delimiters if there are some."""
        for delimiter in delimiters or self._delimiters:
            for quote, escape in self._quotes:
                split = self._split(delimiter, quote, escape) if quote != delimiter else None
                if split is not None:
                    yield split

    def rows(self, delimiter: str, quote: str, escape: str, *, comments: bool = False) -> list[list[str]]:
        """The first rows that are not blank, split; with those of `#` if wanted."""
        text = self.whole if comments else self.text
        if len(delimiter) > 1:
            text, delimiter = text.replace(delimiter, _STANDS_FOR_SEVERAL), _STANDS_FOR_SEVERAL
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            escapechar=escape or None,
            skipinitialspace=delimiter != " ",
        )
        rows = list(islice(filter(None, reader), _MOST_ROWS))
        return rows if delimiter != " " else [cells for row in rows if (cells := [cell for cell in row if cell])]

    @cached_property
    def _delimiters(self) -> list[str]:
        several = [sign for sign, _ in Counter(found[0] for found in _SEVERAL.finditer(self.text)).most_common(1)]
        rest = self.text.replace(several[0], "") if several else self.text
        return [*(sign for sign in COMMON + SELDOM if sign in rest and sign != self._comment), *several]

    @cached_property
    def _quotes(self) -> list[tuple[str, str]]:
        """Quotes and escapes, the likely ones first."""
        quotes = ['"', *(["'"] if "'" in self.text else [])]
        escaped = [(quote, "\\") for quote in quotes if re.search(rf"\\{quote}[^{COMMON}\r\n]", self.text)]
        return [*((quote, "") for quote in quotes), *escaped, *([("", "")] if '"' in self.text else [])]

    def _split(self, delimiter: str, quote: str, escape: str) -> Split | None:
        quotes = self.quotes(delimiter, quote, escape)
        share = quotes.beside / quotes.total if quotes.total else 1.0
        share = share if quote else 1 - share
        if not share or (quote == "'" and not quotes.pair_up):
            return None
        rows = self.rows(delimiter, quote, escape)
        if not rows:
            return None
        [(width, count)] = Counter(map(len, rows)).most_common(1)
        is_rare = delimiter not in COMMON
        fitting = [row for row in rows if len(row) == width]
        filled = sum(any(cell.strip() for cell in column) for column in zip(*fitting, strict=True))
        if filled < 2 or (is_rare and (count < _RARE_ROWS or self._is_column(delimiter, width))):
            return None
        looked_at = fitting[: max(_MOST_CELLS // width, 10)]
        alike = sum(self._alike(cell) for row in looked_at for cell in row) / (len(looked_at) * width)
        weight = (_RARE if is_rare else 1) * (1 if len(rows[0]) == width else _TITLE)
        score = weight * share * count / len(rows) * alike * sqrt(1 - 1 / filled)
        return Split(delimiter, quote, escape, rows, width, score)

    def _is_column(self, delimiter: str, width: int) -> bool:
        """Whether the lines are cells of one column, such as times; several words may be several cells."""
        return self._line_likeness > _COLUMN and not (delimiter == " " and width > 2)

    @cached_property
    def _line_likeness(self) -> float:
        lines = [line for line in islice(io.StringIO(self.text, newline=""), _MOST_ROWS) if not line.isspace()]
        return sum(map(self._alike, lines)) / max(len(lines), 1)

    def _alike(self, cell: str) -> float:
        if cell not in self._likeness:
            self._likeness[cell] = likeness(cell)
        return self._likeness[cell]

    def quotes(self, delimiter: str, quote: str, escape: str = "") -> Quotes:
        """Where the quotes stand that do not stand twice; those of `"` when there is no quote."""
        borders = f"{delimiter}\r\n"
        opening = closing = beside = total = 0
        for (before, behind), count in self._neighbours(quote or '"', escape, blanks=delimiter == " ").items():
            opens, closes = not before or before in borders, not behind or behind in borders
            opening += opens * count
            closing += closes * count
            beside += (opens or closes) * count
            total += count
        return Quotes(opening, closing, beside, total)

    def _neighbours(self, quote: str, escape: str, *, blanks: bool) -> Counter[tuple[str, str]]:
        """What stands before and behind quotes, blanks aside unless they count; nothing at the start and the end."""
        key = quote, escape, blanks
        if key not in self._seen:
            text = self.text.replace(escape + quote, "") if escape else self.text
            if not blanks:
                text = re.sub(f"(?<! ) *({quote}+) *", r"\1", text)
            runs = (found for found in islice(re.finditer(f"{quote}+", text), _MOST_QUOTES) if len(found[0]) % 2)
            self._seen[key] = Counter(
                (text[max(found.start() - 1, 0) : found.start()], text[found.end() : found.end() + 1]) for found in runs
            )
        return self._seen[key]
