"""Propose: a contract for a sample file, as a starting point to be read and corrected by a person.

This is the only place that guesses. What it prints is text; nothing is loaded by a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from loader.codegen.text_form import text_form
from loader.contracts import RESERVED, Column, ColumnType, CsvFormat, Format, WorkbookFormat
from loader.contracts.names import OF_HISTORY
from loader.errors import RefusedError
from loader.readers import open_table
from loader.readers.signatures import GZIP, WORKBOOKS, listed
from loader.readers.table import CellKind, Cells, Table
from loader.validation.conversion import tidy
from loader.validation.typed_cells import values_of

_PERIODS = (  # the finest first
    ("day", r"\d{4}-\d{2}-\d{2}"),
    ("quarter", r"\d{4}-Q[1-4]"),
    ("month", r"\d{4}-\d{2}"),
    ("year", r"\d{4}"),
)
_TEXTS = (".csv", ".txt", ".tsv", GZIP)
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")
_WIDTHS = (1, 2, 3, 5, 10, 20, 40, 60, 100, 200, 500, 1000, 4000)
_PROBED_ROWS = 200_000
_NO_KEY = "  # no column is unique by itself; several as [a, b]"


@dataclass(frozen=True)
class _Column:
    name: str
    header: str
    type: str
    required: bool
    unique: bool


def propose(path: Path, dataset: str | None = None) -> str:
    """A contract for `path` as YAML text.

    Raises:
        RefusedError: the file has an extension that no reader knows, or cannot be read.
    """
    fmt = _format(path)
    table = open_table(path, fmt)
    cells, source_rows = _probe(table)
    formats = _date_formats(cells)
    dated = fmt.model_copy(update={"dates": formats}) if formats else fmt
    names = _names(table.header)
    columns = [
        _column(name, header, values, dated)
        for name, header, values in zip(names, table.header, cells, strict=True)
        if header.strip()
    ]
    return _yaml(path, dataset or _dataset_name(path), dated, formats, columns, source_rows)


def _format(path: Path) -> Format:
    extension = path.suffix.lower()
    if extension in WORKBOOKS:
        return WorkbookFormat(type="workbook")
    if extension not in _TEXTS:
        raise RefusedError(
            f"{path.name}: no reader knows the extension '{extension}', only {listed(WORKBOOKS + _TEXTS)}"
        )
    return text_form(path).format()


def _probe(table: Table) -> tuple[list[Cells], int]:
    """The first rows as tidy columns, and how many they are."""
    batches, rows = [], 0
    for batch in table.batches:
        batches.append(batch)
        rows += len(batch.source_rows)
        if rows >= _PROBED_ROWS:
            break
    return [_joined([batch.column(at) for batch in batches]) for at in range(len(table.header))], rows


def _joined(parts: Sequence[Cells]) -> Cells:
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


def _date_formats(cells: Sequence[Cells]) -> tuple[str, ...]:
    """Notations of dates of which a whole column consists; the first that fits a column is taken."""
    found: dict[str, None] = {}
    for column in cells:
        values = column.text.filter(column.is_a(CellKind.TEXT)) if column.kinds is not None else column.text
        if _has_digits_and_signs(values):
            texts = pc.unique(values.drop_null()).to_pylist()
            fitting = (form for form in _DATES if all(_is_date(text, form) for text in texts))
            found |= dict.fromkeys(islice(fitting, 1))
    return tuple(found)


def _is_date(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only its form matters
    except ValueError:
        return False
    return True


def _has_digits_and_signs(values: pa.StringArray) -> bool:
    present = values.drop_null()
    return len(present) > 0 and bool(pc.all(pc.match_substring_regex(present, r"\d[-./]\d")).as_py())


def _fits(cells: Cells, declared: str, fmt: Format) -> bool:
    column = Column(name="sample", type=ColumnType.parse(declared), description="A column of the sample.")
    converted = values_of(cells, column, fmt.notation)
    return bool(converted.null_count == cells.text.null_count < len(cells.text))


def _column(name: str, header: str, cells: Cells, fmt: Format) -> _Column:
    required = len(cells.text) > 0 and cells.text.null_count == 0
    unique = required and pc.count_distinct(cells.text).as_py() == len(cells.text)
    return _Column(name, " ".join(header.split()), _type(cells, fmt), required, unique)


def _type(values: Cells, fmt: Format) -> str:
    present = values.text.drop_null()
    width = max(pc.max(pc.utf8_length(present)).as_py() or 1, 1)
    text = f"varchar({next(size for size in _WIDTHS if size >= min(width, _WIDTHS[-1]))})"
    if _has_digits_and_signs(present):
        for declared in ("date", "timestamp"):
            if _fits(values, declared, fmt):
                return declared
    if _fits(values, "time", fmt):
        return "time"
    if not len(present) or pc.any(pc.match_substring_regex(present, r"^[+-]?0\d")).as_py():
        return text  # leading zeros make it a code, not a number
    for declared in ("integer", "bigint", "decimal(18,2)", "decimal(18,6)", "double"):
        if _fits(values, declared, fmt):
            return declared
    return text


def _names(header: Sequence[str]) -> list[str]:
    """Column names for the warehouse: lower case, no accents, no doubles."""
    names: list[str] = []
    for at, cell in enumerate(header, start=1):
        plain = unicodedata.normalize("NFKD", cell.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50] or f"column_{at}"
        name = _portable("c", name)
        names.append(name if name not in names else f"{name[:46]}_{at}")
    return names


def _dataset_name(path: Path) -> str:
    stem = path.stem.lower()
    for _, pattern in _PERIODS:
        stem = re.sub(pattern.lower(), "", stem)
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "dataset"
    return _portable("d", name[:50])


def _portable(prefix: str, name: str) -> str:
    """With a prefix where a contract would not take the name as it is."""
    fits = name[0].isalpha() and not name.startswith("dbt_") and name not in RESERVED.union(OF_HISTORY)
    return name if fits else f"{prefix}_{name}"[:50]


def _yaml(
    path: Path,
    dataset: str,
    fmt: Format,
    dates: Sequence[str],
    columns: Sequence[_Column],
    rows: int,
) -> str:
    grain, file_name = _file_name(path)
    key = next((column.name for column in columns if column.unique), None)
    lines = [
        f"# Proposed from {path.name} ({rows:,} rows). Read every line: a sample shows what is, not what may come.",
        f"  {_quoted(dataset)}:",
        f"    title: {_quoted(dataset.replace('_', ' ').capitalize())}",
        "    description: What one row is, and who sends it.",
        f"    file_name: {_quoted(file_name)}",
        *_format_lines(fmt, dates),
        f"    grain: {grain}",
        "    kind: full  # every live key is in every file; delta: changes only, with an end_marker",
        f"    key: {_quoted(key or columns[0].name)}{'' if key else _NO_KEY}",
        "    columns:",
    ]
    for column in columns:
        lines.append(f"      {_quoted(column.name)}:")
        if column.header.casefold() != column.name:
            lines.append(f"        header: {_quoted(column.header)}")
        lines.append(f"        type: {column.type}")
        lines.append(f"        description: {_quoted(column.header + '.')}")
        if column.required or column.name == key:
            lines.append("        required: true")
    return "\n".join(lines) + "\n"


def _file_name(path: Path) -> tuple[str, str]:
    for grain, pattern in _PERIODS:
        match = re.search(pattern, path.name)
        if match:
            before, after = re.escape(path.name[: match.start()]), re.escape(path.name[match.end() :])
            return grain, f"{before}(?P<period>{pattern}){after}".replace("\\-", "-")
    return "month  # the file name contains no period", re.escape(path.stem) + r"_(?P<period>\d{4}-\d{2})" + re.escape(
        path.suffix
    )


def _format_lines(fmt: Format, dates: Sequence[str]) -> list[str]:
    lines = ["    format:", f"      type: {fmt.type}"]
    if isinstance(fmt, CsvFormat):
        if fmt.encoding != "utf-8":
            lines.append(f"      encoding: {fmt.encoding}")
        if fmt.delimiter != ",":
            lines.append('      delimiter: "\\t"' if fmt.delimiter == "\t" else f"      delimiter: '{fmt.delimiter}'")
    if dates and tuple(dates) != ("%Y-%m-%d",):
        lines.append(f"      dates: [{', '.join(repr(form) for form in dates)}]")
    return lines


def _quoted(text: str) -> str:
    """Text as YAML, in quotes where it could be taken for something else (`No`, `null`)."""
    plain = re.fullmatch(r"[A-Za-z][\w ./-]*", text) and yaml.safe_load(text) == text
    return text if plain else "'" + text.replace("'", "''") + "'"
