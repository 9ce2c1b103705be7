"""What stands below the header of a text file, block by block as Arrow can read it.

An unclosed quote makes one cell of all the rows that follow, and no parser says so. In a well-formed file (RFC 4180)
every quote opens a cell, closes one or stands twice, which a look at its neighbours tells, block by block. Only where
one does not, the file is looked through: where no cell holds a line break, each line is a row, and torn ones are set
aside; elsewhere nobody can tell where a torn row ends, and the file is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from loader.readers.quotes import MOST_ROW, SOUND, Judgement, Line, judge, look_at, row_end, torn
from loader.readers.table import Fault, Noted, Remark, ShortRow
from loader.readers.text_notation import TextNotation

_LINE_BREAK = re.compile(b"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"
LEAST = MOST_ROW // 4
"""Bytes that are read at a time, at least; four times as many at most."""
Pull = Callable[[int], bytes]
"""The next bytes of a text in UTF-8, at most as many; none at its end."""


@dataclass
class Rules:
    """How the rows of a file are to be read."""

    notation: TextNotation
    width: int
    """Cells of a row."""
    row: int
    """The number of the first row."""
    keep: bool = False
    """Whether stray quotes may be letters."""
    pad: bool = False
    """Whether cells may be missing at the end of a row."""

    def judge(self, line: bytes) -> Judgement:
        """Judge a line that is a row; raises UnicodeDecodeError."""
        return judge(line.decode(), self.notation, self.width, keep=self.keep, pad=self.pad)


@dataclass
class BodyText(io.RawIOBase):
    """The rows as Arrow reads them; where a row was set aside stands one that is too long."""

    open: Callable[[], Pull]
    """The text below the header, from its beginning."""
    rules: Rules
    too_long: Callable[[], None]
    """Called when a line is too long; raises RefusedError."""
    aside: dict[int, ShortRow] = field(default_factory=dict)
    """Rows that were set aside, by number."""
    noted: list[Noted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._row = self.rules.row
        self._lines = _Lines(self.open(), self.rules.notation, self.too_long)
        self._held = self._ready = b""
        """Lines of a row that goes on, and bytes that are to be read next."""
        self._mode: Callable[[bytes], bytes] = self._watched
        self._first_torn = 0
        self._has_breaks = False
        """Whether a sound cell holds a line break; known once a quote was found that is not sound."""

    def readable(self) -> bool:
        """Always: it is there to be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; none at the end.

        Raises:
            RefusedError: a row is torn, and a cell of another one holds a line break, so that a line need be no row.
        """
        size = MOST_ROW if size < 0 else size
        while not self._ready and not self._lines.ended:
            self._ready = self._mode(self._held + self._lines.read(size - len(self._held)))
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def _watched(self, lines: bytes) -> bytes:
        """The whole rows among the lines, as long as every quote is sound."""
        lines = _blank_comments(lines, self.rules.notation, by_line=False)
        end, is_sound = _sound_rows(lines, self.rules.notation)
        if is_sound and end < len(lines):
            is_sound = not self._lines.ended and len(lines) - end <= MOST_ROW
        if not is_sound:
            joined = _breaks_in_quotes(
                _Lines(self.open(), self.rules.notation, self.too_long), self._row - self.rules.row
            )
            self._row -= joined
            self._has_breaks = joined > 0
            self._mode = self._mended
            return self._mended(lines)
        self._held = lines[end:]
        self._row += _count_lines(lines[:end] if self._held else lines)
        return lines[:end] if self._held else lines

    def _mended(self, lines: bytes) -> bytes:
        """The whole rows among the lines, without those that nobody can read."""
        self._held = b""
        if not lines:
            return lines
        notation = self.rules.notation
        lines = _blank_comments(lines, notation, by_line=True)
        found = _Found.of(lines, notation)
        parts, done, letters = [], 0, ""
        passed = joined = 0  # lines that were looked at; lines that go on the row of the line before
        for at in found.doubtful:
            if at < passed:
                continue
            start, end = found.span(at)
            line = lines[start:end].removeprefix(BOM)  # files that were put together have marks amid
            number = self._row + at - joined
            if look_at(line.decode(), notation) is Line.OPEN:
                letters = letters or lines.decode("latin-1")  # byte for byte: all that counts is ASCII
                row_ends = row_end(letters, start, notation)
                if row_ends == -1 and not self._lines.ended and len(lines) - start <= MOST_ROW:
                    self._held, lines = lines[start:], lines[:start]
                    break
                if row_ends is not None and 0 <= row_ends - start <= MOST_ROW:
                    self._refuse_breaks(number, breaks=True)
                    passed = found.line_at(row_ends)
                    joined += passed - at - 1
                    continue
            judgement = self.rules.judge(line)
            if judgement != SOUND:
                self._refuse_breaks(number, breaks=False)
            parts += [lines[done:start], self._instead(number, line, judgement)]
            done = end
        self._row += found.line_at(len(lines)) - joined
        return b"".join([*parts, lines[done:]])

    def _refuse_breaks(self, row: int, *, breaks: bool) -> None:
        """Raise RefusedError where rows are torn, or may be comments, and cells hold line breaks."""
        self._has_breaks = self._has_breaks or breaks
        self._first_torn = self._first_torn or (0 if breaks else row)
        if self._has_breaks and (self._first_torn or self.rules.notation.comment):
            raise torn(self.rules.notation.name, self._first_torn or row)

    def _instead(self, number: int, line: bytes, judgement: Judgement) -> bytes:
        """What Arrow shall see of a line."""
        if judgement == SOUND:
            return line
        notation = self.rules.notation
        text = notation.plain(line.decode())
        if judgement.kept is not None:
            self.noted.append(Noted(number, Remark.QUOTES, text))
            quote = notation.quote
            cells = (f"{quote}{cell.replace(quote, quote * 2)}{quote}" for cell in judgement.kept)
            return notation.delimiter.join(cells).encode()
        self.aside[number] = ShortRow(number, 1, self.rules.width, (text,), judgement.fault or Fault.QUOTES)
        return notation.delimiter.encode() * (self.rules.width + 1)


def _breaks_in_quotes(source: _Lines, count: int) -> int:
    """How many line breaks are within quotes in the first lines of a text, whose quotes are sound."""
    breaks, quotes, quote = 0, 0, source.notation.quote.encode()
    while count > 0 and not source.ended:
        lines = _blank_comments(source.read(4 * LEAST), source.notation, by_line=True)
        characters = np.frombuffer(lines, np.uint8)
        at, (starts, ends) = np.flatnonzero(characters == quote[0]), _spans(lines)
        before = np.searchsorted(at, ends[:count])
        breaks += int(np.count_nonzero((before + quotes) % 2))
        quotes += len(at)
        count -= len(starts)
    return breaks


def below(pull: Pull, lines: int) -> Pull:
    """A text without its first lines, and without a mark of its byte order."""
    rest: bytes | None = None

    def further(size: int) -> bytes:
        nonlocal rest
        if rest is None:
            rest = _after(pull, lines)
        given, rest = rest[:size], rest[size:]
        return given or pull(size)

    return further


def _after(pull: Pull, lines: int) -> bytes:
    text = pull(MOST_ROW).removeprefix(BOM)
    while lines:
        found = _LINE_BREAK.search(text)
        if found is None or (found.end() == len(text) and found[0] == b"\r"):
            more = pull(MOST_ROW)
            if not more:
                return text[found.end() :] if found else b""
            text += more
            continue
        text = text[found.end() :]
        lines -= 1
    return text


class _Lines:
    """Whole lines of a text, signed."""

    def __init__(self, pull: Pull, notation: TextNotation, too_long: Callable[[], None]) -> None:
        self._pull, self.notation, self._too_long = pull, notation, too_long
        self._partial = b""
        self.ended = False

    def read(self, size: int) -> bytes:
        """The next lines, about as many bytes; perhaps none, before `ended` and at it."""
        block = self._pull(max(min(size, LEAST * 4) - len(self._partial), LEAST))
        text = self._partial + block
        self.ended = not block
        end = len(text) if self.ended else _end_of_lines(text)
        if len(text) > MOST_ROW and (_first_line(text) > MOST_ROW or len(text) - end > MOST_ROW):
            self._too_long()
        self._partial = text[end:]
        return self.notation.signed(text[:end] if self._partial else text)


def _blank_comments(lines: bytes, notation: TextNotation, *, by_line: bool) -> bytes:
    """Lines that begin at a row, with nothing where a comment is; within quotes is none, unless a line is a row."""
    comment = notation.comment.encode()
    if not comment or comment not in lines:
        return lines
    quote = notation.quote.encode()
    parts, done, quotes = [], 0, 0
    for found in re.finditer(b"(?:(?<=[\r\n])|\\A)" + re.escape(comment) + b"[^\r\n]*", lines):
        part = lines[done : found.start()]
        quotes += part.count(quote) if quote else 0
        is_text = quotes % 2 == 1 and not by_line
        parts += [part, found[0]] if is_text else [part]
        quotes += found[0].count(quote) if is_text else 0
        done = found.end()
    return b"".join([*parts, lines[done:]])


def _end_of_lines(text: bytes) -> int:
    """Where the last whole line ends; a line break of two characters may be cut in two."""
    return text.rfind(b"\n") + 1 or text.rfind(b"\r", 0, -1) + 1


def _first_line(text: bytes) -> int:
    """The length of the first line."""
    found = _LINE_BREAK.search(text)
    return found.start() if found else len(text)


def _count_lines(lines: bytes) -> int:
    returns = lines.count(b"\r") if b"\r" in lines else 0
    return lines.count(b"\n") + (returns - lines.count(b"\r\n") if returns else 0)


def _borders(notation: TextNotation) -> np.ndarray:
    """Which bytes may stand before an opening quote and behind a closing one."""
    is_border = np.zeros(256, bool)
    is_border[list(f"{notation.delimiter}{notation.quote}\r\n".encode())] = True
    return is_border


def _begins(characters: np.ndarray, quotes: np.ndarray, notation: TextNotation) -> np.ndarray:
    """Which quotes can open a cell; none of them is the first character."""
    is_border = _borders(notation)
    begins: np.ndarray = is_border[characters[quotes - 1]]
    if notation.text_formulas:  # ="1"
        begins |= (characters[quotes - 1] == ord("=")) & ((quotes == 1) | is_border[characters[quotes - 2]])
    return begins


def _sound_rows(lines: bytes, notation: TextNotation) -> tuple[int, bool]:
    """Where the last row ends that is whole, and whether every quote above opens or closes a cell or stands twice."""
    quote = notation.quote.encode()
    if not quote or quote not in lines:
        return len(lines), True
    characters = np.frombuffer(lines, np.uint8)
    at = np.flatnonzero(characters == quote[0])
    opening, behind = at[::2], at[1::2] + 1
    if opening[0] == 0:
        opening = opening[1:]
    if len(behind) and behind[-1] == len(lines):
        behind = behind[:-1]
    if not (_borders(notation)[characters[behind]].all() and _begins(characters, opening, notation).all()):
        return 0, False
    end = len(lines)
    line_ends = [b"\n", b"\r"] if b"\r" in lines else [b"\n"]
    while len(at) % 2:  # the last one opens a cell that goes on
        end = max(lines.rfind(line_end, 0, int(at[-1])) for line_end in line_ends) + 1
        at = at[: np.searchsorted(at, end)]
    return end, True


def _spans(lines: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where each line begins, and where it ends without its line break."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == 10)
    starts = ends + 1
    if b"\r" in lines:
        characters = np.frombuffer(lines + b"\0", np.uint8)
        returns = np.flatnonzero(characters == 13)
        is_pair = characters[returns + 1] == 10
        ends = np.sort(np.concatenate([returns, np.setdiff1d(ends, returns[is_pair] + 1, assume_unique=True)]))
        starts = ends + 1 + ((characters[ends] == 13) & (characters[ends + 1] == 10))
    if not len(starts) or starts[-1] < len(lines):
        ends = np.append(ends, len(lines))
        starts = np.append(starts, len(lines) + 1)
    return np.append(0, starts[:-1]), ends


@dataclass(frozen=True)
class _Found:
    """The lines of a text, and which of them have quotes that ask for a closer look."""

    starts: np.ndarray
    ends: np.ndarray
    """Where each ends, without its line break."""
    doubtful: list[int]
    """Numbers of lines, from 0."""

    @classmethod
    def of(cls, lines: bytes, notation: TextNotation) -> _Found:
        starts, ends = _spans(lines)
        padded = np.frombuffer(lines + b"\n\n", np.uint8)
        quotes = np.flatnonzero(padded == ord(notation.quote)) if notation.quote else ends[:0]
        first = np.searchsorted(quotes, starts)
        counts = np.diff(np.append(first, len(quotes)))
        places = np.arange(len(quotes), dtype=np.uint32).astype(np.uint8) & 1
        opens = places == np.repeat(first.astype(np.uint8) & 1, counts)
        is_sound = np.where(opens, _begins(padded, quotes, notation), _borders(notation)[padded[quotes + 1]])
        odd = counts % 2 == 1
        bad = np.flatnonzero(~is_sound)
        odd[np.searchsorted(starts, quotes[bad], side="right") - 1] = True
        # a quote alone within a cell is a letter, whatever stands beside it
        alone = np.flatnonzero(counts == 1)
        only = quotes[first[alone]]
        odd[alone] = (only == starts[alone]) | _begins(padded, only, notation)
        return cls(starts, ends, np.flatnonzero(odd).tolist())

    def span(self, at: int) -> tuple[int, int]:
        """Where a line begins and ends."""
        return int(self.starts[at]), int(self.ends[at])

    def line_at(self, start: int) -> int:
        """The number of the line that begins there."""
        return int(np.searchsorted(self.starts, start))
