"""What a case of the catalogue is, and the helpers that write its file."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.deliveries import PEOPLE, PEOPLE_HEADER, people_rows
from tests.support.workbooks import write_sheets

Rows = tuple[tuple[str, str], ...]
Make = Callable[[Path], object]
"""Writes a delivery to a path."""

PEOPLE_STAGED: Rows = (("0001", "Anna"), ("0002", "Anna"), ("0003", "Anna"))
"""Three people as stage holds them: (number, name)."""
HEADER = list(PEOPLE_HEADER)
PEOPLE_CELLS = [[*row.values()] for row in people_rows(3)]


@dataclass(frozen=True)
class Case:
    """A delivery that is broken or hostile, or only looks it."""

    name: str
    extension: str
    make: Make
    says: tuple[str, ...] = ()
    """Words of the refusal that tell what, where or what to do; none when the delivery is in order."""
    rows: Rows = ()
    """What stage holds of a delivery that is in order."""

    @property
    def verdict(self) -> str:
        return f"refused: {'; '.join(self.says)}" if self.says else "loaded, with the right values"

    @property
    def dataset(self) -> str:
        return _DATASETS[self.extension]

    def file_name(self, period: str) -> str:
        return f"{self.dataset}_{period}.{self.extension}"


def refused(name: str, extension: str, make: Make, *says: str) -> Case:
    return Case(name, extension, make, says)


def loaded(name: str, extension: str, make: Make, rows: Rows = PEOPLE_STAGED) -> Case:
    return Case(name, extension, make, rows=rows)


_DATES = "dates: ['%d.%m.%Y']"
_FORMATS = {
    "text": (r"\.csv(\.gz)?", f"{{type: csv, {_DATES}}}"),
    "wide": (r"\.txt", f"{{type: csv, encoding: utf-16, {_DATES}}}"),
    "book": (r"\.(xlsx|xlsm|xlsb|xls|ods)", f"{{type: workbook, {_DATES}}}"),
}
"""Ending and format by dataset; each has the columns of people, and one invalid row refuses the file."""
_DATASETS = {
    **dict.fromkeys(("csv", "csv.gz"), "text"),
    **dict.fromkeys(("xlsx", "xlsm", "xlsb", "xls", "ods"), "book"),
    "txt": "wide",
}


def _contract(dataset: str, extension: str, fmt: str) -> str:
    words = {
        "  people:": f"  {dataset}:",
        "people_(": f"{dataset}_(",
        r"\.csv'": f"{extension}'",
        "{type: csv, dates: ['%d.%m.%Y'], null_values: ['-']}": fmt,
        "{action: reject_rows, max_share: 0.5}": "{action: reject_file}",
    }
    text = PEOPLE
    for word, other in words.items():
        assert word in text, word
        text = text.replace(word, other)
    return text.strip("\n") + "\n"


CONTRACTS = "datasets:\n" + "".join(_contract(dataset, *form) for dataset, form in _FORMATS.items())


Letters = str | bytes


def content(letters: Letters | Callable[[], Letters], encoding: str = "utf-8") -> Make:
    """A file of these letters, or of these bytes; many of them are made when they are written."""

    def write(path: Path) -> None:
        text = letters() if callable(letters) else letters
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))

    return write


def people(**second: str) -> str:
    """Three people as text; `second` overrides columns in the second of them, which is row 3."""
    rows = [HEADER, *_with_second(second)]
    return "".join(",".join(row) + "\n" for row in rows)


def quoted(**second: str) -> str:
    """The same with every cell in quotes, as some programs write them."""
    rows = [HEADER, *_with_second(second)]
    return "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)


def book(**second: Any) -> Make:
    """A workbook of three people; `second` overrides columns in the second of them."""
    return sheets({"People": [HEADER, *_with_second(second)]})


def table(header: Sequence[Any], *rows: Sequence[Any]) -> Make:
    """A workbook with this header, and these rows or three people."""
    return sheets({"People": [header, *(rows or PEOPLE_CELLS)]})


def sheets(cells: Mapping[str, Sequence[Sequence[Any]]], hidden: Sequence[str] = ()) -> Make:
    """A workbook of these sheets."""
    return lambda path: write_sheets(path, cells, hidden)


def named(name: str) -> Rows:
    """Three people of whom the second has this name."""
    return (PEOPLE_STAGED[0], ("0002", name), PEOPLE_STAGED[2])


def _with_second(changes: Mapping[str, Any]) -> list[list[Any]]:
    second = [changes.get(column, cell) for column, cell in zip(HEADER, PEOPLE_CELLS[1], strict=True)]
    return [PEOPLE_CELLS[0], second, PEOPLE_CELLS[2]]


@cache
def good(extension: str) -> bytes:
    """The bytes of a workbook of three people."""
    return _written(extension, PEOPLE_CELLS)


def _written(extension: str, rows: Sequence[Sequence[Any]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_sheets(Path(folder) / f"good.{extension}", {"People": [HEADER, *rows]}).read_bytes()


@cache
def people_file(extension: str) -> bytes:
    """The bytes of a good delivery of thirty people."""
    rows = [[*row.values()] for row in people_rows(30)]
    text = "".join(",".join(row) + "\n" for row in [HEADER, *rows])
    packed = {"csv": text.encode, "txt": lambda: text.encode("utf-16"), "csv.gz": lambda: gzip.compress(text.encode())}
    return packed[extension]() if extension in packed else _written(extension, rows)


def renamed(extension: str, pack: Callable[[bytes], bytes] = bytes) -> Make:
    """A good workbook of that extension under another name."""
    return lambda path: path.write_bytes(pack(good(extension)))


def members(
    extension: str, edits: Mapping[str, Callable[[bytes], bytes | None]], add: Iterable[tuple[str, bytes]] = ()
) -> Make:
    """A zipped workbook whose members are edited (None leaves one out), with others added."""

    def write(path: Path) -> None:
        with (
            zipfile.ZipFile(io.BytesIO(good(extension))) as source,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as it,
        ):
            names = source.namelist()
            assert set(edits) <= set(names), names
            for name in names:
                kept = edits[name](source.read(name)) if name in edits else source.read(name)
                if kept is not None:
                    it.writestr(name, kept)
            for name, more in add:
                it.writestr(name, more)

    return write


SHEET = "xl/worksheets/sheet1.xml"


def sheet_xml(old: bytes, new: bytes) -> Make:
    """A workbook with a text in the XML of its sheet replaced."""

    def edit(xml: bytes) -> bytes:
        assert old in xml, xml[:2000]
        return xml.replace(old, new, 1)

    return members("xlsx", {SHEET: edit})
