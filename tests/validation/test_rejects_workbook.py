"""The rejects as a workbook to send back: the rows as they came, coloured, with the reason in words of the sender."""

from __future__ import annotations

import datetime as dt
import inspect
import re
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from loader.cleaning import RULES
from loader.validation import rejects as rejected
from loader.validation import rejects_wording as reasons
from loader.validation.rejects_workbook import BAD_CELL, BAD_ROW, ROWS, SUMMARY
from loader.validation.rules import Kind, Rule
from tests.conftest import Project
from tests.support.deliveries import (
    PEOPLE,
    PEOPLE_HEADER,
    change_contract,
    citizen_rows,
    contract_of,
    files_below,
    people_rows,
    project_with_people,
    rejects,
    write_citizens,
    write_csv,
    write_people,
)

PLAIN = "00000000"


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    """A project on DuckDB that knows people: no engine has a part in rejects."""
    return project_with_people(new_project)


def load(project: Project, exit_code: int = 0) -> str:
    done = project.loader("load")
    assert done.exit_code == exit_code, done.output
    return done.output


def workbook(project: Project) -> openpyxl.Workbook:
    (path,) = (project.root / "data/stage/rejects").glob("*.xlsx")
    return openpyxl.load_workbook(path)


def values(sheet: Worksheet) -> list[tuple[Any, ...]]:
    return [*sheet.iter_rows(values_only=True)]


def marks(sheet: Worksheet) -> dict[tuple[int, str], tuple[str, str]]:
    """(colour, note) of every cell with a note, by row in the sender's file and header."""
    header = [cell.value for cell in sheet[1]]
    return {
        (row[0].value, header[at]): (cell.fill.fgColor.rgb, cell.comment.text)
        for row in sheet.iter_rows(min_row=2)
        for at, cell in enumerate(row)
        if cell.comment
    }


def test_rejected_rows_come_back_as_they_were_delivered(local: Project) -> None:
    rows = people_rows(6)
    rows[1].update(city=" Atlantis ", visits="007")
    rows[4].update(name="", born="31.02.1988", visits="100")
    write_people(local.landing / "people_2025-01.csv", rows)
    output = load(local)
    (csv_name, xlsx_name) = files_below(local.root / "data/stage/rejects")
    assert xlsx_name == csv_name.replace(".csv", ".xlsx")
    assert f"; marked in data/stage/rejects/{xlsx_name}; 2 keys only in rejected rows and so unknown)" in output
    book = workbook(local)
    assert book.sheetnames == [SUMMARY, ROWS]
    sheet = book[ROWS]
    assert values(sheet) == [
        ("Row", *PEOPLE_HEADER),
        (3, "0002", "Anna", "29.02.1988", " Atlantis ", "007", "12.50"),
        (6, "0005", None, "31.02.1988", "Dresden", "100", "12.50"),
    ]
    assert {cell.data_type for row in sheet.iter_rows(min_col=2) for cell in row if cell.value} == {"s"}
    assert marks(sheet) == {
        (3, "city"): (BAD_CELL, "must be one of Dresden, Leipzig, Chemnitz"),
        (6, "name"): (BAD_CELL, "must not be empty"),
        (6, "born"): (BAD_CELL, "must be a date that exists, written like 31.12.2024"),
        (6, "visits"): (BAD_CELL, "must not be more than 99"),
    }
    unmarked = [cell for row in sheet.iter_rows(min_row=2) for cell in row if not cell.comment]
    assert {cell.fill.fgColor.rgb for cell in unmarked} == {PLAIN}
    assert sheet.freeze_panes == "B2"
    assert 8 < sheet.column_dimensions["D"].width < sheet.column_dimensions["D"].width + 1 <= 14
    assert local.sql("select rejects_path from meta.validation_log") == [(csv_name,)]


def test_the_summary_counts_by_column_and_rule(local: Project) -> None:
    rows = people_rows(8)
    for row in rows[:3]:
        row["city"] = "Atlantis"
    rows[0]["visits"] = "many"
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local)
    summary = values(workbook(local)[SUMMARY])
    assert summary[:6] == [
        ("Rows that could not be taken", None, None),
        ("File", "people_2025-01.csv", None),
        ("Contents", "People", None),
        ("Period", "2025-01", None),
        ("Rows in the file", "8", None),
        ("Rejected rows", "3", None),
    ]
    assert summary[-3:] == [
        ("Column", "What is wrong", "How often"),
        ("city", "must be one of Dresden, Leipzig, Chemnitz", 3),
        ("visits", "must be a whole number", 1),
    ]


def test_the_senders_own_words_for_his_columns(local: Project) -> None:
    """A workbook with other headers, in another order, and cells of the workbook's own types."""
    rows = citizen_rows(99)
    rows[4].update(gender="?", birth_date=dt.date(2031, 5, 1), phone="call me", email="anna at home")
    write_citizens(local.landing / "citizens_2025-01.xlsx", rows)
    load(local)
    sheet = workbook(local)[ROWS]
    assert values(sheet)[1][:6] == (6, "000000005", "Annaf", "Schönherr", "2031-05-01 00:00:00", "?")
    assert marks(sheet) == {
        (6, "Gender"): (BAD_CELL, "must be one of F, M, X"),
        (6, "Birth date"): (BAD_CELL, "must not be after 31.01.2025, the end of the period 2025-01"),
        (6, "E-mail"): (BAD_CELL, "must be one e-mail address, such as name@example.org"),
        (6, "Phone"): (BAD_CELL, "must be a phone number that can be dialled, from DE or with its country code"),
    }


def test_a_cell_may_break_more_than_one_rule(local: Project) -> None:
    rows = people_rows(4)
    rows[0]["person_id"] = "12345"
    rows[1]["person_id"] = "#N/A"
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local)
    pattern = "does not have the agreed form: Number of the person (pattern ^[0-9]{4}$)"
    sheet = workbook(local)[ROWS]
    assert marks(sheet) == {
        (2, "person_id"): (BAD_CELL, f"must not be longer than 4 characters\n{pattern}"),
        (3, "person_id"): (BAD_CELL, "is an error of the spreadsheet program, not a value"),
    }
    # the CSV file has the first of them
    assert sorted(rejects(local)) == [("2", "person_id", "12345", "length 4"), ("3", "person_id", "#N/A", "error cell")]


def test_rules_of_whole_rows_mark_the_row(local: Project) -> None:
    rows = [[*row.values()] for row in people_rows(5)]
    rows[1][4:] = ["0", "5"]
    rows[2] = rows[2][:2]
    rows[3] = [*rows[3], "", "=1+1"]
    write_csv(local.landing / "people_2025-01.csv", rows, header=PEOPLE_HEADER)
    load(local, exit_code=1)
    sheet = workbook(local)[ROWS]
    length = "the header has 6; usually a separator is missing, or stands inside a text that is not in quotes"
    assert marks(sheet) == {
        (3, "Row"): (BAD_ROW, "the cells of this row contradict each other: Only visitors pay."),
        (4, "Row"): (BAD_ROW, f"this row has 2 cells, {length}"),
        (5, "Row"): (BAD_ROW, f"this row has 8 cells, {length}"),
    }
    assert {cell.fill.fgColor.rgb for row in sheet.iter_rows(min_row=2, max_col=3) for cell in row} == {BAD_ROW}
    assert values(sheet)[2][:4] == (4, "0003", "Anna", None)
    assert [*values(sheet)[3]][-3:] == ["12.50", None, "=1+1"]
    summary = values(workbook(local)[SUMMARY])
    assert ("(the whole row)", f"the row has more or fewer cells, {length}", 2) in summary


def test_rows_that_share_a_key_know_of_each_other(local: Project) -> None:
    rows = people_rows(6)
    rows[3]["person_id"] = " 0002"
    rows[4].update(city="Atlantis", person_id="0009")
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local)
    twice = "this value is used twice in the file (in rows 3, 5); it may be there once"
    sheet = workbook(local)[ROWS]
    assert marks(sheet) == {
        (3, "person_id"): (BAD_CELL, twice),
        (5, "person_id"): (BAD_CELL, twice),
        (6, "city"): (BAD_CELL, "must be one of Dresden, Leipzig, Chemnitz"),
    }
    assert [row[:3] for row in values(sheet)[1:]] == [(3, "0002", "Anna"), (5, " 0002", "Anna"), (6, "0009", "Anna")]


def test_a_key_of_several_columns_marks_each(local: Project) -> None:
    change_contract(local, "key: person_id", "key: [person_id, name]")
    write_people(local.landing / "people_2025-01.csv", [*people_rows(3), *people_rows(1, name="Berta") * 3])
    load(local)
    reason = "this combination of person_id and name is used more than once in the file (in rows 5, 6, 7); it may be"
    found = marks(workbook(local)[ROWS])
    assert [*found] == [(row, name) for row in (5, 6, 7) for name in ("person_id", "name")]
    assert all(note.startswith(reason) for _, note in found.values())


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "=1",
    "#REF!",
    "1e5",
    "0044",
    " spaces ",
    "two\nlines",
    "a\tb",
    "<b>&amp;",
]


def test_values_stay_text_whatever_they_are(local: Project) -> None:
    """A header too."""
    change_contract(local, "description: Name of the person., required: true", "header: '=1+1', description: Name.")
    rows = people_rows(len(HOSTILE), city="Atlantis")
    for row, value in zip(rows, HOSTILE, strict=True):
        row["name"] = value
    header = [("=1+1" if name == "name" else name) for name in PEOPLE_HEADER]
    write_people(local.landing / "people_2025-01.csv", rows, header=header)
    load(local, exit_code=1)
    sheet = workbook(local)[ROWS]
    cells = [*sheet["C"]]
    assert [cell.value for cell in cells] == ["=1+1", *HOSTILE]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}


def test_characters_that_xml_cannot_hold(local: Project) -> None:
    rows = people_rows(3)
    rows[0].update(name="a\0b\x1b", city="\ufffe\x0b")
    rows[1].update(name="x" * 40_000)
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local, exit_code=1)
    found = values(workbook(local)[ROWS])
    assert found[1][2:5] == ("a␀b␛", "29.02.1988", "\ufffd␋")
    assert found[2][2] == "x" * 32_767  # all that a cell can hold


def test_a_refused_delivery_says_where_its_rows_are_marked(local: Project) -> None:
    write_people(local.landing / "people_2025-01.csv", people_rows(3, visits="many"))
    output = load(local, exit_code=1)
    csv_name, xlsx_name = files_below(local.root / "data/stage/rejects")
    assert f"Every bad cell is listed in data/stage/rejects/{csv_name}, and marked in {xlsx_name} beside it" in output


def test_no_more_rows_than_a_person_can_use(local: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rows of the file, whatever rule rejected them; how many more there are is told."""
    monkeypatch.setattr("loader.validation.rejects.MOST_ROWS", 4)
    rows = people_rows(12)
    for at in (2, 5, 8, 9, 11):
        rows[at]["city"] = "Atlantis"
    rows[3]["person_id"] = rows[6]["person_id"] = "0001"
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local, exit_code=1)
    book = workbook(local)
    assert [row[0] for row in values(book[ROWS])[1:]] == [2, 4, 5, 7]
    csv_name, _ = files_below(local.root / "data/stage/rejects")
    lines = [line for _, line, _ in values(book[SUMMARY])]
    assert f"It shows the first 4; 4 more are listed in {csv_name}." in lines
    assert ("city", "must be one of Dresden, Leipzig, Chemnitz", 5) in values(book[SUMMARY])
    assert len(rejects(local)) == 8


def test_no_more_cells_than_a_person_can_use(local: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with many cells are fewer; the summary counts as well, and says what is only in the CSV file."""
    monkeypatch.setattr("loader.validation.rejects_workbook.MOST_CELLS", 200)
    rows = [[*row.values()] for row in people_rows(40, visits="many")]
    rows[4] += ["more"] * 20
    write_csv(local.landing / "people_2025-01.csv", rows, header=PEOPLE_HEADER)
    load(local, exit_code=1)
    book = workbook(local)
    shown = [row[0] for row in values(book[ROWS])[1:]]
    assert shown == [*range(2, 2 + len(shown))]
    # 66 are set aside for the summary; of the rest, the header and each row take 7, the row with 20 more takes 27
    cells = sum(1 for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None)
    assert len(shown) == 15
    assert cells <= 200
    csv_name, _ = files_below(local.root / "data/stage/rejects")
    assert f"It shows the first 15; 25 more are listed in {csv_name}." in [line for _, line, _ in values(book[SUMMARY])]
    assert len({row for row, *_ in rejects(local)}) == 40


def test_cells_that_look_the_same_share_their_style(local: Project) -> None:
    """Plain and marked cells, their numbers, the header, what is bold: the file knows no other looks."""
    write_people(local.landing / "people_2025-01.csv", people_rows(50, visits="many"))
    load(local, exit_code=1)
    looks = {cell.style_id for sheet in workbook(local) for row in sheet.iter_rows() for cell in row}
    assert len(looks) <= 6
    with zipfile.ZipFile(next((local.root / "data/stage/rejects").glob("*.xlsx"))) as file:
        assert len(re.findall("<xf ", file.read("xl/styles.xml").decode())) <= 12


def test_the_first_rows_of_many_batches(local: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loader.validation.rejects.MOST_ROWS", 30)
    monkeypatch.setattr("loader.readers.csv_file._BLOCK_BYTES", 400)
    rows = people_rows(100, visits="many")
    rows[50]["person_id"] = "0002"
    write_people(local.landing / "people_2025-01.csv", rows)
    load(local, exit_code=1)
    assert [row[0] for row in values(workbook(local)[ROWS])[1:]] == [*range(2, 32)]


def test_a_delivery_without_rejects_leaves_none(local: Project) -> None:
    path = write_people(local.landing / "people_2025-01.csv", people_rows(3))
    load(local)
    assert not (local.root / "data/stage/rejects").exists() or not files_below(local.root / "data/stage/rejects")
    assert path.exists()


# --- words ------------------------------------------------------------------------------------------------------


def words_of(column: str, rule: Rule, fmt: str = "{type: csv}") -> str:
    """What is said of a rule of one column of people, called `value`."""
    text = PEOPLE.replace("format: {type: csv, dates: ['%d.%m.%Y'], null_values: ['-']}", f"format: {fmt}")
    contract = contract_of(text.replace("paid: {type: 'decimal(8,2)', ", f"value: {{{column}, ").replace(
        "or paid = 0", ""))  # fmt: skip
    period = contract.period("2025-06")
    return reasons.of_cell(rule, contract.column("value"), contract, period)


@pytest.mark.parametrize(
    ("column", "fmt", "rule", "words"),
    [
        ("type: 'decimal(8,2)'", "{type: csv, decimal: ','}", Rule(Kind.TYPE),
         "must be a number with at most 6 digits before and 2 after the ',', such as 1111,55"),
        ("type: 'decimal(3,0)'", "{type: csv}", Rule(Kind.TYPE), "must be a whole number of at most 3 digits"),
        ("type: bigint", "{type: csv}", Rule(Kind.TYPE), "must be a whole number"),
        ("type: double", "{type: csv, decimal: ','}", Rule(Kind.TYPE), "must be a number, such as 1,5"),
        ("type: boolean", "{type: csv}", Rule(Kind.TYPE), "must be yes or no (true or false, 1 or 0)"),
        ("type: date", "{type: csv, dates: ['%d/%m/%Y', '%Y%m%d']}", Rule(Kind.TYPE),
         "must be a date that exists, written like 31/12/2024 or 20241231"),
        ("type: date, min: 1900-02-01", "{type: csv, dates: ['%d/%m/%Y']}", Rule(Kind.MIN),
         "must not be before 01/02/1900"),
        ("type: date, max: 2030-02-01", "{type: csv}", Rule(Kind.MAX), "must not be after 2030-02-01"),
        ("type: timestamp, max: period_end", "{type: csv}", Rule(Kind.MAX),
         "must not be after 2025-06-30, the end of the period 2025-06"),
        ("type: integer, min: -3", "{type: csv}", Rule(Kind.MIN), "must not be less than -3"),
        ("type: double", "{type: csv}", Rule(Kind.FINITE), "is too large for a number"),
        ("type: varchar(9)", "{type: csv}", Rule(Kind.NUL), "holds an invisible character (NUL), which must go"),
        ("type: varchar(9), clean: [{postal_code: {country: AT}}]", "{type: csv}", Rule(Kind.CLEAN, "postal_code"),
         "must be a postal code as it is written in AT"),
    ],
)  # fmt: skip
def test_words(column: str, fmt: str, rule: Rule, words: str) -> None:
    assert words_of(f"{column}, description: Value.", rule, fmt) == words


def test_a_long_list_of_allowed_values_is_cut() -> None:
    allowed = ", ".join(f"'{number}'" for number in range(100))
    reason = words_of(f"type: varchar(9), description: Value., allowed: [{allowed}]", Rule(Kind.ALLOWED))
    assert reason.startswith("must be one of 0, 1, 2")
    assert reason.endswith("29 and 70 more")


def test_every_rule_that_may_reject_has_words() -> None:
    rejecting = {name for name, rule in RULES.items() if "tuple" in inspect.signature(rule).return_annotation}
    assert rejecting == set(reasons._CLEANING)
    assert rejected.MOST_ROWS == 10_000
