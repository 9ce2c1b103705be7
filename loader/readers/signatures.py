"""What a file is by its bytes, whatever its name says, so that a refusal names the real cause."""

from __future__ import annotations

import codecs
import errno
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers.expat import ExpatError

from loader.errors import RefusedError

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
GZIP = ".gz"

ALWAYS_UNPACKED = 256 << 20
"""Bytes to which any file may unpack: there is room for them everywhere."""
MOST_TIMES = 100
"""How many times its size a larger one may unpack to. Tables give 5 to 30 times, even of a million empty formatted
rows; a bomb about 1,000, which is all that deflate (RFC 1951) can do. Apache POI draws the line at 100, too."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE, _GZIP = bytes.fromhex("d0cf11e0a1b11ae1"), b"\x1f\x8b"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OTHERS = {
    "%pdf": "a PDF document",
    "\x89png": "a picture",
    "\xff\xd8\xff": "a picture",
    "7z\xbc\xaf": "an archive",
    **dict.fromkeys(("<!doctype html", "<html", "<head", "<meta", "<body", "<style", "<table", "<div"), "a web page"),
}
"""How files begin that are delivered by mistake, in small letters."""
_RECORDS = {
    re.compile("PAR1.{0,60}?[\x00-\x08]", re.DOTALL): "a parquet file",
    re.compile("Rar!.{0,60}?[\x00-\x08]", re.DOTALL): "an archive",
    re.compile(r"ID;P[^\r\n]*[\r\n]+(?:[A-Z]{1,2};|E\s*$)"): "a SYLK file",
}
"""The same of files whose first letters a header may have, too (`ID;PLZ`)."""
_WITHIN = {
    "urn:schemas-microsoft-com:office:spreadsheet": "an XML spreadsheet of Excel 2003",
    'progid="excel.sheet"': "an XML spreadsheet of Excel 2003",
    "multipart/related": "a web archive (MHTML)",
    "<html": "a web page",
}
"""What stands near the start of others, which begin with XML or with the header of a mail."""
_BEFORE_WITHIN = ("<?xml", "<!--", "mime-version:", "from:", "content-type:")
_OLD_XLS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
"""How workbooks of Excel 2 to 4 begin, which had no container."""
_LOOKED_AT = 4096
_STUMBLES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ExpatError,
    NotImplementedError,
    ValueError,
    KeyError,
)
_SENTINELS = {"xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "content.xml": ".ods"}
"""The member by which a zipped workbook is known."""


def refuse_no_text(path: Path) -> None:
    """Raise RefusedError when a file cannot be one of text: workbooks and archives whose extension is `.csv`."""
    start = _start(path)
    if start.startswith((*_ZIP, _OLE)):
        raise RefusedError(f"{path.name}: this is a workbook or an archive, not a text file; save it as CSV")
    _refuse_other(path, start, "a text file")
    packed, named_so = start.startswith(_GZIP), path.suffix.lower() == GZIP
    if named_so and not packed:
        raise RefusedError(f"{path.name}: this is not a gzip file, whatever its extension says; name it without {GZIP}")
    if packed and not named_so:
        raise RefusedError(
            f"{path.name}: this is a gzip file; name it with {GZIP}, as file_name in the contract must too"
        )


def refuse_no_workbook(path: Path) -> None:
    """Raise RefusedError when a file is not a workbook, is protected, or is of another kind than its extension says."""
    extension = path.suffix.lower()
    if extension not in WORKBOOKS:
        raise RefusedError(
            f"{path.name}: no reader knows workbooks with the extension '{extension}', only {listed(WORKBOOKS)}"
        )
    found = _kind(path)
    if found == "password":
        raise locked(path)
    if found is None:
        _refuse_other(path, _start(path), "a workbook")
        _refuse_text(path)
        raise RefusedError(
            f"{path.name}: this is not a valid {extension} workbook, whatever its extension says; "
            f"save it as {extension}"
        )
    if found != extension and (found, extension) != (".xlsx", ".xlsm"):
        raise RefusedError(
            f"{path.name}: this is a workbook of the {found} kind, not {extension} as its extension says; "
            f"save it as {extension} and deliver it again"
        )


def _refuse_other(path: Path, start: bytes, wanted: str) -> None:
    begin = _decoded(start).lstrip().lower()
    found = next((what for mark, what in _OTHERS.items() if begin.startswith(mark)), None)
    if found is None and begin.startswith(_BEFORE_WITHIN):
        found = next((what for mark, what in _WITHIN.items() if mark in begin), None)
    if found is None:
        text = _decoded(start)
        found = next((what for begins, what in _RECORDS.items() if begins.match(text)), None)
    if found is None and start.startswith(_OLD_XLS):
        found = "a workbook of Excel 4 or older"
    if found is not None:
        raise RefusedError(f"{path.name}: this is {found}, not {wanted}; ask the sender to deliver it again")


def _refuse_text(path: Path) -> None:
    text = _decoded(_start(path))
    if re.search("[\x00-\x08\x0e-\x1a\x1c-\x1f]", text) is None:
        what = "a text file with tabs between its cells" if "\t" in text else "a text file"
        raise RefusedError(f"{path.name}: this is {what}, not a workbook; ask the sender to deliver it again")


def _decoded(start: bytes) -> str:
    """Whatever the encoding is: only letters of ASCII matter."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if start.startswith(mark):
            return start.decode(encoding, "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def listed(extensions: tuple[str, ...]) -> str:
    """`.a, .b or .c`."""
    return f"{', '.join(extensions[:-1])} or {extensions[-1]}"


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, as workbooks but `.xls` are."""
    return _start(path).startswith(_ZIP)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    if not start:
        raise RefusedError(f"{path.name}: the file is empty (0 bytes); ask the sender to deliver it again")
    return start


def _kind(path: Path) -> str | None:
    start = _start(path)
    if start.startswith(_OLE):
        return "password" if path.suffix.lower() != ".xls" and _ENCRYPTED in path.read_bytes() else ".xls"
    if not start.startswith(_ZIP):
        return None
    with explained(path), zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
    return next((kind for member, kind in _SENTINELS.items() if member in members), None)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say what zipfile and its like mean when they stumble over a damaged or locked archive."""
    try:
        yield
    except _STUMBLES:
        raise damaged(path) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the start of the file
            raise
        raise damaged(path) from None
    except RuntimeError:
        raise locked(path) from None


def damaged(path: Path) -> RefusedError:
    """The error for a container that cannot be opened."""
    return RefusedError(f"{path.name}: the workbook is damaged or cut off; ask the sender to deliver it again")


def locked(path: Path) -> RefusedError:
    """The error for a container that asks for a password."""
    return RefusedError(f"{path.name}: protected by a password; save it without one and deliver it again")


def refuse_bomb(path: Path, unpacked: int) -> None:
    """Raise RefusedError when a packed file has, or says that it has, more bytes than a table can have."""
    if unpacked > max(ALWAYS_UNPACKED, MOST_TIMES * path.stat().st_size):
        raise RefusedError(
            f"{path.name}: it unpacks to more than {MOST_TIMES} times its size ({ALWAYS_UNPACKED >> 20} MiB and more), "
            "as no table does; ask the sender what it is"
        )
