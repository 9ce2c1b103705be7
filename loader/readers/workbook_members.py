"""What a zipped workbook holds, looked through once before it is read; nothing of it is kept."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers.expat import ParserCreate

from loader.errors import RefusedError
from loader.readers.signatures import explained, refuse_bomb

_PART = 1 << 20
_OVERLAP = 1 << 16
"""Bytes of a part that are looked at again with the next one; a formula has at most 8,192 characters."""
_ODS_CONTENT = "content.xml"
_ODS_ERROR = b'calcext:value-type="error"'
"""LibreOffice writes an error as an empty text with a mark of its own, so that calamine takes it for nothing."""
_NO_RESULT = re.compile(
    rb'<c\s(?=[^>]*\br="(?P<cell>[A-Z]+\d+)")(?![^>]*\bt="str")[^>]*>\s*'
    rb"<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
"""A formula that no spreadsheet program has calculated yet, as other programs write them: calamine finds nothing
there. An empty text (`t="str"`) is a result."""

_BOOK = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")


def look_through(path: Path) -> dict[str, str]:
    """The first formula without a result in each member of a zipped workbook: cell by name of the member.

    Raises:
        RefusedError: the archive is damaged, locked or a bomb, or an `.ods` has an error in it.
    """
    unsolved: dict[str, str] = {}
    unpacked = 0
    content = ParserCreate()
    with explained(path), zipfile.ZipFile(path) as archive:
        refuse_bomb(path, sum(member.file_size for member in archive.infolist()))
        for name, part, seen in _parts(archive):
            unpacked += len(part)
            refuse_bomb(path, unpacked)
            if name == _ODS_CONTENT:
                content.Parse(part)  # calamine goes round in circles where an .ods is not XML
                _refuse_ods_error(path, seen)
            elif b"<f" in seen and (found := _NO_RESULT.search(seen)):
                unsolved.setdefault(name, found["cell"].decode())
        if _ODS_CONTENT in archive.namelist():
            content.Parse(b"", True)
    return unsolved


def _refuse_ods_error(path: Path, content: bytes) -> None:
    if _ODS_ERROR in content:
        raise RefusedError(
            f"{path.name}: a formula in it ends in an error, and .ods does not tell in which cell; "
            "correct it, or save the workbook as .xlsx"
        )


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes, bytes]]:
    """Each member piece by piece: its name, a piece, and the piece with the end of the one before."""
    for member in archive.infolist():
        whole = copy(member)
        whole.file_size = 1 << 62  # else reading stops at the size that the member says it has
        seen = b""
        with archive.open(whole) as file:
            while part := file.read(_PART):
                seen = seen[-_OVERLAP:] + part
                yield member.filename, part, seen


def member_of(path: Path, sheet: str) -> str:
    """The name of the member that holds a sheet of an `.xlsx` (ECMA-376 part 1, 18.2.19); empty when it is not said."""
    with zipfile.ZipFile(path) as archive:
        book, relations = (ET.fromstring(archive.read(name)) for name in _BOOK)  # noqa: S314 - expat sets limits
    ids = (one.attrib for one in book.iterfind(".//{*}sheet") if one.get("name") == sheet)
    mine = {value for attributes in ids for key, value in attributes.items() if key.endswith("}id")}
    targets = [one.get("Target", "") for one in relations if one.get("Id") in mine]
    return posixpath.join("/xl", targets[0]).lstrip("/") if targets else ""
