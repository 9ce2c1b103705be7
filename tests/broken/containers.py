"""Damaged containers: files that are cut, emptied, locked, packed to do harm, or not whole inside."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.broken.cases import SHEET, Make, content, good, loaded, members, people, quoted, refused, sheet_xml

MEBI = 1 << 20
DAMAGED = "the workbook is damaged or cut off; ask the sender to deliver it again"
FAR = "a cell lies so far from its table"
LOCKED = "protected by a password; save it without one"
EMPTY = "the file is empty (0 bytes); ask the sender to deliver it again"
GZIP_DAMAGED = "the gzip file is damaged or cut off"
BOMB = "it unpacks to more than 100 times its size"


def cut(extension: str, keep: float) -> Make:
    """The first part of a workbook."""
    return lambda path: path.write_bytes(good(extension)[: int(len(good(extension)) * keep)])


def with_password(path: Path) -> None:
    from msoffcrypto.format.ooxml import OOXMLFile

    with path.open("wb") as protected:
        OOXMLFile(io.BytesIO(good("xlsx"))).encrypt("secret", protected)


def xls_with_password(path: Path) -> None:
    """A record FILEPASS ([MS-XLS] 2.4.117) in place of another of the same length."""
    whole = good("xls")
    assert whole.count(b"\xe1\x00\x02\x00") == 1
    path.write_bytes(whole.replace(b"\xe1\x00\x02\x00", b"\x2f\x00\x02\x00"))


def locked_members(path: Path) -> None:
    """The bit that says that a member is encrypted, in every header (APPNOTE 4.4.4)."""
    whole = bytearray(good("xlsx"))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = whole.find(mark)
        while at >= 0:
            whole[at + offset] |= 1
            at = whole.find(mark, at + 4)
    path.write_bytes(whole)


def struck(extension: str, at: int, more: bytes = b"") -> Make:
    """A byte is another, or there are more of them."""

    def write(path: Path) -> None:
        whole = bytearray(good(extension))
        whole[at : at + (not more)] = more or bytes([whole[at] ^ 0xFF])
        path.write_bytes(whole)

    return write


def struck_sheet(path: Path) -> None:
    """A byte of the packed sheet is another."""
    with zipfile.ZipFile(io.BytesIO(good("xlsx"))) as archive:
        at = archive.getinfo(SHEET).header_offset
    struck("xlsx", at + 200)(path)


@cache
def _bomb(mebibytes: int, start: bytes, end: bytes) -> bytes:
    """A deflated text with so many MiB of one letter in it: a block that stands for itself, repeated."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = pack.compress(start) + pack.flush(zlib.Z_FULL_FLUSH)
    block = pack.compress(b"a" * MEBI) + pack.flush(zlib.Z_FULL_FLUSH)
    return stream + block * mebibytes + pack.compress(end) + pack.flush()


def zip_bomb(mebibytes: int, says: int | None = None) -> Make:
    """A workbook with a cell of so many MiB in a thousandth of the room; `says` is the size that it admits."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(io.BytesIO(good("xlsx"))) as archive:
            files = [(name, archive.read(name)) for name in archive.namelist() if name != SHEET]
            start, _, end = archive.read(SHEET).partition(b"Anna")
        parts = [(name, _deflated(it), zlib.crc32(it), len(it)) for name, it in files]
        size = len(start) + mebibytes * MEBI + len(end) if says is None else says
        path.write_bytes(_zip([*parts, (SHEET, _bomb(mebibytes, start, end), 0, size)]))

    return write


def _deflated(plain: bytes) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return pack.compress(plain) + pack.flush()


def _zip(files: Iterable[tuple[str, bytes, int, int]]) -> bytes:
    """An archive of packed members; checksum and size are what they are said to be (APPNOTE 4.3)."""
    local, directory, count = b"", b"", 0
    for name, stream, crc, size in files:
        header = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(stream), size, len(name), 0)
        directory += b"PK\1\2" + struct.pack("<H", 20) + header + struct.pack("<HHHII", 0, 0, 0, 0, len(local))
        directory += name.encode()
        local += b"PK\3\4" + header + name.encode() + stream
        count += 1
    return local + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(local), 0)


def gzip_bomb(mebibytes: int, start: bytes = b"", end: bytes = b"") -> Make:
    """A thousandth of the room for so many MiB of one letter."""
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    return lambda path: path.write_bytes(head + _bomb(mebibytes, start, end) + bytes(8))


def gzip_bomb_of_rows(path: Path) -> None:
    """A row repeated until there are 350 MiB of them."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    stream = pack.compress(people().encode()) + pack.flush(zlib.Z_FULL_FLUSH)
    row = b"0001,%b,29.02.1988,Dresden,3,12.50\n" % (b"a" * 10_000)
    block = pack.compress(row * 100) + pack.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(stream + block * 350 + pack.flush())


def blank_rows(path: Path) -> None:
    """Three people, and below them formatted rows without a value, down to the last row of a sheet."""

    def rows() -> Iterator[bytes]:
        for row in range(5, 1_048_577):
            yield b'<row r="%d" s="0" customFormat="1">' % row
            yield b"".join(b'<c r="%c%d" s="0"/>' % (column, row) for column in b"ABCDEF")
            yield b"</row>"

    sheet_xml(b"</sheetData>", b"".join(rows()) + b"</sheetData>")(path)


def far_cell(place: str, row: int) -> Make:
    """One more cell, far from the table."""
    cell = f'<row r="{row}"><c r="{place}"><v>1</v></c></row></sheetData>'
    return sheet_xml(b"</sheetData>", cell.encode())


def far_cell_xlsb(binary: bytes) -> bytes:
    """The last cell of the header is in a column of ten digits."""
    assert b"\x07\x0c\x05\x00\x00\x00" in binary
    return binary.replace(b"\x07\x0c\x05\x00\x00\x00", b"\x07\x0c\x05\x00\xff\xff", 1)


def repeated_cells(xml: bytes) -> bytes:
    """A cell repeated over the whole sheet."""
    cell = b'<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
    row = b'<table:table-row table:number-rows-repeated="1048576">' + cell + b"</table:table-cell></table:table-row>"
    return xml.replace(b"</table:table>", row + b"</table:table>", 1)


def many_members(path: Path) -> None:
    path.write_bytes(good("xlsx"))
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(20_000):
            archive.writestr(f"xl/media/{number}", b"")


def entity_bomb(xml: bytes) -> bytes:
    """Each entity is ten of the one before: a billion words out of a thousand letters."""
    entities = b'<!ENTITY e0 "ha">'
    for number in range(1, 10):
        entities += b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10)
    return b"<!DOCTYPE worksheet [" + entities + b"]>" + xml.replace(b"Anna", b"&e9;", 1)


def outside(xml: bytes) -> bytes:
    """A cell that asks for a file of the machine that reads it."""
    doctype = b'<!DOCTYPE worksheet [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'
    return doctype + xml.replace(b"Anna", b"&secret;", 1)


def gone(_: bytes) -> None:
    """Leave a member out."""


def half(it: bytes) -> bytes:
    return it[: len(it) // 2]


TEXT = people().encode()
NO_STRING = (b'<c r="B3" t="inlineStr"><is><t>Anna</t></is></c>', b'<c r="B3" t="s"><v>999999</v></c>')

CASES = [
    refused("workbook of zero bytes", "xlsx", content(b""), EMPTY),
    refused("text file of zero bytes", "csv", content(b""), EMPTY),
    refused("gzip file of zero bytes", "csv.gz", content(b""), EMPTY),
    *(
        refused(f"{extension} cut in the middle", extension, cut(extension, 0.5), DAMAGED)
        for extension in ("xlsx", "xlsm", "xlsb", "xls", "ods")
    ),
    refused("workbook without its last bytes", "xlsx", cut("xlsx", 0.99), DAMAGED),
    refused("workbook of four bytes", "xlsx", content(b"PK\3\4"), DAMAGED),
    refused("workbook with a wrong byte", "xlsx", struck_sheet, DAMAGED),
    refused("xls with a byte too many", "xls", struck("xls", 512, b"\xff"), "the workbook is damaged"),
    refused("workbook with a password", "xlsx", with_password, LOCKED),
    refused("xls with a password", "xls", xls_with_password, LOCKED),
    refused("archive with a password", "xlsx", locked_members, LOCKED),
    refused(
        "workbook without its list of sheets", "xlsx", members("xlsx", {"xl/_rels/workbook.xml.rels": gone}), DAMAGED
    ),
    refused(
        "list of sheets that is empty", "xlsx", members("xlsx", {"xl/workbook.xml": lambda _: b"<workbook/>"}), DAMAGED
    ),
    refused("workbook without its sheet", "xlsx", members("xlsx", {SHEET: gone}), DAMAGED),
    refused("sheet that ends early", "xlsx", members("xlsx", {SHEET: half}), DAMAGED),
    refused("sheet that is no XML", "xlsx", members("xlsx", {SHEET: lambda _: b"\0\1\2 nothing"}), DAMAGED),
    refused("sheet of zero bytes", "xlsx", members("xlsx", {SHEET: lambda _: b""}), DAMAGED),
    refused("text that is not in the list of texts", "xlsx", sheet_xml(*NO_STRING), DAMAGED),
    refused("ods that ends early", "ods", members("ods", {"content.xml": half}), DAMAGED),
    refused(
        "xlsb that ends early", "xlsb", members("xlsb", {"xl/worksheets/sheet1.bin": half}), "the workbook is damaged"
    ),
    refused("xlsb without its styles", "xlsb", members("xlsb", {"xl/styles.bin": half}), "the workbook is damaged"),
    refused("zip bomb", "xlsx", zip_bomb(3000), BOMB),
    refused("zip bomb that lies about its size", "xlsx", zip_bomb(3000, says=1000), BOMB),
    refused("bomb of XML entities", "xlsx", members("xlsx", {SHEET: entity_bomb}), DAMAGED),
    refused(
        "bomb of repeated cells", "ods", members("ods", {"content.xml": repeated_cells}), "the workbook is damaged"
    ),
    refused("XML that asks for a file", "xlsx", members("xlsx", {SHEET: outside}), DAMAGED),
    refused("cell in the last corner", "xlsx", far_cell("XFD1048576", 1_048_576), FAR),
    refused("cell beyond any sheet", "xlsx", far_cell("ZZZZZZ4000000000", 4_000_000_000), FAR),
    refused(
        "xlsb with a cell beyond any sheet", "xlsb", members("xlsb", {"xl/worksheets/sheet1.bin": far_cell_xlsb}), FAR
    ),
    refused("cell in row zero", "xlsx", far_cell("A0", 0), DAMAGED),
    refused("cell in the last row", "xlsx", far_cell("A1048576", 1_048_576), "1 of 4 rows are invalid"),
    loaded("a million blank formatted rows", "xlsx", blank_rows),
    loaded("20,000 members", "xlsx", many_members),
    loaded("member with a path that leads out", "xlsx", members("xlsx", {}, [("../../../evil.txt", b"x")])),
    refused("text file cut in the middle of a row", "csv", content(TEXT[:-12]), "row: 6 cells expected (1)"),
    refused("text file cut inside quotes", "csv", content(quoted()[:-10]), "row: matching quotes (1)"),
    refused("gzip cut in the middle", "csv.gz", content(gzip.compress(TEXT)[:-20]), GZIP_DAMAGED),
    refused("gzip with a wrong checksum", "csv.gz", content(gzip.compress(TEXT)[:-8] + bytes(8)), GZIP_DAMAGED),
    refused("gzip bomb of one line", "csv.gz", gzip_bomb(3000), "row 1: it is longer than 4 MiB"),
    refused("gzip bomb in a cell", "csv.gz", gzip_bomb(3000, TEXT + b"0004,", b"\n"), "row 5: it is longer than 4 MiB"),
    refused("gzip bomb of rows", "csv.gz", gzip_bomb_of_rows, BOMB),
    refused("gzip of nothing", "csv.gz", content(gzip.compress(b"")), "there is no header row 1"),
    loaded("gzip in two parts", "csv.gz", content(gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]))),
]
