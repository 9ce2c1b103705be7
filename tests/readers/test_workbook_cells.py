"""Cells of workbooks as the readers give them: calamine is held against a reader that knows only the standard."""

from __future__ import annotations

import datetime as dt
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.contracts import WorkbookFormat
from loader.errors import RefusedError
from loader.readers.calamine import read_sheet
from loader.readers.number_formats import Shows, is_misread, shows
from loader.readers.sheet_rows import Sheet, batches
from loader.readers.table import Batch, CellKind
from loader.readers.workbook import open_workbook
from loader.readers.workbook_members import book_of, is_for_plain_reader, look_through
from tests.support.workbooks import write_sheets

PLAIN = WorkbookFormat(type="workbook")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
FORMATS = {1: "yyyy-mm-dd", 2: "hh:mm:ss", 3: "[h]:mm", 4: "yyyy-mm-dd hh:mm", 5: "Standard", 6: "Yes;No", 7: "0.00"}
"""By number of the style; 0 is General."""


def xlsx(path: Path, rows: str, *, before: str = "", book: str = "", strings: Iterable[str] = ()) -> Path:
    """An `.xlsx` with this XML as the rows of its sheet."""
    codes = "".join(f'<numFmt numFmtId="{200 + at}" formatCode="{code}"/>' for at, code in FORMATS.items())
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in FORMATS)
    kinds = ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(kinds)
    )
    root = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "_rels/.rels": f"<Relationships {package}>{root}</Relationships>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {package}>{relations}</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{book}<sheets><sheet name="S" sheetId="1" '
        'r:id="r0"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{styles}'
        "</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(strings)}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}" xmlns:x="{MAIN}">{before}<sheetData>{rows}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def cells_of(items: Iterable[Sheet | Batch]) -> dict[tuple[int, int], tuple[CellKind, str]]:
    """Kind and text of the filled cells, by row and column from 1."""
    found = {}
    first = 0
    for item in items:
        if isinstance(item, Sheet):
            first = item.first_column
            continue
        for at in range(len(item.cells)):
            text, kinds = item.column(at)
            of = [0] * len(text) if kinds is None else kinds.to_pylist()
            for row, value, kind in zip(item.source_rows.to_pylist(), text.to_pylist(), of, strict=True):
                if value is not None:
                    found[row, first + at + 1] = CellKind(kind), value
    return found


def as_delivered(path: Path) -> dict[tuple[int, int], tuple[CellKind, str]]:
    """What a load reads: the plain reader where the look at the bytes says so."""
    found = look_through(path)
    plainly = is_for_plain_reader(book_of(path), found, "S", as_stored=True)
    return cells_of(read_sheet(path, None, None, 1, plainly=plainly))


def one(path: Path, cell: str, **more: Any) -> tuple[CellKind, str] | None:
    """What a load reads of the cell A1."""
    return as_delivered(xlsx(path / "one.xlsx", f'<row r="1">{cell}</row>', **more)).get((1, 1))


TEXT, NUMBER, DATE, TIME = CellKind.TEXT, CellKind.NUMBER, CellKind.DATE, CellKind.TIME


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="A1"><v>0.30000000000000004</v></c>', (NUMBER, "0.30000000000000004")),
        ('<c r="A1"><v>1.5E-10</v></c>', (NUMBER, "0.00000000015")),
        ("<c><v>5</v></c>", (NUMBER, "5")),
        ("<c r='A1'><v>5</v></c>", (NUMBER, "5")),
        ('<x:c r="A1"><x:v>5</x:v></x:c>', (NUMBER, "5")),
        ('<c r="A1"><v><![CDATA[5]]></v></c>', (NUMBER, "5")),
        ('<c r="A1"><v>5<!-- five -->5</v></c>', (NUMBER, "55")),
        ('<c r="A1"><v>5</v><f>2+3</f></c>', (NUMBER, "5")),
        ('<c r="A1"><f>2+3</f><v>5</v></c>', (NUMBER, "5")),
        ('<c r="A1" t="str"><f>"a"</f><v>a_x000D_\nb</v></c>', (TEXT, "a\r\nb")),
        ('<c r="A1" t="str"><f>""</f><v></v></c>', None),
        ('<c r="A1" t="inlineStr"><is><t>a_x4E00_</t></is><v>0</v></c>', (TEXT, "a\u4e00")),
        ('<c r="A1" t="s"><v>1</v></c>', (TEXT, "one")),
        ('<c r="A1" t="b"><v>1</v></c>', (CellKind.BOOLEAN, "true")),
        ('<c r="A1" t="b"><v>false</v></c>', (CellKind.BOOLEAN, "false")),
        *((f'<c r="A1" t="e"><v>{word}</v></c>', (CellKind.ERROR, word)) for word in ("#N/A", "#SPILL!", "#CALC!")),
        ('<c r="A1" s="1"><v>45000</v></c>', (DATE, "2023-03-15 00:00:00")),
        ('<c r="A1" s="4"><v>45000.5</v></c>', (DATE, "2023-03-15 12:00:00")),
        ('<c r="A1" s="2"><v>0.3125</v></c>', (TIME, "07:30:00")),
        ('<c r="A1" s="2"><v>0</v></c>', (TIME, "00:00:00")),
        ('<c r="A1" s="1"><v>59</v></c>', (DATE, "1900-02-28 00:00:00")),
        ('<c r="A1" s="4"><v>60.25</v></c>', (DATE, "60.25")),
        ('<c r="A1" s="3"><v>1.5</v></c>', (CellKind.DURATION, "36:00:00")),
        ('<c r="A1" s="1"><v>0</v></c>', (DATE, "0.0")),
        ('<c r="A1" s="1"><v>-1</v></c>', (DATE, "-1.0")),
        ('<c r="A1" s="2"><v>-0.25</v></c>', (DATE, "-0.25")),
        ('<c r="A1" s="5"><v>1</v></c>', (NUMBER, "1")),
        ('<c r="A1" s="6"><v>1</v></c>', (NUMBER, "1")),
        ('<c r="A1" t="d"><v>2023-03-15T10:30:00</v></c>', (DATE, "2023-03-15 10:30:00")),
        ('<c r="A1"><v/></c>', None),
    ],
)
def test_a_cell_is_what_the_standard_says(tmp_path: Path, cell: str, expected: tuple[CellKind, str] | None) -> None:
    assert one(tmp_path, cell, strings=["<si><t>nil</t></si>", "<si><t>one</t></si>"]) == expected


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c r="A1"><f>1+1</f></c>', "the formula in cell A1 was never calculated"),
        ('<c r="A1" t="str"><f>"a"</f></c>', "the formula in cell A1 was never calculated"),
        ("<x:c r='A1'><x:f>1+1</x:f></x:c>", "the formula in cell A1 was never calculated"),
        ("<c><f><![CDATA[1+1]]></f><v/></c>", "the formula in cell A1 was never calculated"),
        ('<c r="A1" t="s"><v>9</v></c>', "the cell A1 of the sheet 'S' cannot be read: its text is not in the list"),
        ('<c r="A1" t="s"><v>x</v></c>', "the cell A1 of the sheet 'S' cannot be read: its text is not in the list"),
        ('<c r="A1" t="s"><v>18446744073709551617</v></c>', "its text is not in the list of texts"),
        ('<c r="A1" t="b"><v>maybe</v></c>', "it is neither true nor false"),
        ('<c r="A1" t="n"><v>1,5</v></c>', "it is not a number"),
        ('<c r="A1" t="new"><v>1</v></c>', "nobody knows its type"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(tmp_path: Path, cell: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        one(tmp_path, cell, strings=["<si><t>nil</t></si>"])


def test_a_dimension_of_rows_only_is_no_matter(tmp_path: Path) -> None:
    assert one(tmp_path, '<c r="A1"><v>5</v></c>', before='<dimension ref="1:8"/>') == (NUMBER, "5")


values = st.one_of(
    st.floats(-1e12, 1e12).map(lambda number: f"<v>{number!r}</v>"),
    st.integers(-3, 60_000).map(lambda number: f"<v>{number}</v>"),
    st.floats(0, 3).map(lambda number: f"<v>{number!r}</v>"),
)
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs", "P"), exclude_characters="<>&"), max_size=8)
any_cell = st.one_of(
    st.tuples(st.just(' s="{}"'), st.sampled_from([0, *FORMATS]), values),
    st.tuples(st.just(' t="b"{}'), st.just(""), st.sampled_from(["<v>0</v>", "<v>1</v>"])),
    st.tuples(st.just(' t="inlineStr"{}'), st.just(""), texts.map(lambda text: f"<is><t>{text}</t></is>")),
    st.tuples(st.just(' t="str"{}'), st.just(""), texts.map(lambda text: f"<f>A1</f><v>{text}</v>")),
    st.tuples(st.just(' t="e"{}'), st.just(""), st.sampled_from(["<v>#N/A</v>", "<v>#FIELD!</v>"])),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.none() | any_cell, max_size=4), max_size=5), st.booleans())
def test_both_readers_give_the_same(rows: list[list[tuple[str, Any, str] | None]], is_1904: bool) -> None:
    xml = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{"ABCD"[at]}{number}"{cell[0].format(cell[1])}>{cell[2]}</c>'
            for at, cell in enumerate(row)
            if cell is not None
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = xlsx(Path(folder) / "any.xlsx", xml, book='<workbookPr date1904="1"/>' if is_1904 else "")
        plain = cells_of(read_sheet(path, None, None, 1, plainly=True))
        assert as_delivered(path) == plain


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("General", Shows.NUMBER),
        ("0.00", Shows.NUMBER),
        ("0.00E+00", Shows.NUMBER),
        ("#,##0.00 [$€-407];[Red]-#,##0.00 [$€-407]", Shows.NUMBER),
        ('0 "days"', Shows.NUMBER),
        (r"0\d", Shows.NUMBER),
        ("Standard", Shows.NUMBER),
        ("Yes;No", Shows.NUMBER),
        ("dd/mm/yyyy", Shows.DATE),
        ("[$-407]d. mmmm yyyy;@", Shows.DATE),
        ("mmm-yy", Shows.DATE),
        ('yyyy"年"m"月"d"日"', Shows.DATE),
        ("yyyy-mm-dd hh:mm:ss.000", Shows.MOMENT),
        ("hh:mm AM/PM", Shows.TIME),
        ("mm:ss.0", Shows.TIME),
        ("[h]:mm:ss", Shows.DURATION),
        ("[Red][mm]:ss", Shows.DURATION),
    ],
)
def test_what_a_number_format_shows(code: str, expected: Shows) -> None:
    assert shows(code) is expected
    assert is_misread(code) == (code in ("Standard", "Yes;No"))


HEADER = ["id", "it"]
NOWHERE = 0xFFFFFFFF
PARAGRAPHS = '<text:p>a<text:s text:c="2"/>b</text:p><text:p>c<text:line-break/>d</text:p>'
NOTE = "<office:annotation><text:p>note</text:p></office:annotation>"


def cells_after(path: Path, rows: list[list[Any]]) -> list[tuple[CellKind, str | None]]:
    [batch] = open_workbook(write_sheets(path, {"S": [HEADER, *rows]}), PLAIN).batches
    text, kinds = batch.column(1)
    return list(zip(map(CellKind, kinds.to_pylist()), text.to_pylist(), strict=True))


@pytest.mark.parametrize("kind", [".xlsx", ".xlsb", ".xls", ".ods"])
def test_cells_keep_their_kind_in_every_kind_of_workbook(tmp_path: Path, kind: str) -> None:
    found = cells_after(tmp_path / f"kinds{kind}", [["a", "12.000"], ["b", 12.5], ["c", dt.date(2023, 3, 15)]])
    assert [of for of, _ in found] == [TEXT, NUMBER, DATE]
    assert [text for _, text in found][:2] == ["12.000", "12.5"]
    assert str(found[2][1]).startswith("2023-03-15")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('office:value-type="time" office:time-value="PT07H30M00S"/>', (TIME, "07:30:00")),
        ('office:value-type="time" office:time-value="PT36H00M00S"/>', (CellKind.DURATION, "36:00:00")),
        ('office:value-type="boolean" office:boolean-value="true"/>', (CellKind.BOOLEAN, "true")),
        ('office:value-type="percentage" office:value="0.5"/>', (NUMBER, "0.5")),
        (
            f'office:value-type="string">{PARAGRAPHS}{NOTE}</table:table-cell>',
            (TEXT, "a  b\nc\nd"),
        ),
        ('table:formula="of:=1/0" office:value-type="string"><text:p>#DIV/0!</text:p></table:table-cell>', "#DIV/0!"),
        ('table:formula="of:=1+1"/>', "the formula in cell B2 was never calculated"),
    ],
)
def test_cells_of_an_ods(tmp_path: Path, cell: str, expected: Any) -> None:
    path = write_sheets(tmp_path / "some.ods", {"S": [HEADER, ["a", "VALUE"]]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    old = b'office:value-type="string"><text:p>VALUE</text:p></table:table-cell>'
    assert old in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(old, cell.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    if isinstance(expected, str) and "never" in expected:
        with pytest.raises(RefusedError, match=expected):
            open_workbook(path, PLAIN)
        return
    [batch] = open_workbook(path, PLAIN).batches
    text, kinds = batch.column(1)
    found = CellKind.TEXT if kinds is None else CellKind(kinds[0].as_py()), text[0].as_py()
    assert found == (expected if isinstance(expected, tuple) else (CellKind.ERROR, expected))


@pytest.mark.parametrize(
    ("value", "shown", "expected"),
    [
        (0, "hh:mm", (TIME, "00:00:00")),
        (0.0, "h:mm AM/PM", (TIME, "00:00:00")),
        (0, 'hh:mm" Uhr, früh"', (TIME, "00:00:00")),
        (0, "dd.mm.yyyy hh:mm", (TIME, "00:00:00")),
        (0, "dd.mm.yyyy", (DATE, "0")),
        (60, "yyyy-mm-dd", (DATE, "60")),
        (60.25, "yyyy-mm-dd hh:mm", (DATE, "60")),
        (60, "0.00", (NUMBER, "60")),
        (59, "yyyy-mm-dd", (DATE, "1900-02-28 00:00:00")),
        (-1, "hh:mm", (DATE, "0")),
        (-0.25, "hh:mm", (DATE, "-1")),
        (0.3125, "hh:mm", (TIME, "07:30:00")),
        (0, "[h]:mm", (CellKind.DURATION, "0:00:00")),
        (0, "0.00", (NUMBER, "0")),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_times_of_an_xls_are_told_from_days(
    tmp_path: Path, value: float, shown: str, expected: tuple[CellKind, str], beside: bool
) -> None:
    import xlwt

    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("S")
    for at, name in enumerate([*HEADER, "more"]):
        sheet.write(0, at, name)
    sheet.write(1, 0, "a")
    sheet.write(1, 1, value, xlwt.easyxf(num_format_str=shown))
    if beside:  # in one record with the cell before
        sheet.write(1, 2, 0, xlwt.easyxf(num_format_str="hh:mm:ss"))
    workbook.save(str(tmp_path / "some.xls"))
    [batch] = open_workbook(tmp_path / "some.xls", PLAIN).batches
    text, kinds = batch.column(1)
    assert (CellKind(kinds[0].as_py()), text[0].as_py()) == expected
    if beside:
        assert batch.column(2)[0][0].as_py() == "00:00:00"


def test_a_number_format_of_an_xls_may_hold_anything(tmp_path: Path) -> None:
    import xlwt

    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("S")
    for at, name in enumerate(HEADER):
        sheet.write(0, at, name)
    sheet.write(1, 1, 0, xlwt.easyxf(num_format_str='hh:mm"\u4e2d"'))
    path = tmp_path / "some.xls"
    workbook.save(str(path))
    path.write_bytes(path.read_bytes().replace("\u4e2d".encode("utf-16-le"), b"\x00\xd8"))  # half a character
    [batch] = open_workbook(path, PLAIN).batches
    assert batch.column(1)[0].to_pylist() == ["00:00:00"]


def test_a_workbook_within_a_workbook_is_not_taken_for_it(tmp_path: Path) -> None:
    """calamine takes the first stream of the name, wherever it is: here the root has the older name, `Book`."""
    path = write_sheets(tmp_path / "some.xls", {"S": [HEADER, ["a", 1]]})
    content = path.read_bytes()
    at = content.index("Root Entry".encode("utf-16-le"))
    stream = content[at + 128 : at + 256]

    def entry(name: str, kind: int, right: int, child: int) -> bytes:
        letters = name.encode("utf-16-le")
        places = struct.pack("<III", NOWHERE, right, child)
        return letters.ljust(64, b"\0") + struct.pack("<HBB", len(letters) + 2, kind, 1) + places + stream[80:]

    storage = entry("Embedded", 1, NOWHERE, 3)[:116] + bytes(12)
    inner = [entry("Book", 2, 2, NOWHERE), storage, entry("Workbook", 2, NOWHERE, NOWHERE)]
    path.write_bytes(content[: at + 128] + b"".join(inner) + content[at + 512 :])
    with pytest.raises(
        RefusedError, match=r"some\.xls: a workbook is embedded in this one, and the two cannot be told"
    ):
        open_workbook(path, PLAIN)
    path.write_bytes(path.read_bytes().replace("Workbook".encode("utf-16-le"), "Document".encode("utf-16-le")))
    assert open_workbook(path, PLAIN).header == HEADER


def test_formulas_of_an_xls_that_nobody_has_calculated_are_told(tmp_path: Path) -> None:
    import xlwt

    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("S")
    for at, name in enumerate(HEADER):
        sheet.write(0, at, name)
    sheet.write(1, 0, "a")
    sheet.write(1, 1, xlwt.Formula("1+1"))
    workbook.save(str(tmp_path / "some.xls"))
    assert open_workbook(tmp_path / "some.xls", PLAIN).formulas == {1: "B2"}
    stored = WorkbookFormat(type="workbook", formulas="as_stored")
    assert open_workbook(tmp_path / "some.xls", stored).formulas == {}


def test_rows_of_a_sheet_are_let_go_of_while_its_batch_is_made() -> None:
    """Python's values take ten times the room of Arrow's: those of a batch at once were the peak of a load."""

    alive = most = 0

    class Watched(list[str]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def rows() -> Iterator[Watched]:
        nonlocal alive, most
        for number in range(10_000):
            alive += 1
            most = max(most, alive)
            yield Watched([str(number)])

    numbers = [batch.source_rows.to_pylist() for batch in batches(rows(), 1, 1)]
    assert numbers == [[1], list(range(2, 10_001))]
    assert most < 5_000


def test_a_workbook_that_was_left_cannot_be_read_on(tmp_path: Path) -> None:
    path = write_sheets(tmp_path / "some.xlsx", {"S": [HEADER, ["a", 1]]})
    left, read = (open_workbook(path, PLAIN) for _ in range(2))
    assert len([*read.batches]) == 1
    with pytest.raises(RuntimeError, match="another workbook was opened"):
        _ = [*left.batches]


def test_sound_cells_are_calamines(tmp_path: Path) -> None:
    """Else every workbook would be read slowly, which no other test would see."""
    sound = [
        '<c r="A1" s="1" t="s"><v>0</v></c>',
        '<c r="B1" s="4"><v>-45000.5</v></c>',
        '<c r="C1" t="b"><v>1</v></c>',
        '<c r="D1" t="str"><f>IF(A1,"","a = b")</f><v></v></c>',
        '<c r="E1"><f t="shared" si="0"/><v>1.5E-10</v></c>',
        '<c r="F1" t="b"><f>A1&lt;5</f><v>0</v></c>',
        '<c r="G1" t="inlineStr"><is><t xml:space="preserve"> a_x000D_ = b </t></is></c>',
    ]
    rows = f'<row r="1" spans="1:7">{"".join(sound)}</row>'
    path = xlsx(tmp_path / "sound.xlsx", rows, strings=['<si><t xml:space="preserve"> a</t></si>'])
    found = look_through(path)
    assert (found.odd, found.with_formulas) == (set(), {"xl/worksheets/sheet1.xml"})
    # but a style that calamine misreads is in use here
    assert is_for_plain_reader(book_of(path), found, "S", as_stored=True)


@pytest.mark.parametrize("plainly", [True, False])
def test_rows_and_cells_without_numbers_come_one_after_the_other(tmp_path: Path, plainly: bool) -> None:
    rows = '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row><row><c><v>2</v></c></row>'
    found = cells_of(read_sheet(xlsx(tmp_path / "bare.xlsx", rows), None, None, 1, plainly=plainly))
    assert found == {(1, 1): (TEXT, "a"), (1, 2): (NUMBER, "1"), (2, 1): (NUMBER, "2")}
