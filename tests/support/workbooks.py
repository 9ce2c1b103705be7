"""Workbooks of every kind that the readers know, written by the tests: sheets of cells, some of them hidden."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Sheets = Mapping[str, Sequence[Sequence[Any]]]


def write_sheets(path: Path, sheets: Sheets, hidden: Sequence[str] = ()) -> Path:
    """Write a workbook of the kind that the ending of `path` says; `None` is an empty cell."""
    _WRITERS[path.suffix](path, sheets, hidden)
    return path


def _xlsx(path: Path, sheets: Sheets, hidden: Sequence[str]) -> None:
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    workbook.active = next(at for at, name in enumerate(sheets) if name not in hidden)
    workbook.save(path)


def _xls(path: Path, sheets: Sheets, hidden: Sequence[str]) -> None:
    import xlwt

    workbook = xlwt.Workbook()
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        sheet.visibility = int(name in hidden)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value, *([day] if isinstance(value, date) else []))
    workbook.save(str(path))


def _xlsb(path: Path, sheets: Sheets, hidden: Sequence[str]) -> None:
    from pyxlsbwriter import XlsbWriter

    with XlsbWriter(str(path)) as workbook:
        for name, rows in sheets.items():
            workbook.add_sheet(name, hidden=name in hidden)
            workbook.write_sheet([list(row) for row in rows])


def _ods(path: Path, sheets: Sheets, hidden: Sequence[str]) -> None:
    """OpenDocument 1.3, part 3: https://docs.oasis-open.org/office/OpenDocument/v1.3."""
    names = ("office", "table", "text", "style")
    calcext = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    spaces = f"{calcext} " + " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names
    )
    style = (
        '<office:automatic-styles><style:style style:name="off" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    off = ' table:style-name="off"'
    tables = "".join(
        f'<table:table table:name="{escape(name)}"{off if name in hidden else ""}>'
        f"{''.join(_ods_row(row) for row in rows)}</table:table>"
        for name, rows in sheets.items()
    )
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    content = f'<?xml version="1.0"?><office:document-content {spaces}>{style}{body}</office:document-content>'
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)


def _ods_row(row: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(_ods_cell(value) for value in row)}</table:table-row>"


def _ods_cell(value: Any) -> str:
    if value is None:
        return "<table:table-cell/>"
    text = escape(str(value))
    if text.startswith("#"):  # as LibreOffice writes an error
        attributes = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
        return f'<table:table-cell table:formula="of:=1/0" {attributes}><text:p>{text}</text:p></table:table-cell>'
    if isinstance(value, date | datetime):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


_WRITERS: dict[str, Callable[[Path, Sheets, Sequence[str]], None]] = {
    ".xlsx": _xlsx,
    ".xlsm": _xlsx,
    ".xlsb": _xlsb,
    ".xls": _xls,
    ".ods": _ods,
}
KINDS = tuple(_WRITERS)
