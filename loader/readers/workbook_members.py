"""What a zipped workbook holds, looked through once while it is read; nothing of it is kept."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loader.readers.number_formats import is_misread
from loader.readers.plain_xlsx import Book, read_book
from loader.readers.signatures import explained, refuse_bomb

_PART = 1 << 20
_MOST_REST = 1 << 16
"""Bytes that may be left over after the last cell of a piece."""

_TAG, _NAME = "[^<>]*", r"<(?:\w+:)?"
_FORMULA = rf"(?:{_NAME}f(?:\s{_TAG})?/>|{_NAME}f(?:\s{_TAG})?>[^<]*</(?:\w+:)?f>)"
_ODD = "|".join(
    (
        "<[!?][^x]",  # CDATA, comments, a document type
        rf"<{_TAG}(?:\s=|=\s|=')",  # attributes as few write them: what follows here does not find them
        '="e"',  # errors
        rf'="s"{_TAG}>\s*{_NAME}v>(?:[0-9]*[^0-9<]|[0-9]{{9}})',  # no number of a text
        rf'="b"{_TAG}>\s*{_FORMULA}?\s*{_NAME}v>(?:[^01]|[01][^<])',
        r"</(?:\w+:)?v>\s*<[^/]",  # a value before something else
        r"</(?:\w+:)?is>\s*<[^/]",
        rf"{_NAME}v>\s",
        "_x(?:[1-9A-Fa-f]|0[1-9A-Fa-f])[0-9A-Fa-f]{2}_",  # escaped characters beyond U+00FF
    )
)
"""What calamine reads otherwise than the standard says, or not at all. To find too much costs time, no more."""
_ANY_FORMULA = rf"{_NAME}f[\s>/]"
_SOUND_FORMULA = (
    rf"{_NAME}c\s{_TAG}>\s*{_FORMULA}\s*{_NAME}v(?:\s{_TAG})?>[^<]+</(?:\w+:)?v>\s*</(?:\w+:)?c>"
    rf'|{_NAME}c\s{_TAG}="str"{_TAG}>\s*{_FORMULA}\s*{_NAME}v(?:\s{_TAG})?(?:/>|></(?:\w+:)?v>)\s*</(?:\w+:)?c>'
)
"""A formula with its result; an empty text is one."""
_END_OF_CELL = re.compile(rb"</(?:\w+:)?(?:c|si)>|<(?:\w+:)?row[^<>]*>")
_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding=["'](?!utf-8["']|us-ascii["'])""", re.IGNORECASE)


@dataclass
class Findings:
    """Names of the members of an `.xlsx` about which something has to be known."""

    odd: set[str] = field(default_factory=set)
    """Those that calamine may misread, or with a formula that has no result."""
    with_formulas: set[str] = field(default_factory=set)


def look_through(path: Path) -> Findings:
    """What is to be known of the members of a zipped workbook.

    Raises:
        RefusedError: the archive is damaged, locked or a bomb.
    """
    found = Findings()
    unpacked = 0
    is_xlsx = path.suffix.lower() in (".xlsx", ".xlsm")
    with explained(path), zipfile.ZipFile(path) as archive:
        refuse_bomb(path, sum(member.file_size for member in archive.infolist()))
        for name, parts in _members(archive):
            look = _Look(name, found) if is_xlsx and name.lower().endswith(".xml") else None
            for part in parts:
                unpacked += len(part)
                refuse_bomb(path, unpacked)
                if look is not None:
                    look.at(part)
            if look is not None:
                look.at_end()
    return found


class _Look:
    """Looks at a member piece by piece, each down to the end of a cell."""

    def __init__(self, name: str, found: Findings) -> None:
        self._name, self._found, self._rest, self._is_first = name, found, b"", True

    def at(self, part: bytes) -> None:
        if self._name in self._found.odd:
            return
        if self._is_first and (part.startswith((b"\xff\xfe", b"\xfe\xff")) or _ENCODING.match(part[:200])):
            self._found.odd.add(self._name)
        self._is_first = False
        seen = self._rest + part
        ends = [found.end() for found in _END_OF_CELL.finditer(seen, max(len(seen) - _MOST_REST, 0))]
        end = ends[-1] if ends else len(seen)
        self._rest = seen[end:]
        self._judge(seen[:end])

    def at_end(self) -> None:
        self._judge(self._rest)

    def _judge(self, seen: bytes) -> None:
        text = pa.array([seen], pa.binary())
        if pc.match_substring_regex(text, _ODD)[0].as_py():
            self._found.odd.add(self._name)
        if b"<f" in seen or b":f" in seen:
            formulas, sound = (
                pc.count_substring_regex(text, pattern)[0].as_py() for pattern in (_ANY_FORMULA, _SOUND_FORMULA)
            )
            if formulas:
                self._found.with_formulas.add(self._name)
            if formulas != sound:
                self._found.odd.add(self._name)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The name of each member, and its content piece by piece."""
    for member in archive.infolist():
        whole = copy(member)
        whole.file_size = 1 << 62  # else reading stops at the size that the member says it has
        yield member.filename, _pieces(archive, whole)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as file:
        while part := file.read(_PART):
            yield part


def book_of(path: Path) -> Book:
    """What an `.xlsx` says of itself; raises RefusedError where it is damaged."""
    with explained(path), zipfile.ZipFile(path) as archive:
        return read_book(archive)


def is_for_plain_reader(book: Book, found: Findings, sheet: str, *, as_stored: bool) -> bool:
    """Whether calamine may not be trusted with a sheet, or formulas have to be known that it does not tell of."""
    member = book.sheets[sheet].member if sheet in book.sheets else ""
    misread = any(is_misread(code) if code else number in _EAST_ASIAN for number, code in book.formats.items())
    asked = book.must_calculate and not as_stored and member in found.with_formulas
    return misread or asked or not found.odd.isdisjoint((member, book.strings))


_EAST_ASIAN = {*range(27, 37), *range(50, 59)}
"""Built-in formats of dates that calamine takes for those of numbers."""
