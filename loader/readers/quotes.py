"""Rows that nobody can tell the end of: quotes that do not match, lines without end.

An unclosed quote makes one cell of all the rows that follow, and no parser says so. In a well-formed file (RFC 4180)
every quote opens a cell, closes one or stands twice, which a look at its neighbours tells, block by block; only where
one does not, the file is read row by row, which is slower, names the row, and knows quotes in cells without quotes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, Any, TextIO

import numpy as np

from loader.contracts import CsvFormat
from loader.errors import RefusedError

MOST_ROW = 4 << 20
"""Bytes of a row, and characters of a cell. Longer ones are a text without line breaks, or an unclosed quote."""

_BOM = b"\xef\xbb\xbf"
csv.field_size_limit(MOST_ROW)


def text_rows(file: TextIO, fmt: CsvFormat) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of lines down to its end; above the header quotes may stand as they like.

    Raises:
        csv.Error: the next row is torn.
    """
    lines = _lines(file)
    letterhead = csv_reader(lines, fmt)
    for row in islice(letterhead, fmt.header_row - 1):
        yield letterhead.line_num, row
    rows = csv_reader(lines, fmt, strict=True)
    for row in rows:
        yield letterhead.line_num + rows.line_num, row


def csv_reader(lines: Iterable[str], fmt: CsvFormat, *, strict: bool = False) -> Any:
    """Python's reader for the sender's notation."""
    if not fmt.quote:
        return csv.reader(lines, delimiter=fmt.delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=fmt.delimiter, quotechar=fmt.quote, strict=strict)


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(MOST_ROW):
        if len(line) == MOST_ROW:
            raise csv.Error("line larger than the limit")
        yield line


def refuse_torn_rows(name: str, file: TextIO, fmt: CsvFormat) -> None:
    """Read a file row by row; raises RefusedError at the first row that has no end."""
    number = 0
    try:
        for number, _ in enumerate(text_rows(file, fmt), start=1):  # noqa: B007
            pass
    except csv.Error as error:
        if "limit" in str(error):
            reason = f"it is longer than {MOST_ROW >> 20} MiB, as when a quote is not closed"
        else:
            reason = "its quotes do not match, so nobody can tell where it ends (within quotes, a quote stands twice)"
        raise RefusedError(f"{name}, row {number + 1}: {reason}; ask the sender to correct it") from None


class WatchedText(io.RawIOBase):
    """A text file in UTF-8 that is watched while it is read.

    `on_doubt` is called once, when a row of it may be torn, and `on_bytes` with the number of bytes so far.
    """

    def __init__(
        self, source: IO[bytes], fmt: CsvFormat, on_doubt: Callable[[], None], on_bytes: Callable[[int], None]
    ) -> None:
        self._source = source
        self._on_doubt = on_doubt
        self._on_bytes = on_bytes
        self._bytes = 0
        self._quote = fmt.quote.encode()
        self._is_border = np.zeros(256, bool)
        self._is_border[list(f"{fmt.delimiter}{fmt.quote}\r\n".encode())] = True
        self._watching = True
        self._tail = b"\n"
        """The last two bytes, of which only the first was looked at; at the start what stands before the first."""
        self._quotes = 0
        self._in_line = self._in_quotes = 0

    def readable(self) -> bool:
        """Always: it is there to be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the file, at most `size`; calls `on_bytes`, and once `on_doubt`."""
        block = self._source.read(size)
        self._bytes += len(block)
        self._on_bytes(self._bytes)
        if self._watching and (self._runs_on(block) or (self._quote and self._misquoted(block))):
            self._watching = False
            self._on_doubt()
        return block

    def _runs_on(self, block: bytes) -> bool:
        """Whether a line is too long."""
        breaks = [at for end in (b"\n", b"\r") if (at := block.find(end)) >= 0]
        self._in_line += min(breaks, default=len(block))
        too_long = self._in_line > MOST_ROW
        if breaks:
            self._in_line = len(block) - max(block.rfind(b"\n"), block.rfind(b"\r")) - 1
        return too_long

    def _misquoted(self, block: bytes) -> bool:
        """Whether a quote neither opens nor closes a cell nor stands twice, or none closes for long or at the end."""
        if len(self._tail) == 1:
            block = block.removeprefix(_BOM)
        around = self._tail + (block or b"\n")
        self._tail = around[-2:]
        if self._quote not in around:
            self._in_quotes += len(block) if self._quotes % 2 else 0
            return self._in_quotes > MOST_ROW or (not block and self._quotes % 2 == 1)
        characters = np.frombuffer(around, np.uint8)
        at = 1 + np.flatnonzero(characters[1:-1] == self._quote[0])
        first = self._quotes % 2  # 1 when a cell is open
        opening, closing = at[first::2], at[1 - first :: 2]
        self._quotes += len(at)
        self._in_quotes = len(around) - int(at[-1]) if len(at) and self._quotes % 2 else 0
        is_between = self._is_border[characters[opening - 1]].all() and self._is_border[characters[closing + 1]].all()
        return not is_between or (not block and self._quotes % 2 == 1)
