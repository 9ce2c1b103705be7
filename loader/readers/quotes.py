"""How a row can be read whose quotes are not those of RFC 4180, where a quote opens a cell, closes one or stands twice.

A quote within a cell that does not begin with one is a letter (`24"`). What else a quote can mean makes a row torn, or
a row that can be read in two ways; neither is taken, unless the contract says `stray_quotes: keep`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Any, TextIO

from loader.contracts import CsvFormat
from loader.errors import RefusedError
from loader.readers.table import Fault
from loader.readers.text_notation import TextNotation

MOST_ROW = 4 << 20
"""Bytes of a row, and characters of a cell. Longer ones are a text without line breaks, or an unclosed quote."""
_MOST_QUOTES = 400
"""Of a row whose readings are looked for; one that has more is not taken."""

csv.field_size_limit(MOST_ROW)


@dataclass(frozen=True)
class TextRow:
    """A row as Python reads it."""

    number: int
    """In the file, from 1; lines that are no rows have a number, too."""
    lines: int
    """Lines of the file down to its end."""
    cells: list[str]


def text_rows(file: TextIO, fmt: CsvFormat, notation: TextNotation) -> Iterator[TextRow]:
    """The rows without comments; above the header quotes may stand as they like.

    Raises:
        csv.Error: the next row is torn.
    """
    lines = _Lines(file, fmt, notation)
    above = fmt.header_row - 1 if fmt.header == "names" else 0
    reader = csv_reader(lines, notation)
    for number in count(1):
        if number == above + 1:
            reader = csv_reader(lines, notation, strict=True)
        cells = next(reader, None)
        if cells is None:
            return
        yield TextRow(number + lines.left_out, lines.number, [notation.plain(cell) for cell in cells])


def csv_reader(lines: Iterable[str], notation: TextNotation, *, strict: bool = False) -> Any:
    """Python's reader for signed lines."""
    if not notation.quote:
        return csv.reader(lines, delimiter=notation.delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=notation.delimiter, quotechar=notation.quote, strict=strict)


class _Lines:
    """Signed lines, without comments and without a first one that names the delimiter."""

    def __init__(self, file: TextIO, fmt: CsvFormat, notation: TextNotation) -> None:
        self._file, self._fmt, self._notation = file, fmt, notation
        self.number = self.left_out = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(MOST_ROW):
            if len(line) == MOST_ROW:
                raise csv.Error("line larger than the limit")
            self.number += 1
            is_comment = self._fmt.comment and line.startswith(self._fmt.comment)
            if is_comment or (self.number == 1 and names_delimiter(self._notation.name, line, self._fmt)):
                self.left_out += 1
            else:
                yield self._notation.signed(line.encode()).decode() if self._notation.tokens else line


def named_delimiter(line: str) -> str | None:
    """The delimiter that a first line `sep=;` names to Excel; None when it is another line."""
    found = re.fullmatch('\ufeff?("?)sep=([^"\r\n]{1,10})\\1[\r\n]*', line, re.IGNORECASE)
    return found[2] if found else None


def names_delimiter(name: str, line: str, fmt: CsvFormat) -> bool:
    """Whether a first line says to Excel what the delimiter is; raises RefusedError when it is another one."""
    named = named_delimiter(line)
    if named not in (None, fmt.delimiter):
        raise RefusedError(
            f"{name}: its first line says that the delimiter is '{named}', the contract says '{fmt.delimiter}'; "
            "correct 'delimiter' in the contract, or the file"
        )
    return named is not None


def refuse_torn_rows(name: str, file: TextIO, fmt: CsvFormat, notation: TextNotation) -> None:
    """Read a file row by row; raises RefusedError at the first row that has no end."""
    number = 0
    try:
        for row in text_rows(file, fmt, notation):
            number = row.number
    except csv.Error as error:
        if "limit" in str(error):
            reason = f"it is longer than {MOST_ROW >> 20} MiB, as when a quote is not closed"
            raise RefusedError(f"{name}, row {number + 1}: {reason}; ask the sender to correct it") from None
        raise torn(name, number + 1) from None


def torn(name: str, row: int) -> RefusedError:
    """The error for a row whose end nobody can tell."""
    reason = "its quotes do not match, so nobody can tell where it ends (within quotes, a quote stands twice)"
    return RefusedError(f"{name}, row {row}: {reason}; ask the sender to correct it")


class Line(Enum):
    """What the quotes of a line say, if it is a row."""

    SOUND = "sound"
    OPEN = "a cell is open at its end"
    TORN = "torn"


def look_at(line: str, notation: TextNotation) -> Line:
    """What the quotes of a line say when a row begins with it."""
    try:
        next(csv_reader([line], notation, strict=True), None)
    except csv.Error as error:
        return Line.OPEN if "unexpected end" in str(error) else Line.TORN
    return Line.SOUND


@dataclass(frozen=True)
class Judgement:
    """What becomes of a row whose quotes are not those of RFC 4180."""

    fault: Fault | None = None
    """Why it is rejected."""
    kept: tuple[str, ...] | None = None
    """Its cells, when its stray quotes are letters by leave of the contract."""


SOUND = Judgement()


def judge(line: str, notation: TextNotation, width: int, *, keep: bool, pad: bool) -> Judgement:
    """Judge a row that is a line; `width` is how many cells it should have."""
    if line.count(notation.quote) > _MOST_QUOTES:
        return Judgement(Fault.QUOTES)
    readings = _Readings(line, notation)
    if look_at(line, notation) is Line.SOUND:
        counts = readings.with_lost_delimiters()
        cells = readings.letters()
        ambiguous = width in counts and (cells == width or (pad and cells < width))
        return Judgement(Fault.DELIMITER) if ambiguous else SOUND
    if keep and width not in readings.with_lost_delimiters():
        kept = readings.only_one_of(width)
        if kept is not None:
            return Judgement(kept=kept)
    return Judgement(Fault.QUOTES)


def row_end(text: str, start: int, notation: TextNotation) -> int | None:
    """Where the row ends, behind its line break, that begins at `start` and may run over several lines.

    None when its quotes do not match; -1 when the text ends within quotes.
    """
    quote, at = notation.quote, start
    border = re.compile(f"[{re.escape(notation.delimiter)}\r\n]")
    while True:
        if text.startswith(quote, at):
            closing = _closing(text, at, quote)
            if closing < 0:
                return -1
            at = closing + 1
        else:
            found = border.search(text, at)
            at = found.start() if found else len(text)
        if at == len(text):
            return at
        if text[at] in "\r\n":
            return at + (2 if text.startswith("\r\n", at) else 1)
        if text[at] != notation.delimiter:
            return None
        at += 1


def _closing(text: str, opening: int, quote: str) -> int:
    """Where the quote is that closes the one at `opening`; -1 when there is none."""
    at = text.find(quote, opening + 1)
    while at >= 0 and text.startswith(quote, at + 1):
        at = text.find(quote, at + 2)
    return at


class _Readings:
    """The ways to read a line as a row. All tables are filled from its end to its start, by where a cell begins."""

    def __init__(self, line: str, notation: TextNotation) -> None:
        self.line, self.delimiter, self.quote = line, notation.delimiter, notation.quote
        self.quotes = [found.start() for found in re.finditer(re.escape(self.quote), line)]
        self.end = len(line) + 1
        """Where the next cell would begin when there is none."""
        self.starts = [0, *(found.end() for found in re.finditer(re.escape(self.delimiter), line))]

    def letters(self) -> int:
        """How many cells the line has by the rule that a quote within an unquoted cell is a letter."""
        at, cells = 0, 0
        while at < self.end:
            cells += 1
            closed = self._sound_end(at)
            at = self._delimiter(at) + 1 if closed is None else closed + 1
        return cells

    def with_lost_delimiters(self) -> set[int]:
        """The numbers of cells that the line has if delimiters beside quotes were lost, or blanks stand before quotes.

        No other quote may be stray in such a reading.
        """
        sound: dict[int, frozenset[int]] = {self.end: frozenset((0,))}
        other: dict[int, frozenset[int]] = {self.end: frozenset()}
        for at in sorted({*self.starts, *self.quotes, *(quote + 1 for quote in self.quotes)}, reverse=True):
            here: set[int] = set()
            odd: set[int] = set()
            if self.line.startswith(self.quote, at):
                closing = _closing(self.line, at, self.quote)
                if closing >= 0 and self._is_border(closing + 1):
                    here |= {1 + more for more in sound[closing + 2]}
                    odd |= {1 + more for more in other[closing + 2]}
                elif closing >= 0:
                    odd |= {1 + more for more in sound[closing + 1] | other[closing + 1]}
            else:
                after = self._delimiter(at) + 1
                here |= {1 + more for more in sound[after]}
                odd |= {1 + more for more in other[after]}
                for quote in self.quotes:
                    if at < quote < after:
                        cells = 1 if self.line[at:quote].strip() else 0
                        odd |= {cells + more for more in sound[quote] | other[quote]}
                        if not cells:  # or the blanks are a cell of their own
                            odd |= {1 + more for more in sound[quote] | other[quote]}
            sound[at], other[at] = frozenset(here), frozenset(odd)
        return set(other[0])

    def only_one_of(self, width: int) -> tuple[str, ...] | None:
        """The cells, if there is one way only to read `width` of them with stray quotes as letters."""
        ways: dict[int, Counter[int]] = {self.end: Counter({0: 1})}
        for at in reversed(self.starts):
            ways[at] = Counter()
            for _, after in self._cells_at(at):
                for cells, number in ways[after].items():
                    if cells < width:
                        ways[at][cells + 1] += number
        if ways[0][width] != 1:
            return None
        found, at = [], 0
        for left in range(width, 0, -1):
            cell, after = next((cell, after) for cell, after in self._cells_at(at) if ways[after][left - 1])
            if self._swallows_cells(at, after - 1, cell):
                return None
            found.append(cell)
            at = after
        return tuple(found)

    def _swallows_cells(self, start: int, end: int, cell: str) -> bool:
        """Whether a cell in quotes has a stray quote beside a delimiter, as if other cells were within."""
        if cell == self.line[start:end]:
            return False
        within = self.line[start + 1 : end - 1].replace(self.quote * 2, "")
        return f"{self.quote}{self.delimiter}" in within or f"{self.delimiter}{self.quote}" in within

    def _cells_at(self, at: int) -> Iterator[tuple[str, int]]:
        """The cells that can begin there, each with where the next one begins.

        A cell that is in quotes as a whole is never read as letters.
        """
        after = self._delimiter(at) + 1
        if self._sound_end(at) != after - 1:
            yield self.line[at : after - 1], after
        if self.line.startswith(self.quote, at):
            for closing in self.quotes:
                if closing > at and self._is_border(closing + 1):
                    yield self.line[at + 1 : closing].replace(self.quote * 2, self.quote), closing + 2

    def _sound_end(self, at: int) -> int | None:
        """Where a cell in quotes ends, behind its last quote; None when there is no such cell."""
        if not self.line.startswith(self.quote, at):
            return None
        closing = _closing(self.line, at, self.quote)
        return closing + 1 if closing >= 0 and self._is_border(closing + 1) else None

    def _delimiter(self, at: int) -> int:
        found = self.line.find(self.delimiter, at)
        return len(self.line) if found < 0 else found

    def _is_border(self, at: int) -> bool:
        return at == len(self.line) or self.line[at] == self.delimiter
