"""Text files with a delimiter, read in blocks by pyarrow."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from loader.contracts import CsvFormat
from loader.errors import RefusedError
from loader.readers.quotes import MOST_ROW, WatchedText, csv_reader, refuse_torn_rows, text_rows
from loader.readers.signatures import GZIP, refuse_bomb, refuse_no_text
from loader.readers.table import Batch, ShortRow, Table, data_table, join_header
from loader.text import first_line

_BLOCK_BYTES = MOST_ROW
"""Arrow reads some thirty blocks ahead, and a row must fit in one."""


def open_csv(path: Path, fmt: CsvFormat) -> Table:
    """Open a text file; raises RefusedError when it is none, cannot be decoded or has no header row."""
    refuse_no_text(path)
    rows, lines = _header(path, fmt)
    header = rows[0] if fmt.header_rows == 1 else join_header(rows)
    return data_table(header, rows, _batches(path, fmt, len(header), lines), fmt)


def _header(path: Path, fmt: CsvFormat) -> tuple[list[list[str]], int]:
    """The rows of the header, and the number of lines down to its end (a cell may hold line breaks)."""
    with _explained(path, fmt), _text(path, fmt) as file:
        read = list(islice(text_rows(file, fmt), fmt.header_row - 1, fmt.last_header_row))
        if len(read) == fmt.header_rows:
            return [row for _, row in read], read[-1][0]
    raise RefusedError(f"{path.name}: there is no header row {fmt.last_header_row}; the file ends before it")


def first_bytes(path: Path, count: int) -> bytes:
    """How a text file begins, unpacked; raises RefusedError when it is none or damaged."""
    refuse_no_text(path)
    with _explained(path, CsvFormat(type="csv")), _open(path) as file:
        return file.read(count)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == GZIP


@contextmanager
def _text(path: Path, fmt: CsvFormat) -> Iterator[TextIOWrapper]:
    encoding = "utf-8-sig" if _is_utf8(fmt) else fmt.encoding
    with _open(path) as packed, TextIOWrapper(packed, encoding, newline="") as file:
        yield file


def _is_utf8(fmt: CsvFormat) -> bool:
    return fmt.encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def _batches(path: Path, fmt: CsvFormat, width: int, lines_above: int) -> Iterator[Batch]:
    """The rows, numbered as a spreadsheet numbers them: a row is one row, however many lines its cells have."""
    aside: dict[int, ShortRow] = {}

    def set_aside(row: pacsv.InvalidRow) -> str:
        number = row.number - lines_above + fmt.last_header_row
        aside[number] = ShortRow(number, row.actual_columns, row.expected_columns, _cells(row.text, fmt))
        return "skip"

    def misshapen(last: int) -> list[ShortRow]:
        return [aside.pop(number) for number in sorted(aside) if number <= last]

    with _explained(path, fmt):
        next_row = fmt.last_header_row + 1
        for block in _blocks(path, fmt, width, lines_above, set_aside):
            rows = _row_numbers(next_row, block.num_rows, list(aside))
            last_row = max([next_row - 1, *rows[-1:].tolist()])
            yield Batch(block.columns, pa.array(rows), misshapen(last_row))
            next_row = last_row + 1
        rest = misshapen(max(aside, default=0))
        if rest:
            yield Batch([pa.nulls(0, pa.string())] * width, pa.array([], pa.int64()), rest)


def _blocks(
    path: Path, fmt: CsvFormat, width: int, lines_above: int, set_aside: Callable[[pacsv.InvalidRow], str]
) -> Any:
    """Record batches of text; none when nothing follows the header."""
    names = [f"c{position}" for position in range(width)]
    try:
        return pacsv.open_csv(
            _watched(path, fmt),
            read_options=pacsv.ReadOptions(
                column_names=names,
                skip_rows=lines_above,
                block_size=_BLOCK_BYTES,
                use_threads=False,  # else rows set aside have no number; it is not slower
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=fmt.delimiter,
                quote_char=fmt.quote or False,
                newlines_in_values=bool(fmt.quote),
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error) or "Could not skip" in str(error):  # nothing below the header
            return []
        raise


def _watched(path: Path, fmt: CsvFormat) -> WatchedText:
    """The text in UTF-8; reading it raises RefusedError where a row has no end, or the file is a bomb."""
    packed = _is_packed(path)
    text = pa.input_stream(str(path), compression="gzip" if packed else None)
    if not _is_utf8(fmt):
        text = pa.transcoding_input_stream(text, fmt.encoding, "utf8")

    def measure(unpacked: int) -> None:
        if packed:
            refuse_bomb(path, unpacked)

    return WatchedText(text, fmt, on_doubt=lambda: _refuse_torn_rows(path, fmt), on_bytes=measure)


def _refuse_torn_rows(path: Path, fmt: CsvFormat) -> None:
    with _text(path, fmt) as file:
        refuse_torn_rows(path.name, file, fmt)


@contextmanager
def _explained(path: Path, fmt: CsvFormat) -> Iterator[None]:
    """Say in words of the contract what Python and Arrow say of a file."""
    try:
        yield
    except UnicodeError:
        raise _not_decodable(path, fmt) from None
    except csv.Error:
        _refuse_torn_rows(path, fmt)
        raise
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _not_decodable(path, fmt) from None
        raise RefusedError(f"{path.name}: the file cannot be read as CSV: {first_line(error)}") from None
    except (EOFError, zlib.error, OSError):
        if not _is_packed(path):
            raise
        raise _cut_off(path) from None


def _cells(row: str, fmt: CsvFormat) -> tuple[str, ...]:
    """The cells of a row of the wrong length."""
    return tuple(next(csv_reader(row.splitlines(keepends=True), fmt), ()))


def _row_numbers(first: int, count: int, left_out: list[int]) -> np.ndarray:
    """`count` row numbers from `first` on, without those that were set aside."""
    numbers = np.arange(first, first + count + len(left_out), dtype=np.int64)
    return numbers[~np.isin(numbers, left_out)][:count] if left_out else numbers


def _not_decodable(path: Path, fmt: CsvFormat) -> RefusedError:
    return RefusedError(f"{path.name}: the text is not {fmt.encoding}; correct 'encoding' in the contract, or the file")


def _cut_off(path: Path) -> RefusedError:
    return RefusedError(f"{path.name}: the gzip file is damaged or cut off; ask the sender to deliver it again")
