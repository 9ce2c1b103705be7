"""Text files with a delimiter, read in blocks by pyarrow."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from loader.contracts import CsvFormat
from loader.errors import RefusedError
from loader.readers.encodings import Watch, refuse_start
from loader.readers.quotes import MOST_ROW, csv_reader, names_delimiter, refuse_torn_rows, text_rows
from loader.readers.signatures import GZIP, refuse_bomb, refuse_no_text
from loader.readers.table import BLANKS, Batch, Fault, Noted, Remark, ShortRow, Table, data_table, join_header
from loader.readers.text_body import BodyText, Pull, Rules, below
from loader.readers.text_notation import TextNotation
from loader.readers.undecodable import not_decodable
from loader.text import first_line

_BLOCK_BYTES = MOST_ROW
"""Arrow reads some thirty blocks ahead, and a row must fit in one."""
_LOOKED_AT = 4096
"""Bytes that tell by how a text begins that it is of another encoding."""


def open_csv(path: Path, fmt: CsvFormat, names: Sequence[str] = ()) -> Table:
    """Open a text file, whose columns are `names` when it has no header.

    Raises:
        RefusedError: it is no text file, cannot be decoded or has no header row.
    """
    refuse_start(path.name, first_bytes(path, _LOOKED_AT), fmt.encoding)
    text = _TextFile(path, fmt, TextNotation.of(path.name, fmt))
    if fmt.header == "none":
        return data_table([*names], [names], text.batches(len(names), text.above()), fmt)
    rows, above = text.header()
    header = rows[0] if fmt.header_rows == 1 else join_header(rows)
    if fmt.trailing_delimiter and header and not header[-1].strip(BLANKS):
        header = header[:-1]
    return data_table(header, rows, text.batches(len(header), above), fmt)


def lines_above_header(path: Path, fmt: CsvFormat) -> list[str]:
    """The lines of a text file above its header, comments among them; raises RefusedError when it cannot be read."""
    refuse_start(path.name, first_bytes(path, _LOOKED_AT), fmt.encoding)
    return _TextFile(path, fmt, TextNotation.of(path.name, fmt)).lines_above()


@dataclass(frozen=True)
class _Above:
    """What stands above the data."""

    rows: int
    lines: int


def first_bytes(path: Path, count: int) -> bytes:
    """How a text file begins, unpacked; raises RefusedError when it is none or damaged."""
    refuse_no_text(path)
    with _explained(path, CsvFormat(type="csv")), _open(path) as file:
        return file.read(count)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == GZIP


def _is_utf8(fmt: CsvFormat) -> bool:
    return codecs.lookup(fmt.encoding).name in ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class _TextFile:
    """A text file, which may be read more than once."""

    path: Path
    fmt: CsvFormat
    notation: TextNotation

    def header(self) -> tuple[list[list[str]], _Above]:
        """The rows of the header, and how far down they reach (a cell may hold line breaks)."""
        fmt = self.fmt
        with _explained(self.path, fmt, self.refuse_torn_rows), self.text() as file:
            rows = text_rows(file, fmt, self.notation)
            read = list(islice(rows, fmt.header_row - 1, fmt.last_header_row))
            if len(read) == fmt.header_rows:
                return [row.cells for row in read], _Above(read[-1].number, read[-1].lines)
        raise RefusedError(f"{self.path.name}: there is no header row {fmt.last_header_row}; the file ends before it")

    def lines_above(self) -> list[str]:
        """The lines above the header, as they stand there."""
        with _explained(self.path, self.fmt, self.refuse_torn_rows), self.text() as file:
            rows = list(islice(text_rows(file, self.fmt, self.notation), self.fmt.header_row - 1))
        count = rows[-1].lines if rows else 0
        with _explained(self.path, self.fmt, self.refuse_torn_rows), self.text() as file:
            found: list[str] = []
            while (line := file.readline(MOST_ROW)) and (len(found) < count or self._is_left_out(line, not found)):
                found.append(line)
            return found

    def _is_left_out(self, line: str, is_first: bool) -> bool:
        if is_first and names_delimiter(self.path.name, line, self.fmt):
            return True
        return bool(self.fmt.comment) and line.startswith(self.fmt.comment)

    def above(self) -> _Above:
        """What stands above the data of a file without header."""
        with _explained(self.path, self.fmt, self.refuse_torn_rows), self.text() as file:
            return _Above(1, 1) if names_delimiter(self.path.name, file.readline(20), self.fmt) else _Above(0, 0)

    def batches(self, width: int, above: _Above) -> Iterator[Batch]:
        """The rows, numbered as a spreadsheet numbers them: a row is one row, however many lines its cells have."""
        cells = width + self.fmt.trailing_delimiter
        keep, pad = self.fmt.stray_quotes == "keep", self.fmt.misshapen == "pad"
        rules = Rules(self.notation, cells, above.rows + 1, keep, pad)
        aside: dict[int, ShortRow] = {}
        with _explained(self.path, self.fmt, self.refuse_torn_rows):
            body = BodyText(lambda: self.body(above.lines), rules, self.refuse_torn_rows)

            def batch(columns: list[pa.Array], rows: np.ndarray, last: int) -> Batch:
                plain = [self.notation.plain_cells(column) for column in columns]
                found = Batch(
                    plain, pa.array(rows, pa.int64()), _up_to(last, aside), noted=_noted_up_to(last, body.noted)
                )
                found = _padded(found) if pad else found
                return _without_trailing(found, width) if cells > width else found

            def set_aside(row: pacsv.InvalidRow) -> str:
                number = row.number + rules.row - 1
                aside[number] = body.aside.pop(number) if number in body.aside else self.short_row(number, row)
                return "skip"

            next_row = rules.row
            for block in _blocks(body, self.notation, cells, set_aside):
                rows = _row_numbers(next_row, block.num_rows, list(aside))
                last_row = max([next_row - 1, *rows[-1:].tolist()])
                yield batch(block.columns, rows, last_row)
                next_row = last_row + 1
            if aside or body.noted:
                yield batch([pa.nulls(0, pa.string())] * cells, np.array([]), max(aside, default=0))

    def short_row(self, number: int, row: pacsv.InvalidRow) -> ShortRow:
        """A row of the wrong length."""
        lines = row.text.splitlines(keepends=True)
        cells = next(csv_reader(lines, self.notation), ())
        plain = tuple(self.notation.plain(cell) for cell in cells)
        return ShortRow(number, row.actual_columns, row.expected_columns, plain)

    def body(self, lines_above: int) -> Pull:
        """The text below the header, in UTF-8; reading it raises RefusedError where the file is a bomb."""
        packed = _is_packed(self.path)
        source = pa.input_stream(str(self.path), compression="gzip" if packed else None)
        unpacked = 0

        def pull(size: int) -> bytes:
            nonlocal unpacked
            block = bytes(source.read(size))
            unpacked += len(block)
            if packed:
                refuse_bomb(self.path, unpacked)
            return block

        in_utf8 = _proven(pull) if _is_utf8(self.fmt) else _in_utf8(pull, self.path.name, self.fmt.encoding)
        return below(in_utf8, lines_above)

    @contextmanager
    def text(self) -> Iterator[TextIOWrapper]:
        """The whole of it, as Python reads it."""
        encoding = "utf-8-sig" if _is_utf8(self.fmt) else self.fmt.encoding
        with _open(self.path) as packed, TextIOWrapper(packed, encoding, newline="") as file:
            yield file

    def refuse_torn_rows(self) -> None:
        """Raise RefusedError at the first row that has no end."""
        with self.text() as file:
            refuse_torn_rows(self.path.name, file, self.fmt, self.notation)


def _padded(batch: Batch) -> Batch:
    """With short rows among the others, their missing cells empty; each is noted."""
    short = [row for row in batch.misshapen if row.fault is Fault.CELLS and row.found < row.expected and row.start]
    if not short:
        return batch
    longer = [[*(cell or None for cell in row.cells), *[None] * (row.expected - row.found)] for row in short]
    added = zip(batch.cells, zip(*longer, strict=True), strict=True)
    cells = [pa.concat_arrays([column, pa.array(more, pa.string())]) for column, more in added]
    rows = pa.concat_arrays([batch.source_rows, pa.array([row.source_row for row in short], pa.int64())])
    order = pc.sort_indices(rows)
    noted = [Noted(row.source_row, Remark.PADDED, row.shown) for row in short]
    rest = [row for row in batch.misshapen if row not in short]
    return Batch([column.take(order) for column in cells], rows.take(order), rest, noted=[*batch.noted, *noted])


def _without_trailing(batch: Batch, width: int) -> Batch:
    """Without the cell behind the last delimiter; a row in which it holds something has too many."""
    *cells, behind = batch.cells
    kept = replace(batch, cells=cells)
    filled = pc.is_valid(behind)
    if not pc.any(filled).as_py():
        return kept
    wrong = batch.take(filled)
    texts = zip(*(column.to_pylist() for column in wrong.cells), strict=True)
    rows = zip(wrong.source_rows.to_pylist(), texts, strict=True)
    added = [ShortRow(at, width + 1, width, tuple(cell or "" for cell in row)) for at, row in rows]
    return replace(kept.take(pc.invert(filled)), misshapen=[*batch.misshapen, *added])


def _proven(pull: Pull) -> Pull:
    """The same text; reading it raises UnicodeDecodeError where it is no UTF-8.

    Arrow would say so of cells only: a row of the wrong length that is none ends its reader.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()

    def pull_proven(size: int) -> bytes:
        block = pull(size)
        if not (block and block.isascii()) or decoder.getstate()[0]:
            decoder.decode(block, final=not block)
        return block

    return pull_proven


def _in_utf8(pull: Pull, name: str, encoding: str) -> Pull:
    """The same text in UTF-8; reading it raises RefusedError when it is likely in another encoding than this one."""
    decoder, watch = codecs.getincrementaldecoder(encoding)(), Watch(name, encoding)

    def pull_text(size: int) -> bytes:
        while True:
            block = pull(size)
            watch.see(block)
            text = decoder.decode(block, final=not block).encode()
            if text or not block:
                return text

    return pull_text


def _up_to(last: int, aside: dict[int, ShortRow]) -> list[ShortRow]:
    return [aside.pop(number) for number in sorted(aside) if number <= last]


def _noted_up_to(last: int, noted: list[Noted]) -> list[Noted]:
    """The first remarks, which are taken away."""
    count = next((at for at, one in enumerate(noted) if one.source_row > last), len(noted))
    taken, noted[:count] = noted[:count], []
    return taken


def _blocks(body: BodyText, notation: TextNotation, width: int, set_aside: Callable[[pacsv.InvalidRow], str]) -> Any:
    """Record batches of text; none when nothing follows the header."""
    names = [f"c{position}" for position in range(width)]
    try:
        return pacsv.open_csv(
            body,
            read_options=pacsv.ReadOptions(
                column_names=names,
                block_size=_BLOCK_BYTES,
                use_threads=False,  # else rows set aside have no number; it is not slower
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=notation.delimiter,
                quote_char=notation.quote or False,
                newlines_in_values=bool(notation.quote),
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pacsv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # nothing below the header
            return []
        raise


@contextmanager
def _explained(path: Path, fmt: CsvFormat, refuse_torn_rows: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Say in words of the contract what Python and Arrow say of a file."""
    try:
        yield
    except UnicodeError:
        raise _not_decodable(path, fmt) from None
    except csv.Error:
        refuse_torn_rows()
        raise
    except pa.ArrowInvalid as error:
        raise RefusedError(f"{path.name}: the file cannot be read as CSV: {first_line(error)}") from None
    except (EOFError, zlib.error, OSError):
        if not _is_packed(path):
            raise
        raise _cut_off(path) from None


def _row_numbers(first: int, count: int, left_out: list[int]) -> np.ndarray:
    """`count` row numbers from `first` on, without those that were set aside."""
    numbers = np.arange(first, first + count + len(left_out), dtype=np.int64)
    return numbers[~np.isin(numbers, left_out)][:count] if left_out else numbers


def _not_decodable(path: Path, fmt: CsvFormat) -> RefusedError:
    with _open(path) as file:
        return not_decodable(path.name, file.read, fmt.encoding)


def _cut_off(path: Path) -> RefusedError:
    return RefusedError(f"{path.name}: the gzip file is damaged or cut off; ask the sender to deliver it again")
