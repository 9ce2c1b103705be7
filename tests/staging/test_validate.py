"""From cells to typed rows, parquet and rejects: as people's files are, with nothing guessed and nothing lost."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.contracts import Contract
from loader.errors import RefusedError
from loader.readers import csv_file
from loader.validation import Outcome, clean_delivery
from tests.conftest import Project
from tests.support.deliveries import (
    CITIZEN_HEADERS,
    PEOPLE,
    PEOPLE_HEADER,
    add_contract,
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
    write_workbook,
)
from tests.support.effort import effort

PEOPLE_BY_CSV = contract_of(PEOPLE)
PEOPLE_BY_XLSX = contract_of(PEOPLE.replace("type: csv", "type: workbook").replace("csv", "xlsx"))


@dataclass(frozen=True)
class Cleaned:
    """What became of a file, read without a warehouse."""

    rows: list[dict[str, Any]]
    rejects: list[tuple[str, ...]]
    outcome: Outcome

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def clean(path: Path, contract: Contract = PEOPLE_BY_CSV, period: str = "2025-01") -> Cleaned:
    """Read a file as `load` and `plan` do."""
    parquet, listed, outcome = path.with_suffix(".parquet"), path.with_suffix(".rejects.csv"), Outcome()
    clean_delivery(path, contract, contract.period(period), parquet, listed, outcome)
    bad: list[tuple[str, ...]] = []
    if listed.exists():
        with listed.open(encoding="utf-8-sig", newline="") as file:
            bad = [tuple(row) for row in csv.reader(file)][1:]
    return Cleaned(pq.read_table(parquet).to_pylist(), bad, outcome)


def with_format(contract: Contract, **words: Any) -> Contract:
    return contract.model_copy(update={"format": contract.format.model_copy(update=words)})


@pytest.fixture
def migrated(project: Project) -> Project:
    """A project on each engine whose warehouse is ready and knows people too."""
    add_contract(project)
    return project


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    """The same on DuckDB only, for what no engine has a part in."""
    return project_with_people(new_project)


# --- cells ------------------------------------------------------------------------------------------------------


def test_a_workbook_as_people_write_it(migrated: Project) -> None:
    rows = citizen_rows(4)
    rows[0].update(citizen_id=4711, birth_date=dt.datetime(1988, 2, 29), postal_code=1067, house_number=12)
    rows[1].update(citizen_id=" 000000002\u00a0", birth_date="29.02.1988", gender="f", city="\u00a0Dresden ")
    rows[2].update(citizen_id="3", birth_date=32202, email="", phone=" ", moved_in_on=None)
    rows[3].update(first_name="Zoe\u0308", birth_date="1988-02-29", email=" Anna.S@EXAMPLE.org ", phone="030 23125042")
    header = [cell.replace(" ", "\n") for cell in CITIZEN_HEADERS.values()]
    write_citizens(migrated.landing / "citizens_2025-01.xlsx", rows, header=header, below=[["Total", 4]])
    result = migrated.loader("load", "--period", "2025-01")
    assert result.exit_code == 0, result.output
    found = migrated.sql(
        "select citizen_id, first_name, birth_date, gender, email, phone, house_number, postal_code, city, "
        "moved_in_on, _data_period, _source_row from stage.citizens order by _source_row"
    )
    born, moved = dt.date(1988, 2, 29), dt.date(2014, 9, 1)
    phone = "+493023125042"
    assert found == [
        ("000004711", "Annab", born, "M", "anna1@example.org", phone, "12", "01067", "Dresden", moved, "2025-01", 2),
        ("000000002", "Annac", born, "F", "anna2@example.org", phone, "3a", "01069", "Dresden", moved, "2025-01", 3),
        ("000000003", "Annad", born, "F", None, None, "4a", "01069", "Dresden", None, "2025-01", 4),
        ("000000004", "Zoë", born, "M", "Anna.S@example.org", phone, "5a", "01069", "Dresden", moved, "2025-01", 5),
    ]


def test_a_text_file_as_people_write_it(migrated: Project) -> None:
    rows = people_rows(4)
    rows[0].update(name="  Änne\u00a0", born="-", city="", visits="3.0", paid="12.5")
    rows[1].update(name="Zoe\u0308", born="1988-02-29", visits="", paid="0")
    rows[2].update(name="Anna, die\nÄltere", visits="007", paid="1e2")
    write_people(migrated.landing / "people_2025-01.csv", rows, encoding="utf-8-sig")
    result = migrated.loader("load", "--period", "2025-01")
    assert result.exit_code == 0, result.output
    columns = "person_id, name, born, city, visits, paid, _source_row"
    born = dt.date(1988, 2, 29)
    assert migrated.sql(f"select {columns} from stage.people order by person_id") == [
        ("0001", "Änne", None, None, 3, Decimal("12.50"), 2),
        ("0002", "Zoë", born, "Dresden", None, Decimal("0.00"), 3),
        ("0003", "Anna, die\nÄltere", born, "Dresden", 7, Decimal("100.00"), 4),
        ("0004", "Anna", born, "Dresden", 3, Decimal("12.50"), 5),
    ]


def test_error_cells_are_named_and_never_values(tmp_path: Path) -> None:
    errors = ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"]
    rows = [[*row.values()] for row in people_rows(len(errors) + 1)]
    for row, error in zip(rows, errors, strict=False):
        row[1] = error
    found = clean(write_workbook(tmp_path / "people.xlsx", rows, header=PEOPLE_HEADER), PEOPLE_BY_XLSX)
    assert found.rejects == [(str(at), "name", error, "error cell") for at, error in enumerate(errors, start=2)]
    assert found.column("person_id") == ["0008"]


def test_rows_keep_their_number_below_a_letterhead(tmp_path: Path) -> None:
    """Blank rows and columns before the table move nothing."""
    rows = [[None, *row.values()] for row in people_rows(2)]
    rows[1][3] = "#N/A"
    for above in ([[], []], [["Register office"], []], [[], [None, "as of today"]]):
        path = write_workbook(tmp_path / "people.xlsx", rows, header=[None, *PEOPLE_HEADER], above=above)
        found = clean(path, with_format(PEOPLE_BY_XLSX, header_row=3))
        assert found.column("_source_row") == [4]
        assert found.rejects == [("5", "born", "#N/A", "error cell")]
        text = write_csv(tmp_path / "people.csv", rows, header=["", *PEOPLE_HEADER], above=above)
        assert clean(text, with_format(PEOPLE_BY_CSV, header_row=3)).rejects == found.rejects


def test_line_breaks_in_cells_are_no_rows(tmp_path: Path) -> None:
    rows = [[*row.values()] for row in people_rows(3)]
    rows[0][1] = "Anna\nMaria"
    rows[2][4] = "many"
    header = ["person_id", "na\nme", *PEOPLE_HEADER[2:]]
    contract = contract_of(PEOPLE.replace("name: {type", "name: {header: na me, type"))
    found = clean(write_csv(tmp_path / "people.csv", rows, header=header), contract)
    assert [(row["_source_row"], row["name"]) for row in found.rows] == [(2, "Anna\nMaria"), (3, "Anna")]
    assert found.rejects == [("4", "visits", "many", "type integer")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("below", "words", "kept"),
    [
        ([], {}, 3),
        ([["Total", "3"]], {"totals": "^Total"}, 3),
        ([["", " ", "Total", "3"]], {"totals": "^Total"}, 3),
        ([["Total"], ["printed on Monday"]], {"totals": "^Total"}, 3),
        ([["Total", "3"]], {"skip_end": 1}, 3),
        ([["Total"], [], ["page 1"], ["", "\u00a0"]], {"skip_end": 2}, 3),
        ([], {"skip_end": 1}, 2),
        ([], {"skip_end": 3}, 0),
        ([], {"skip_end": 9}, 0),
    ],
)
def test_the_end_of_a_table(
    tmp_path: Path, kind: str, below: list[list[str]], words: dict[str, Any], kept: int
) -> None:
    rows = [[*row.values()] for row in people_rows(3)]
    with_gaps = [rows[0], [], [" ", "\u00a0"], rows[1], rows[2]]
    write, contract = {"csv": (write_csv, PEOPLE_BY_CSV), "xlsx": (write_workbook, PEOPLE_BY_XLSX)}[kind]
    path = write(tmp_path / f"people.{kind}", with_gaps, header=PEOPLE_HEADER, below=below)
    found = clean(path, with_format(contract, **words))
    assert found.column("_source_row") == [2, 5, 6][:kept]
    assert found.rejects == ([("7", "", "", "totals row, ends the data")] if "totals" in words else [])
    assert found.outcome.rows_read == kept


def test_rows_of_the_wrong_length_are_rejected(tmp_path: Path) -> None:
    rows = [[*row.values()] for row in people_rows(5)]
    rows[1] = rows[1][:4]
    rows[3] = [*rows[3], "", "note"]
    found = clean(write_csv(tmp_path / "people.csv", [*rows, ["0009"]], header=PEOPLE_HEADER))
    assert found.column("_source_row") == [2, 4, 6]
    expected = [("3", "4 cells"), ("5", "8 cells"), ("7", "1 cells")]
    assert found.rejects == [(at, "", cells, "6 cells expected") for at, cells in expected]
    assert (found.outcome.rows_read, found.outcome.rows_rejected) == (6, 3)
    assert found.outcome.summary == {"row: 6 cells expected": 3}


def test_a_file_of_wrong_rows_only_is_not_empty(tmp_path: Path) -> None:
    found = clean(write_csv(tmp_path / "people.csv", [["0001;Anna"], ["0002;Anna"]], header=PEOPLE_HEADER))
    assert (found.outcome.rows_read, found.outcome.rows_rejected) == (2, 2)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n\n"])
def test_a_header_alone_is_an_empty_delivery(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(",".join(PEOPLE_HEADER) + ending, encoding="utf-8", newline="")
    found = clean(path)
    assert (found.rows, found.outcome.rows_read) == ([], 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [[*row.values()] for row in people_rows(2, name="Çelik, Änne")]
    path = write_csv(tmp_path / "p.csv", rows, header=PEOPLE_HEADER, delimiter=delimiter, encoding=encoding)
    found = clean(path, with_format(PEOPLE_BY_CSV, delimiter=delimiter, encoding=encoding))
    assert found.column("name") == ["Çelik, Änne"] * 2
    assert found.rejects == []


def test_a_letter_of_another_encoding_far_below_is_refused(tmp_path: Path) -> None:
    path = write_people(tmp_path / "people.csv", people_rows(3000))
    path.write_bytes(path.read_bytes() + "9999,Änne,,,,\n".encode("cp1252"))
    with pytest.raises(RefusedError, match=r"people\.csv, line 3002: the text is not utf-8, but likely cp1252"):
        clean(path)


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [("Data", "there is no sheet 'Data'; found are: Sheet1"), (2, "there is no sheet 2 that is not hidden; found are")],
)
def test_a_missing_sheet_is_told_the_others(tmp_path: Path, sheet: str | int, reason: str) -> None:
    path = write_workbook(tmp_path / "people.xlsx", [], header=PEOPLE_HEADER)
    with pytest.raises(RefusedError, match=reason):
        clean(path, with_format(PEOPLE_BY_XLSX, sheet=sheet))


# --- rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("person_id", "", "required"),
        ("person_id", "\u00a0", "required"),
        ("person_id", "-", "required"),
        ("person_id", "12", "pattern"),
        ("person_id", "12345", "length 4"),
        ("name", "x" * 21, "length 20"),
        ("name", "", "required"),
        ("name", "a\0b", "NUL character"),
        ("born", "31.02.1988", "type date"),
        ("born", "soon", "type date"),
        ("born", "31.12.1899", "min 1900-01-01"),
        ("born", "01.02.2025", "max period_end"),
        ("city", "Atlantis", "allowed values"),
        ("city", "dresden", "allowed values"),
        ("city", "#N/A", "error cell"),
        ("visits", "-1", "min 0"),
        ("visits", "100", "max 99"),
        ("visits", "1.5", "type integer"),
        ("visits", "99999999999", "type integer"),
        ("paid", "1,50", "type decimal(8,2)"),
        ("paid", "1234567.00", "type decimal(8,2)"),
    ],
)
def test_a_bad_cell_rejects_its_row_by_the_first_rule_that_it_breaks(
    tmp_path: Path, column: str, cell: str, rule: str
) -> None:
    rows = people_rows(3)
    rows[1][column] = cell
    found = clean(write_people(tmp_path / "people.csv", rows))
    assert found.rejects == [("3", column, cell, rule)]
    assert found.column("_source_row") == [2, 4]
    assert found.outcome.summary == {f"{column}: {rule}": 1}
    assert (found.outcome.rows_read, found.outcome.rows_valid) == (3, 2)


def test_the_last_moment_of_a_period_belongs_to_it(tmp_path: Path) -> None:
    rows = people_rows(2, born="31.01.2025")
    assert clean(write_people(tmp_path / "people.csv", rows)).rejects == []
    rows[0]["born"] = "01.01.1900"
    assert clean(write_people(tmp_path / "people.csv", rows)).rejects == []


def test_bounds_of_every_type(tmp_path: Path) -> None:
    bounds = {
        "decimal(6,2)": ("0.5", "9.99", {"min": 0.5, "max": 9.99}, {"0.49": "min 0.5", "10": "max 9.99"}),
        "double": ("0.5", "2.5", {"min": 0.5, "max": 2.5}, {"0.4": "min 0.5", "1e400": "finite"}),
        "bigint": ("-5", "5", {"min": -5, "max": 5}, {"-6": "min -5", "6": "max 5"}),
        "timestamp": (
            "2025-01-01 00:00:00",
            "2025-01-31 23:59:59.999999",
            {"min": dt.date(2025, 1, 1), "max": "period_end"},
            {"2024-12-31 23:59:59": "min 2025-01-01", "2025-02-01": "max period_end"},
        ),
    }
    for declared, (low, high, words, bad) in bounds.items():
        rejected = {
            "id": {"type": "varchar(2)", "description": "d", "required": True},
            "value": {"type": declared, "description": "d", **words},
        }
        contract = Contract.model_validate(
            {**PEOPLE_BY_CSV.model_dump(include={"title", "description", "file_name", "grain", "kind"})}
            | {"name": "x", "key": "id", "columns": rejected, "format": {"type": "csv"}}
        )
        cells = [low, high, *bad]
        rows = [[f"{number:02}", cell] for number, cell in enumerate(cells)]
        found = clean(write_csv(tmp_path / "x.csv", rows, header=["id", "value"]), contract)
        assert found.column("id") == ["00", "01"], declared
        assert {cell: rule for _, _, cell, rule in found.rejects} == bad


def test_a_row_may_break_several_rules_and_is_counted_once(tmp_path: Path) -> None:
    rows = people_rows(2)
    rows[0].update(name="", city="Atlantis", visits="0", paid="5")
    found = clean(write_people(tmp_path / "people.csv", rows))
    assert sorted(found.rejects) == [("2", "city", "Atlantis", "allowed values"), ("2", "name", "", "required")]
    assert found.outcome.rows_rejected == 1


def test_a_rule_across_columns_judges_rows_whose_cells_are_right(tmp_path: Path) -> None:
    rows = people_rows(4, visits="0")
    rows[0]["paid"] = "0"
    rows[1]["paid"] = ""  # unknown is not false
    rows[2]["paid"] = "5"
    rows[3].update(paid="5", visits="many")
    found = clean(write_people(tmp_path / "people.csv", rows))
    assert found.rejects == [("5", "visits", "many", "type integer"), ("4", "", "", "paid_when_visited")]
    assert found.column("_source_row") == [2, 3]


def test_what_a_killed_process_did_not_publish_is_removed(local: Project) -> None:
    archive = local.root / "data" / "stage" / "cleaned" / "people"
    archive.mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        left = [archive / f"people_2024-12.unpublished-{process.pid}" for process in (ended, running)]
        for path in left:
            path.touch()
        write_people(local.landing / "people_2025-01.csv", people_rows(2))
        assert local.loader("load").exit_code == 0
        assert [path.exists() for path in left] == [False, True]


def test_rows_that_share_a_key_are_all_rejected(tmp_path: Path) -> None:
    rows = people_rows(5)
    rows[3]["person_id"] = " 0002\u00a0"
    rows[4].update(person_id="0001", city="Atlantis")  # is out already: 0001 stands once among the valid rows
    found = clean(write_people(tmp_path / "people.csv", rows))
    assert found.column("person_id") == ["0001", "0003"]
    assert found.rejects == [
        ("6", "city", "Atlantis", "allowed values"),
        ("3", "person_id", "0002", "unique key"),
        ("5", "person_id", "0002", "unique key"),
    ]
    assert found.outcome.rows_rejected == 3


def test_a_key_of_several_columns(tmp_path: Path) -> None:
    contract = contract_of(PEOPLE.replace("key: person_id", "key: [person_id, name]"))
    rows = [*people_rows(2), *people_rows(1, name="Berta"), *people_rows(1)]
    found = clean(write_people(tmp_path / "people.csv", rows), contract)
    assert found.rejects == [(at, "person_id+name", "0001+Anna", "unique key") for at in ("2", "5")]


def test_a_column_that_comes_later_is_empty_before(tmp_path: Path) -> None:
    contract = contract_of(
        PEOPLE.replace("Visits in the month.", "Visits in the month., since: 2025-02, required: true")
    )
    header = [column for column in PEOPLE_HEADER if column != "visits"]
    rows = [[row[column] for column in header] for row in people_rows(2, paid="0")]
    path = write_csv(tmp_path / "people.csv", rows, header=header)
    assert clean(path, contract).column("visits") == [None, None]
    with pytest.raises(RefusedError, match=r"missing: visits\."):
        clean(path, contract, "2025-02")


# --- any file ---------------------------------------------------------------------------------------------------

CELLS = {
    "person_id": st.one_of(st.integers(1, 12).map("{:04}".format), st.sampled_from(["", "7", " 0001", "x"])),
    "name": st.sampled_from(
        ["Anna", "Zoë", "Anna, die Ältere", 'die "Lange"', "Anna\nMaria", "", "\u00a0", "#N/A", "x" * 21]
    ),
    "born": st.sampled_from(["29.02.1988", "", "-", "30.02.1988", "01.02.2025", "31.12.1899", "2025-01-31"]),
    "city": st.sampled_from(["Dresden", "Leipzig ", "", "Atlantis"]),
    "visits": st.sampled_from(["", "0", "3", "99", "100", "-1", "many", "2.0"]),
    "paid": st.sampled_from(["", "0", "12.5", "0.005", "1234567"]),
}
ROW = st.tuples(*(CELLS[column] for column in PEOPLE_HEADER)).map(list)
LINE = st.one_of(ROW, ROW, ROW, st.just([]), st.just([" ", ""]), ROW.map(lambda row: row[:3]))

BROKEN = {
    ("person_id", ""): "required",
    ("person_id", "7"): "pattern",
    ("person_id", "x"): "pattern",
    ("name", ""): "required",
    ("name", "#N/A"): "error cell",
    ("name", "x" * 21): "length 20",
    ("born", "30.02.1988"): "type date",
    ("born", "01.02.2025"): "max period_end",
    ("born", "31.12.1899"): "min 1900-01-01",
    ("city", "Atlantis"): "allowed values",
    ("visits", "100"): "max 99",
    ("visits", "-1"): "min 0",
    ("visits", "many"): "type integer",
    ("paid", "0.005"): "type decimal(8,2)",
    ("paid", "1234567"): "type decimal(8,2)",
}


def broken_rules(cells: list[str]) -> set[tuple[str, str]]:
    """A naive reading of the contract of people: (column, rule) that a row breaks."""
    if len(cells) != len(PEOPLE_HEADER):
        return {("", "6 cells expected")}
    row = {column: cell.strip(" \u00a0") for column, cell in zip(PEOPLE_HEADER, cells, strict=True)}
    broken = {(column, BROKEN[column, cell]) for column, cell in row.items() if (column, cell) in BROKEN}
    if not broken and (row["visits"], row["paid"]) == ("0", "12.5"):
        return {("", "paid_when_visited")}
    return broken


@settings(deadline=None, max_examples=effort(25, 500))
@given(st.lists(LINE, max_size=15), st.integers(0, 3), st.sampled_from([200, 8 << 20]))
def test_every_row_of_any_file_is_either_staged_or_rejected(
    lines: list[list[str]], skip_end: int, block_bytes: int
) -> None:
    """Whatever the size of the blocks in which a file is read."""
    filled = {at: cells for at, cells in enumerate(lines, start=2) if any(cell.strip(" \u00a0") for cell in cells)}
    kept = dict([*filled.items()][: max(len(filled) - skip_end, 0)])
    expected = {(at, *pair) for at, cells in kept.items() for pair in broken_rules(cells)}
    valid = [at for at in kept if at not in {at for at, *_ in expected}]
    keys = {at: kept[at][0].strip() for at in valid}
    twins = {at for at in valid if list(keys.values()).count(keys[at]) > 1}
    expected |= {(at, "person_id", "unique key") for at in twins}

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(csv_file, "_BLOCK_BYTES", block_bytes)
        path = write_csv(Path(folder) / "people.csv", lines, header=PEOPLE_HEADER)
        found = clean(path, with_format(PEOPLE_BY_CSV, skip_end=skip_end))

    assert found.column("_source_row") == [at for at in valid if at not in twins]
    assert {(int(at), column, rule) for at, column, _, rule in found.rejects} == expected
    assert found.outcome.rows_read == len(kept)
    assert found.outcome.rows_rejected == len({at for at, *_ in expected})
    assert found.outcome.summary.total() == len(expected)
    for row in found.rows:
        assert row["name"] == kept[row["_source_row"]][1].strip(" \u00a0")


# --- a delivery -------------------------------------------------------------------------------------------------


def test_rejects_are_listed_counted_and_told(migrated: Project) -> None:
    rows = people_rows(8)
    rows[0]["city"] = "Atlantis"
    rows[1]["visits"] = "many"
    rows[2]["city"] = "Atlantis"
    write_people(migrated.landing / "people_2025-01.csv", rows)
    result = migrated.loader("load")
    assert result.exit_code == 0
    assert "(version 1; 3 rejected: city: allowed values (2), visits: type integer (1); marked in " in result.output
    assert sorted(rejects(migrated)) == [
        ("2", "city", "Atlantis", "allowed values"),
        ("3", "visits", "many", "type integer"),
        ("4", "city", "Atlantis", "allowed values"),
    ]
    columns = "gate, table_name, status, failed, rows_read, rows_valid, rows_rejected, message"
    assert migrated.sql(f"select {columns} from meta.validation_log") == [
        ("contract", "people", "passed", 0, 8, 5, 3, None)
    ]
    summary, parquet, listed = migrated.sql("select summary, parquet_path, rejects_path from meta.validation_log")[0]
    assert json.loads(summary) == {"city: allowed values": 2, "visits: type integer": 1}
    unknown = parquet.replace(".parquet", ".unknown.parquet")
    written = [f"cleaned/{parquet}", f"cleaned/{unknown}", f"rejects/{listed}", f"rejects/{Path(listed).stem}.xlsx"]
    assert files_below(migrated.root / "data/stage") == written
    assert migrated.sql("select count(*) from stage.people") == [(5,)]
    steps = migrated.sql("select step, status, rows_in, rows_out from meta.etl_audit order by audit_id")
    assert ("validate", "done", 8, 5) in steps


@pytest.mark.parametrize(("bad", "exit_code"), [(1, 0), (2, 1)])
def test_a_share_of_rejects_refuses_the_file(local: Project, bad: int, exit_code: int) -> None:
    """2% of the citizens may be invalid."""
    rows = citizen_rows(50)
    for row in rows[:bad]:
        row["gender"] = "?"
    write_citizens(local.landing / "citizens_2025-01.xlsx", rows)
    result = local.loader("load")
    assert result.exit_code == exit_code
    assert len(rejects(local)) == bad
    if exit_code:
        assert "2 of 50 rows are invalid (4.0%; at most 2.0% is allowed): gender: allowed values (2)" in result.output
        assert "Every bad cell is listed in data/stage/rejects/citizens_2025-01_" in result.output
        assert local.sql(
            "select status, rows_read, rows_valid, rows_rejected, parquet_path from meta.validation_log"
        ) == [("refused", 50, 48, 2, None)]
        assert local.sql("select count(*) from meta.dataset_version") == [(0,)]
        assert {name.split("/")[0] for name in files_below(local.root / "data/stage")} == {"rejects"}


def test_one_bad_row_refuses_the_file_where_the_contract_says_so(local: Project) -> None:
    change_contract(local, "{action: reject_rows, max_share: 0.5}", "{action: reject_file}")
    write_people(local.landing / "people_2025-01.csv", people_rows(99) + people_rows(100, visits="many")[99:])
    result = local.loader("load")
    assert result.exit_code == 1
    assert "1 of 100 rows are invalid (1.0%; none is allowed): visits: type integer (1)" in result.output
    assert rejects(local) == [("101", "visits", "many", "type integer")]


def test_the_parquet_is_typed_complete_and_named_after_what_made_it(local: Project) -> None:
    write_people(local.landing / "people_2025-01.csv", people_rows(2))
    assert local.loader("load").exit_code == 0
    (name,) = files_below(local.root / "data/stage")
    path = local.root / "data/stage" / name
    sha256, fingerprint = local.sql("select sha256, contract_fingerprint from meta.ingestion_log")[0]
    assert name == f"cleaned/people/people_2025-01_{sha256[:12]}_{fingerprint[:8]}.parquet"
    schema = pq.read_schema(path)
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "person_id": pa.string(),
        "name": pa.string(),
        "born": pa.date32(),
        "city": pa.string(),
        "visits": pa.int32(),
        "paid": pa.decimal128(8, 2),
        "_source_row": pa.int64(),
    }
    assert pq.read_table(path).to_pylist()[1] == {
        "person_id": "0002",
        "name": "Anna",
        "born": dt.date(1988, 2, 29),
        "city": "Dresden",
        "visits": 3,
        "paid": Decimal("12.50"),
        "_source_row": 3,
    }
    before = path.read_bytes()
    assert local.loader("load", "--force").exit_code == 0
    assert files_below(local.root / "data/stage") == [name]
    assert path.read_bytes() == before


def test_the_three_steps_one_by_one(migrated: Project) -> None:
    path = write_people(migrated.landing / "people_2025-01.csv", people_rows(3))
    result = migrated.loader("validate", "--file-path", path)
    assert result.exit_code == 2
    assert "people_2025-01.csv was not ingested as it is now; run `loader ingest --file-path …` first" in result.output
    result = migrated.loader("ingest", "--dataset", "people", "--period", "2025-01")
    assert "ingested   people 2025-01  file 1: people_2025-01.csv" in result.output
    result = migrated.loader("load-stage", "--file-id", 1)
    assert result.exit_code == 2
    assert "has not passed validation under today's contract; run `loader validate --file-id 1` first" in result.output
    result = migrated.loader("validate", "--period", "2025-01")
    assert "validated  people 2025-01  3 rows valid, 0 rejected: people/people_2025-01_" in result.output
    parquet = result.output.split()[-1]
    assert migrated.sql("select count(*) from stage.people") == [(0,)]
    result = migrated.loader("load-stage", "--parquet-path", parquet)
    assert "loaded     people 2025-01  3 rows as version 1" in result.output
    result = migrated.loader("load-stage", "--file-id", 1)
    assert "has the cleaned rows of version 1, which is active" in result.output
    assert migrated.sql("select count(*) from stage.people") == [(3,)]
    assert migrated.loader("validate", "--file-id", 99).exit_code == 2


def test_a_file_that_changes_after_ingest_is_refused(local: Project) -> None:
    path = write_people(local.landing / "people_2025-01.csv", people_rows(3))
    assert local.loader("ingest", "--file-path", path).exit_code == 0
    with path.open("a", encoding="utf-8") as file:
        file.write("0004,Berta,,,,\n")
    result = local.loader("validate", "--file-id", 1)
    assert result.exit_code == 1
    assert "people_2025-01.csv: the file is no longer the one that was ingested; wait until the sender" in result.output
    assert files_below(local.root / "data/stage") == []
    assert local.sql("select status, parquet_path from meta.validation_log") == [("refused", None)]
    path.unlink()
    result = local.loader("validate", "--file-id", 1)
    assert result.exit_code == 1
    assert "people_2025-01.csv: cannot be read" in result.output


def test_a_parquet_that_was_edited_does_not_load(local: Project) -> None:
    write_people(local.landing / "people_2025-01.csv", people_rows(3))
    assert local.loader("ingest").exit_code == 0
    assert local.loader("validate", "--file-id", 1).exit_code == 0
    (name,) = files_below(local.root / "data/stage/cleaned")
    path = local.root / "data/stage/cleaned" / name
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 2), path)
    result = local.loader("load-stage", "--file-id", 1)
    assert result.exit_code == 1
    assert "was edited after it was validated; restore it from a backup or validate again" in result.output
    path.unlink()
    result = local.loader("load-stage", "--file-id", 1)
    assert result.exit_code in (2, 3)
    assert local.sql("select count(*) from stage.people") == [(0,)]


def test_a_refusal_on_the_way_leaves_no_file_behind(local: Project) -> None:
    """Stopped while rows were being written already."""
    path = write_people(local.landing / "people_2025-01.csv", people_rows(3000))
    path.write_bytes(path.read_bytes() + "9999,Änne,,,,\n".encode("cp1252"))
    result = local.loader("load")
    assert result.exit_code == 1
    assert files_below(local.root / "data/stage") == []


def everything_written(project: Project) -> str:
    """Each word that a command left in `meta` and in the logs."""
    tables = ("ingestion_log", "validation_log", "dataset_version", "etl_audit")
    texts = [str(project.sql(f"select * from meta.{table}")) for table in tables]
    texts += [path.read_text(encoding="utf-8") for path in (project.root / "data/logs").iterdir()]
    return "\n".join(texts)


def test_personal_values_stand_in_the_rejects_file_and_nowhere_else(local: Project) -> None:
    secret = "Geheimnis"
    path = local.landing / "people_2025-01.csv"
    spoken = ""

    def deliver(*rows: dict[str, Any], **options: Any) -> None:
        nonlocal spoken
        write_people(path, rows, **options)
        spoken += local.loader("plan", path).output + local.loader("load").output

    deliver(*people_rows(4, name=secret))
    deliver(*people_rows(2, name=f"{secret}-Neu"), *people_rows(4, name=secret)[2:])  # examples in the plan
    deliver(*people_rows(4, name=f"{secret}-Anders"))  # the guard
    deliver(*people_rows(4, name=f"{secret} mit viel zu langem Namen"))
    deliver(*people_rows(4, name=secret, born=secret))
    deliver(*people_rows(4, name=secret), *people_rows(4, name=secret))  # every key twice
    deliver(*people_rows(4, name=secret, visits="0"))  # the row rule
    deliver(*people_rows(4), header=["0001", secret, *people_rows(1)[0].values()][:6])  # no header
    deliver(*people_rows(4, name=f"{secret}\0"))
    deliver(*people_rows(4, name=secret, paid="1\n2"))
    path.write_text(",".join(PEOPLE_HEADER) + f'\n0001,{secret}\n0002,"{secret}', encoding="utf-8")
    for command in (["load"], ["plan", path], ["status"], ["versions", "--dataset", "people"]):
        spoken += local.loader(*command).output

    assert secret not in spoken
    assert secret not in everything_written(local)
    listed = [path.read_text(encoding="utf-8-sig") for path in (local.root / "data/stage/rejects").glob("*.csv")]
    assert secret in "\n".join(listed)
    assert "cannot be processed" not in spoken
    assert "Traceback" not in spoken
    assert local.sql("select count(distinct name) from stage.people") == [(2,)]
