"""Formats: the same rows arrive from every kind of file, and a file that is none says what it is."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from loader.contracts import WorkbookFormat
from loader.readers.table import join_header
from loader.readers.workbook import open_workbook
from tests.conftest import Project
from tests.support.deliveries import PEOPLE, PEOPLE_HEADER, add_contract, people_rows, write_csv, write_people
from tests.support.workbooks import KINDS, write_sheets

ROWS = [["0001", "Anna", date(1988, 2, 29), "Dresden", 3, 12.5], ["0002", "Jürgen", None, "Leipzig", None, None]]
STAGED = [("0001", "Anna", date(1988, 2, 29), "Dresden", 3, 12.5), ("0002", "Jürgen", None, "Leipzig", None, None)]


def workbooks(**options: Any) -> str:
    """The contract of people for workbooks of any kind; `said` goes into its format."""
    more = "".join(f", {word}: {value}" for word, value in options.items())
    return PEOPLE.replace("type: csv", f"type: workbook{more}").replace(r"\.csv'", r"\.[a-z]+'")


def staged(project: Project, period: str) -> list[tuple[Any, ...]]:
    rows = project.sql(
        f"select {', '.join(PEOPLE_HEADER)} from stage.people where _data_period = '{period}' order by _source_row"
    )
    return [(*row[:5], None if row[5] is None else float(row[5])) for row in rows]


def refusal(project: Project) -> str:
    """The one line of a load that refuses its one new delivery."""
    result = project.loader("load")
    assert result.exit_code == 1, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("refused")]
    return line


def test_workbooks_of_every_kind_give_the_same_rows(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    add_contract(project, workbooks())
    for month, kind in enumerate(KINDS, start=1):
        path = project.landing / f"people_2025-{month:02}{kind}"
        write_sheets(path, {"Old": [["x"]], "People": [PEOPLE_HEADER, *ROWS]}, hidden=["Old"])
    result = project.loader("load")
    assert result.exit_code == 0, result.output
    for month, kind in enumerate(KINDS, start=1):
        assert staged(project, f"2025-{month:02}") == STAGED, kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("named", KINDS)
def test_a_workbook_under_another_ending_is_told_its_kind(tmp_path: Path, kind: str, named: str) -> None:
    from loader.errors import RefusedError

    path = tmp_path / f"people{named}"
    write_sheets(tmp_path / f"written{kind}", {"People": [PEOPLE_HEADER, *ROWS]}).replace(path)
    if kind == named or {kind, named} == {".xlsx", ".xlsm"}:  # they differ by their macros
        assert open_workbook(path, WorkbookFormat(type="workbook")).header == list(PEOPLE_HEADER)
        return
    known_as = ".xlsx" if kind == ".xlsm" else kind
    with pytest.raises(RefusedError, match=f"a workbook of the {known_as} kind, not {named} as its extension says"):
        open_workbook(path, WorkbookFormat(type="workbook"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (".xlsx", "1 of 2 rows are invalid (50.0%; none is allowed): visits: error cell (1)"),
        (".ods", "1 of 2 rows are invalid (50.0%; none is allowed): visits: error cell (1)"),
    ],
)
def test_an_error_of_a_formula_is_never_taken_for_nothing(
    new_project: Callable[..., Project], kind: str, reason: str
) -> None:
    project = new_project("duckdb")
    add_contract(project, workbooks().replace("{action: reject_rows, max_share: 0.5}", "{action: reject_file}"))
    path = project.landing / f"people_2025-01{kind}"
    write_sheets(path, {"People": [PEOPLE_HEADER, ROWS[0], ["0002", "Jürgen", None, "Leipzig", "#DIV/0!"]]})
    assert reason in refusal(project)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, "Now"),
        ({"sheet": 2}, "Then 1"),
        ({"sheet": "Secret"}, "Secret"),
        ({"sheet_pattern": "'^N'"}, "Now"),
        ({"sheet_pattern": "'(?i)NOW|secret'"}, "Now"),
        ({"sheet": 4}, "there is no sheet 4 that is not hidden; found are: Secret, Now, Then 1, Then 2"),
        ({"sheet": "now"}, "there is no sheet 'now'; found are: Secret, Now, Then 1, Then 2"),
        ({"sheet_pattern": "'^Then'"}, "2 sheets match (Then 1, Then 2) the pattern '^Then'; found are: Secret, Now,"),
        ({"sheet_pattern": "Secret"}, "no sheet matches the pattern 'Secret'; found are: Secret, Now,"),
    ],
)
def test_a_sheet_by_name_position_or_pattern(
    new_project: Callable[..., Project], options: dict[str, Any], found: str
) -> None:
    project = new_project("duckdb")
    add_contract(project, workbooks(**options))
    sheets = {name: [PEOPLE_HEADER, ["0001", name]] for name in ("Secret", "Now", "Then 1", "Then 2")}
    write_sheets(project.landing / "people_2025-01.xlsx", sheets, hidden=["Secret"])
    if found in sheets:
        assert project.loader("load").exit_code == 0
        assert [row[1] for row in staged(project, "2025-01")] == [found]
    else:
        assert found in refusal(project)


TITLES = {
    "name": "Person Name",
    "born": "Person Born on",
    "city": "Home Place City",
    "visits": "In the month Visits",
    "paid": "In the month paid Euro",
}


@pytest.mark.parametrize("extension", [".xlsx", ".csv"])
def test_a_header_over_several_rows(new_project: Callable[..., Project], extension: str) -> None:
    """Merged cells hold their text in their first cell, in workbooks and in what spreadsheets save as CSV."""
    project = new_project("duckdb")
    contract = workbooks(header_row=2, header_rows=3)
    if extension == ".csv":
        contract = PEOPLE.replace("type: csv", "type: csv, header_row: 2, header_rows: 3")
    for column, title in TITLES.items():
        contract = contract.replace(f"      {column}: {{", f"      {column}: {{header: {title}, ")
    add_contract(project, contract)
    header = [
        ["people of the month"],
        ["Person_id", "Person", None, "Home", "In the\nmonth", None],
        [None, "Name", "Born", "Place", "Visits", "paid"],
        [None, None, "on", "City", None, "Euro"],
    ]
    path = project.landing / f"people_2025-01{extension}"
    if extension == ".xlsx":
        write_sheets(path, {"People": [*header, *ROWS]})
    else:
        rows = [[f"{cell:%d.%m.%Y}" if isinstance(cell, date) else cell for cell in row] for row in ROWS]
        write_csv(path, rows, header=header[-1], above=header[:-1])
    result = project.loader("load")
    assert result.exit_code == 0, result.output
    assert staged(project, "2025-01") == STAGED
    assert project.sql("select min(_source_row), max(_source_row) from stage.people") == [(5, 6)]


@given(st.lists(st.lists(st.sampled_from(["", "a", "b"]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_every_column_with_a_filled_cell_has_its_lowest_one_at_the_end(rows: list[list[str]]) -> None:
    for at, name in enumerate(join_header(rows)):
        filled = [row[at] for row in rows if row[at]]
        assert name.split()[-1:] == filled[-1:]
        assert [part for part in name.split() if part in filled][-len(filled) :] if filled else name == ""


GZIPPED = PEOPLE.replace(r"\.csv'", r"\.csv(?:\.gz)?'")


def test_text_files_may_be_gzipped(new_project: Callable[..., Project]) -> None:
    """Also in several members, as `cat a.gz b.gz` and some senders write them."""
    project = new_project("duckdb")
    add_contract(project, GZIPPED)
    plain = write_people(project.landing / "people_2025-01.csv", people_rows(50)).read_bytes()
    (project.landing / "people_2025-02.csv.gz").write_bytes(gzip.compress(plain))
    (project.landing / "people_2025-03.csv.gz").write_bytes(gzip.compress(plain[:500]) + gzip.compress(plain[500:]))
    result = project.loader("load")
    assert result.exit_code == 0, result.output
    assert staged(project, "2025-01") == staged(project, "2025-02") == staged(project, "2025-03")
    assert len(staged(project, "2025-03")) == 50


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("people_2025-01.csv.gz", lambda packed: packed[:200], "the gzip file is damaged or cut off"),
        ("people_2025-01.csv.gz", lambda packed: packed[:11], "the gzip file is damaged or cut off"),
        ("people_2025-01.csv.gz", lambda packed: packed[:300] + b"x" + packed[301:], "the gzip file is damaged"),
        ("people_2025-01.csv.gz", gzip.decompress, "this is not a gzip file, whatever its extension says"),
        ("people_2025-01.csv", lambda packed: packed, "this is a gzip file; name it with .gz"),
    ],
)
def test_gzipped_text_that_is_none(
    new_project: Callable[..., Project], name: str, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    project = new_project("duckdb")
    add_contract(project, GZIPPED)
    rows = [{**row, "name": f"{number * 7919 % 10007}"} for number, row in enumerate(people_rows(200))]
    plain = write_people(project.root / "plain.csv", rows).read_bytes()
    (project.landing / name).write_bytes(spoil(gzip.compress(plain)))
    assert reason in refusal(project)


def test_a_proposal_reads_every_kind(new_project: Callable[..., Project], tmp_path: Path) -> None:
    project = new_project("duckdb")
    paths = [write_sheets(tmp_path / f"people_2025-01{kind}", {"People": [PEOPLE_HEADER, *ROWS]}) for kind in KINDS]
    plain = write_people(tmp_path / "people_2025-01.csv", people_rows(3))
    with gzip.open(tmp_path / "people_2025-01.csv.gz", "wb") as packed:
        shutil.copyfileobj(plain.open("rb"), packed)
    for path in [*paths, tmp_path / "people_2025-01.csv.gz"]:
        result = project.loader("propose", path)
        assert result.exit_code == 0, result.output
        assert "key: person_id" in result.stdout
        assert "born:\n        type: date" in result.stdout


def test_numbers_of_a_workbook_keep_all_their_digits(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for cells in (["number", "mixed"], [1 / 3, "1.123456789"], [1e15 / 3, 0.1], ["abc", 1 / 7], [1.5, None]):
        sheet.append(cells)
    workbook.save(tmp_path / "digits.xlsx")

    table = open_workbook(tmp_path / "digits.xlsx", WorkbookFormat(type="workbook"))
    [batch] = table.batches
    numbers, mixed = (column.to_pylist() for column in batch.cells)

    assert [numbers[0], numbers[1], mixed[2]] == ["0.3333333333333333", "333333333333333.3", "0.1428571428571428"]
    assert [numbers[2], numbers[3]] == ["abc", "1.5"]
    assert [mixed[0], mixed[1], mixed[3]] == ["1.123456789", "0.1", None]
