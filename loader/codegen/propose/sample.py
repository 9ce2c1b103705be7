"""A sample file as it was read: its format, header and cells."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path

import pyarrow as pa

from loader.codegen.propose.layout import End, Top, find_end, find_header
from loader.codegen.text_form import TextForm, text_form
from loader.contracts import CsvFormat, Format, WorkbookFormat, plain_header
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.signatures import GZIP, WORKBOOKS, listed
from loader.readers.table import Batch, CellKind, Cells, Table
from loader.readers.text_notation import TextNotation
from loader.validation.texts import tidy

TEXTS = (".csv", ".txt", ".tsv", ".tab", ".dat", GZIP)
_PROBED_ROWS = 200_000
_TOP_ROWS, _TAIL_ROWS, _TOP_BYTES = 100, 30, 1 << 18


@dataclass(frozen=True)
class Asked:
    """What a person has said of the files."""

    sheet: str | int | None = None
    header_row: int | None = None


@dataclass(frozen=True)
class Sample:
    """A file, read as its format says."""

    path: Path
    format: Format
    top: Top
    end: End
    header: list[str]
    columns: list[Cells]
    """Tidy, without what stands below the data."""
    rows: int
    """Rows that were looked at."""
    misshapen: int
    """Rows of another length among them."""
    is_whole: bool
    text: TextForm | None = None
    sheet_why: str = ""
    asks: tuple[str, ...] = ()
    sheets: tuple[str, ...] = field(default=())


def read_sample(path: Path, asked: Asked) -> Sample:
    """Find out how a file is written, and read it.

    Raises:
        RefusedError: no reader knows its extension, it cannot be read, or has a header twice.
    """
    extension = path.suffix.lower()
    if extension not in WORKBOOKS + TEXTS:
        raise RefusedError(
            f"{path.name}: no reader knows the extension '{extension}', only {listed(WORKBOOKS + TEXTS)}"
        )
    if extension in WORKBOOKS:
        from loader.codegen.propose.sheets import find_sheet

        chosen = find_sheet(path, asked.sheet)
        return _read(
            path,
            WorkbookFormat(type="workbook", sheet=chosen.word),
            chosen.top_rows,
            asked,
            None,
            chosen.why,
            chosen.asks,
        )
    if asked.sheet is not None:
        raise RefusedError(f"{path.name}: a text file has no sheet; leave --sheet out")
    form = text_form(path)
    fmt = form.format()
    return _read(path, fmt, _top_of_text(path, fmt), asked, form)


def _read(
    path: Path,
    fmt: Format,
    top_rows: Sequence[Sequence[str]],
    asked: Asked,
    form: TextForm | None,
    sheet_why: str = "",
    asks: tuple[str, ...] = (),
) -> Sample:
    top = find_header(top_rows)
    if asked.header_row is not None:
        top = Top(asked.header_row, 1, "as --header-row says")
    if top.first == 0 and isinstance(fmt, WorkbookFormat):
        top = Top(1, 1, top.why, ("the sheet seems to have no header; which row is it? --header-row names it",))
    names: list[str] = []
    if top.first == 0:
        names = [f"column_{at}" for at in range(1, max(map(len, top_rows)) + 1)]
        fmt = fmt.model_copy(update={"header": "none"})
    else:
        fmt = fmt.model_copy(update={"header_row": top.first, "header_rows": top.rows})
    table = open_table(path, fmt, names)
    batches, rows, misshapen, is_whole = _probe(table)
    header = names or table.header
    _refuse_twins(path, header, top)
    tail = _tail(batches) if is_whole else []
    end = find_end(tail, len(header))
    if end.row is not None:
        batches = [batch.before(end.row) for batch in batches]
        fmt = fmt.model_copy(update={"totals": end.totals or None, "skip_end": end.skip})
        rows, misshapen = sum(len(one.source_rows) for one in batches), sum(len(one.misshapen) for one in batches)
    columns = [joined([batch.column(at) for batch in batches]) for at in range(len(header))]
    return Sample(path, fmt, top, end, header, columns, rows, misshapen, is_whole, form, sheet_why, asks)


def _top_of_text(path: Path, fmt: CsvFormat) -> list[list[str]]:
    """The first rows of a text file, whatever stands in them."""
    from loader.readers.csv_file import first_bytes
    from loader.readers.quotes import text_rows

    raw = first_bytes(path, _TOP_BYTES)
    text = raw.decode("utf-8-sig" if fmt.encoding == "utf-8" else fmt.encoding, "ignore")
    lenient = fmt.model_copy(update={"header_row": _TOP_ROWS + 1})
    rows: list[list[str]] = []
    try:
        found = text_rows(StringIO(text, newline=""), lenient, TextNotation.of(path.name, fmt))
        rows.extend(row.cells for row in islice(found, _TOP_ROWS))
    except csv.Error:
        pass  # the rows before that one are there
    return rows[:-1] if len(raw) == _TOP_BYTES and 1 < len(rows) < _TOP_ROWS else rows


def _probe(table: Table) -> tuple[list[Batch], int, int, bool]:
    """The first batches, their rows, those of another length, and whether they are all of the file."""
    batches: list[Batch] = []
    rows = misshapen = 0
    for batch in table.batches:
        batches.append(batch)
        rows += len(batch.source_rows)
        misshapen += len(batch.misshapen)
        if rows >= _PROBED_ROWS:
            return batches, rows, misshapen, next(table.batches, None) is None
    return batches, rows, misshapen, True


def _tail(batches: Sequence[Batch]) -> list[tuple[int, list[str]]]:
    """The last filled rows with their numbers, those of another length among them."""
    found: list[tuple[int, list[str]]] = []
    for batch in reversed(batches):
        found += _last(batch)
        if len(found) >= _TAIL_ROWS:
            break
    return sorted(found)[-_TAIL_ROWS:]


def _last(batch: Batch) -> Iterator[tuple[int, list[str]]]:
    first = max(len(batch.source_rows) - _TAIL_ROWS, 0)
    columns = [cells.slice(first).to_pylist() for cells in batch.cells]
    for number, *cells in zip(batch.source_rows.slice(first).to_pylist(), *columns, strict=True):
        yield number, [cell or "" for cell in cells]
    for row in batch.misshapen[-_TAIL_ROWS:]:
        yield row.source_row, list(row.cells)


def joined(parts: Sequence[Cells]) -> Cells:
    """The tidy cells of these parts, one below the other."""
    if not parts:
        return Cells(pa.nulls(0, pa.string()))
    text = tidy(pa.concat_arrays([part.text for part in parts]))
    if all(part.kinds is None for part in parts):
        return Cells(text)
    texts = pa.scalar(int(CellKind.TEXT), pa.int8())
    return Cells(
        text,
        pa.concat_arrays([pa.repeat(texts, len(part.text)) if part.kinds is None else part.kinds for part in parts]),
    )


def _refuse_twins(path: Path, header: Sequence[str], top: Top) -> None:
    """Nobody could tell which of two columns of one header is which."""
    counts = Counter(plain_header(cell) for cell in header if cell.strip())
    twins = sorted(cell for cell, count in counts.items() if count > 1)
    if twins:
        raise RefusedError(
            f"{path.name}: row {top.first} holds a header more than once: {', '.join(twins)}; ask the sender to name "
            "each column by itself, or name another row by --header-row"
        )
