"""What lands: names, headers, forms, and which of several files of a period is loaded."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.contracts import Contract, find_contract, read_contracts
from loader.errors import RefusedError
from loader.readers import open_table
from loader.validation import match_header
from tests.conftest import REPOSITORY, Project, Result
from tests.support.deliveries import (
    CITIZEN_HEADERS,
    LATER_CITIZEN_HEADERS,
    PEOPLE,
    PEOPLE_HEADER,
    add_contract,
    change_contract,
    citizen_rows,
    contract_of,
    files_below,
    people_rows,
    project_with_people,
    write_citizens,
    write_people,
    write_workbook,
)
from tests.support.effort import effort

MEANT = list(CITIZEN_HEADERS.values())
WORKBOOKS = contract_of(PEOPLE.replace("type: csv", "type: workbook").replace("csv", "xlsx"))


def loaded(project: Project) -> Any:
    """What stage holds, as the versions say: (period, version, state, rows)."""
    return project.sql(
        "select data_period, version_no, state, row_count from meta.dataset_version order by data_period, version_no"
    )


def log_of(project: Project) -> Any:
    """What is said of each file: (name, dataset, period, status)."""
    return project.sql("select file_name, dataset, data_period, status from meta.ingestion_log order by file_name")


def load(project: Project, *args: object) -> Result:
    return project.loader("load", *args)


@pytest.fixture
def migrated(project: Project) -> Project:
    """A project on each engine whose warehouse is ready."""
    assert project.loader("migrate").exit_code == 0
    return project


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    """A project on DuckDB, for what no engine has a part in, that knows people too."""
    return project_with_people(new_project)


# --- headers ----------------------------------------------------------------------------------------------------


@cache
def citizens() -> Contract:
    return find_contract(read_contracts(REPOSITORY), "citizens")


@pytest.mark.parametrize(
    ("header", "position"),
    [
        (MEANT, 7),
        (MEANT[::-1], 4),
        ([cell.upper() for cell in MEANT], 7),
        ([cell.replace(" ", "\n") for cell in MEANT], 7),
        ([cell.replace(" ", "\u00a0 ") for cell in MEANT], 7),
        ([f" {cell}\u200b\ufeff" for cell in MEANT], 7),
        (["", *MEANT, "\u200b", "  "], 8),
    ],
    ids=["as meant", "reordered", "capitals", "line breaks", "no-break blanks", "invisible signs", "without header"],
)
def test_a_header_is_known_however_it_is_written(header: list[str], position: int) -> None:
    contract = citizens()
    found = match_header("citizens.xlsx", header, contract, contract.period("2025-01"))
    assert found["street"] == position
    assert sorted(found) == sorted(CITIZEN_HEADERS)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ([*MEANT, "Shoe size"], "unknown: Shoe size. Found"),
        (MEANT[:-1], "missing: Moved in. Found"),
        ([*MEANT, "STREET"], "twice: street. Found"),
        ([*MEANT, "Street\u00a0"], "twice: street. Found"),
        (["Town" if cell == "City" else cell for cell in MEANT], "unknown: Town; missing: City. Found"),
        (list(LATER_CITIZEN_HEADERS.values()), "unknown: Email address; missing: E-mail. Found"),
        ([*MEANT, *(f"Note {number}" for number in range(90))], "Note 39 and 50 more. Found"),
    ],
)
def test_a_header_that_does_not_fit_is_told_what_was_found_and_expected(header: list[str], reason: str) -> None:
    contract = citizens()
    with pytest.raises(RefusedError) as error:
        match_header("citizens.xlsx", header, contract, contract.period("2025-03"))
    assert "does not match the contract of 'citizens' for 2025-03" in error.value.message
    assert reason in error.value.message
    assert "Expected: Citizen ID, First name, Last name, Birth date, Gender, E-mail, Phone" in error.value.message


def test_headers_change_with_the_period() -> None:
    contract = citizens()
    later = list(LATER_CITIZEN_HEADERS.values())
    assert match_header("f", later, contract, contract.period("2025-04"))["email"] == 5
    with pytest.raises(RefusedError, match=r"unknown: E-mail; missing: Email address\."):
        match_header("f", MEANT, contract, contract.period("2025-04"))


@settings(deadline=None)
@given(st.permutations(MEANT), st.lists(st.sampled_from(["", " ", "\u00a0", "\n"]), max_size=3), st.data())
def test_any_order_of_columns_is_the_same_delivery(header: list[str], blanks: list[str], data: Any) -> None:
    for blank in blanks:
        header.insert(data.draw(st.integers(0, len(header))), blank)
    contract = citizens()
    found = match_header("f", header, contract, contract.period("2025-01"))
    assert {column: header[position] for column, position in found.items()} == CITIZEN_HEADERS


def test_a_file_without_header_shows_none_of_its_cells(local: Project) -> None:
    person = ["0007", "Walburga Geheim", "29.02.1988", "Dresden", "3", "12.50"]
    path = write_people(local.landing / "people_2025-01.csv", people_rows(2), header=person)
    result = load(local, "--file-path", path)
    assert result.exit_code == 1
    assert "row 1 holds no header of 'people' for 2025-01; is the header missing, or in another row?" in result.output
    assert "Expected: person_id, name, born, city, visits, paid" in result.output
    assert "Geheim" not in result.output
    assert "Geheim" not in str(local.sql("select message from meta.ingestion_log"))


def test_a_column_without_header_may_be_empty_but_hold_no_values(local: Project) -> None:
    header = [*MEANT[:2], None, *MEANT[2:]]
    rows = [[*list(row.values())[:2], None, *list(row.values())[2:]] for row in citizen_rows(3)]
    rows[1][2] = "\u00a0"
    write_workbook(local.landing / "citizens_2025-02.xlsx", rows, header=header)
    rows[1][2] = "moved?"
    write_workbook(local.landing / "citizens_2025-03.xlsx", rows, header=header)
    rows[1][2] = None
    rows[2].append("at the far right")
    write_workbook(local.landing / "citizens_2025-04.xlsx", rows, header=[*header[:6], "Email address", *header[7:]])
    result = load(local)
    assert "citizens_2025-03.xlsx, row 3: column C has values but no header; name it or empty it" in result.output
    assert "citizens_2025-04.xlsx, row 4: column N has values but no header; name it or empty it" in result.output
    assert loaded(local) == [("2025-02", 1, "active", 3)]
    assert not [name for name in files_below(local.root / "data/stage") if "rejects" in name]


# --- names ------------------------------------------------------------------------------------------------------


def test_what_is_no_delivery_is_left_alone(local: Project) -> None:
    write_citizens(local.landing / "citizens_2025-01.xlsx", citizen_rows(2))
    for name in ("Thumbs.db", "~$citizens_2025-01.xlsx", "~$citizens_2025-02.xlsx", ".people_2025-01.csv"):
        (local.landing / name).write_bytes(b"somebody has it open")
    (local.landing / "people_2025-02.csv").mkdir()
    (local.landing / "minutes.docx").write_bytes(b"of the meeting")
    result = load(local)
    assert result.exit_code == 0
    assert "1 loaded, 0 refused, 0 unchanged, 1 unknown; 2 rows in" in result.output
    assert "~$" not in result.output
    assert "note: no contract knows minutes.docx: its name is like none of theirs" in result.output
    assert log_of(local) == [("citizens_2025-01.xlsx", "citizens", "2025-01", "ingested")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cityzens_2025-01.xlsx", r"matches no contract. Expected: citizens: citizens_(?P<period>\d{4}-\d{2})"),
        ("citizens_2025-13.xlsx", "contains no period: '2025-13' is not a month period; write it like 2025-06"),
        ("people_2025-01.xlsx", "matches no contract"),
    ],
)
def test_a_name_is_refused_when_it_was_asked_for(local: Project, name: str, reason: str) -> None:
    path = write_citizens(local.landing / name, citizen_rows(1))
    for command in ("load", "ingest"):
        answer = local.loader(command, "--file-path", path)
        assert answer.exit_code == 1
        assert f"refused    {name}: the file name {reason}" in answer.output
    assert log_of(local) == [(name, None, None, "refused")]


def test_a_name_that_fits_two_contracts_is_refused(local: Project) -> None:
    change_contract(local, "people_(?P<period>", "(people|persons)?_?(?P<period>")
    add_contract(local, PEOPLE.replace("  people:", "  persons:").replace("people_(?P", "(persons_|people_)?(?P"))
    path = write_people(local.landing / "people_2025-01.csv", people_rows(1))
    result = load(local, "--file-path", path)
    assert result.exit_code == 1
    assert "the file name matches several contracts (people, persons); make file_name stricter" in result.output


def test_capitals_in_a_name_do_not_matter(local: Project) -> None:
    path = write_people(local.landing / "People_2025-01_V2.CSV", people_rows(2))
    assert load(local, "--period", "2025-01").exit_code == 0
    assert local.sql("select file_name, file_order from meta.ingestion_log") == [(path.name, "2")]


def test_nothing_landed_is_a_wrong_question(local: Project) -> None:
    result = load(local, "--period", "2025-01")
    assert result.exit_code == 2
    assert "usage: nothing has landed for 2025-01 in" in result.output
    assert load(local).exit_code == 0
    assert load(local, "--dataset", "nobody").exit_code == 2


def test_a_period_and_a_dataset_choose_among_the_files(local: Project) -> None:
    for period in ("2025-01", "2025-02"):
        write_people(local.landing / f"people_{period}.csv", people_rows(2))
    write_citizens(local.landing / "citizens_2025-01.xlsx", citizen_rows(2))
    result = load(local, "--period", "2025-01", "--dataset", "people")
    assert "1 loaded, 0 refused, 0 unchanged; 2 rows in" in result.output
    assert log_of(local) == [("people_2025-01.csv", "people", "2025-01", "ingested")]


# --- forms ------------------------------------------------------------------------------------------------------


def with_password(path: Path) -> None:
    from msoffcrypto.format.ooxml import OOXMLFile

    plain = io.BytesIO(path.read_bytes())
    with path.open("wb") as protected:
        OOXMLFile(plain).encrypt("secret", protected)


def spoil(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def test_one_bad_file_does_not_stop_the_others(migrated: Project) -> None:
    """Every broken form at once, good files between them: each is told its own reason, and nothing is left behind."""
    add_contract(migrated)
    landing = migrated.landing
    for month in range(1, 9):
        write_citizens(landing / f"citizens_2025-{month:02}.xlsx", citizen_rows(2))
        write_people(landing / f"people_2025-{month:02}.csv", people_rows(2))
    workbook, text = landing / "citizens_2025-01.xlsx", landing / "people_2025-01.csv"
    whole = workbook.read_bytes()
    spoil(landing / "citizens_2025-02.xlsx", b"")
    spoil(landing / "citizens_2025-03.xlsx", whole[: len(whole) // 2])
    with_password(landing / "citizens_2025-04.xlsx")
    spoil(landing / "citizens_2025-05.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000))
    shutil.copy(text, landing / "citizens_2025-06.xlsx")
    spoil(landing / "citizens_2025-07.xlsx", whole.replace(b"sheet1.xml", b"sheet9.xml"))
    write_workbook(landing / "citizens_2025-08.xlsx", [], header=[])
    spoil(landing / "people_2025-02.csv", b"")
    shutil.copy(workbook, landing / "people_2025-03.csv")
    spoil(landing / "people_2025-04.csv", text.read_text().replace("Anna", "Änne").encode("cp1252"))
    spoil(landing / "people_2025-05.csv", text.read_text().encode("utf-16"))
    spoil(landing / "people_2025-06.csv", text.read_bytes().replace(b"person_id,name", b"name,name"))
    spoil(landing / "people_2025-07.csv", text.read_bytes().splitlines()[0][:25])

    result = load(migrated)

    assert result.exit_code == 1
    for name, reason in {
        "citizens_2025-02.xlsx": "the file is empty (0 bytes); ask the sender to deliver it again",
        "citizens_2025-03.xlsx": "the workbook is damaged or cut off",
        "citizens_2025-04.xlsx": "protected by a password; save it without one and deliver it again",
        "citizens_2025-05.xlsx": "this is a workbook of the .xls kind, not .xlsx as its extension says",
        "citizens_2025-06.xlsx": "this is a text file, not a workbook; ask the sender to deliver it again",
        "citizens_2025-07.xlsx": "",
        "citizens_2025-08.xlsx": "there is no header row 1; the sheet ends before it",
        "people_2025-02.csv": "the file is empty (0 bytes); ask the sender to deliver it again",
        "people_2025-03.csv": "this is a workbook or an archive, not a text file; save it as CSV",
        "people_2025-04.csv, line 2": "the text is not utf-8",
        "people_2025-05.csv": "the text begins with the byte order mark of utf-16",
        "people_2025-06.csv": "the header does not match the contract of 'people' for 2025-06",
        "people_2025-07.csv": "the header does not match the contract of 'people' for 2025-07",
    }.items():
        assert f"refused    {name}: {reason}" in result.output
    assert "3 loaded, 13 refused, 0 unchanged; 6 rows in" in result.output.splitlines()[-1]
    assert "Traceback" not in result.output
    assert "cannot be processed" not in result.output
    assert {row[0] for row in loaded(migrated)} == {"2025-01", "2025-08"}
    assert [status for *_, status in log_of(migrated)].count("refused") == 13
    assert len(files_below(migrated.root / "data/stage")) == 3


def test_a_refusal_changes_nothing_but_its_record(migrated: Project) -> None:
    path = write_citizens(migrated.landing / "citizens_2025-01.xlsx", citizen_rows(3))
    assert load(migrated).exit_code == 0
    tables = ("meta.dataset_version", "stage.citizens", "meta.validation_log")
    before = {table: migrated.sql(f"select * from {table}") for table in tables}
    files = files_below(migrated.root / "data/stage")

    path.write_bytes(path.read_bytes()[:-100])
    result = load(migrated, "--period", "2025-01")

    assert result.exit_code == 1
    assert "0 loaded, 1 refused, 0 unchanged; 0 rows in" in result.output
    assert {table: migrated.sql(f"select * from {table}") for table in tables} == before
    assert files_below(migrated.root / "data/stage") == files
    assert [status for *_, status in log_of(migrated)] == ["ingested", "refused"]
    last = migrated.sql(
        "select step, status, error from meta.etl_audit where audit_id = (select max(audit_id) from meta.etl_audit)"
    )[0]
    assert last[:2] == ("ingest", "refused")
    assert last[2].startswith("citizens_2025-01.xlsx: the workbook is damaged or cut off")


@settings(deadline=None, max_examples=effort(25, 500))
@given(st.floats(0, 1, exclude_max=True), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3))
def test_any_damage_to_a_workbook_is_refused_or_harmless(kept: float, strikes: list[tuple[float, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people_2025-01.xlsx"
        rows = [[*row.values()] for row in people_rows(20)]
        content = bytearray(write_workbook(path, rows, header=PEOPLE_HEADER).read_bytes())
        for place, byte in strikes:
            content[int(place * (len(content) - 1))] = byte
        if not strikes:
            del content[int(kept * len(content)) :]
        path.write_bytes(content)
        try:
            found = sum(len(batch.rows) for batch in open_table(path, WORKBOOKS.format).batches)
        except RefusedError as error:
            found, message = None, error.message
    if found is None:
        assert re.fullmatch(r"people_2025-01\.xlsx: .+", message)  # one line
    else:
        assert strikes
        assert found <= 20


# --- known files ------------------------------------------------------------------------------------------------


def test_a_known_file_is_not_loaded_again_in_any_state(migrated: Project) -> None:
    rows = citizen_rows(4)
    path = write_citizens(migrated.landing / "citizens_2025-01.xlsx", rows)
    first = path.read_bytes()
    assert load(migrated).exit_code == 0

    result = load(migrated, "--period", "2025-01")
    assert result.exit_code == 0
    assert (
        "unchanged  citizens_2025-01.xlsx is version 1 of citizens 2025-01 (active); --force reads it" in result.output
    )
    assert "0 loaded, 0 refused, 1 unchanged; 0 rows in" in result.output
    result = load(migrated, "--period", "2025-01", "--force")
    assert result.exit_code == 0
    assert "unchanged  citizens_2025-01.xlsx has the cleaned rows of version 1, which is active" in result.output

    rows[3]["city"] = "Radebeul"
    second = write_citizens(path, rows).read_bytes()  # overwritten: another file by the same name
    result = load(migrated)
    assert "4 rows from citizens_2025-01.xlsx (version 2; supersedes version 1)" in result.output
    assert loaded(migrated) == [("2025-01", 1, "superseded", 4), ("2025-01", 2, "active", 4)]
    cities = migrated.sql("select city, count(*) from stage.citizens group by city order by city")
    assert cities == [("Dresden", 3), ("Radebeul", 1)]

    path.write_bytes(first)
    result = load(migrated, "--period", "2025-01")
    assert result.exit_code == 0
    again = "loader rollback --dataset citizens --period 2025-01 --to 1"
    assert f"is version 1 of citizens 2025-01 (superseded); to make it active again: {again}" in result.output

    assert migrated.loader(*again.split()[1:]).exit_code == 0
    path.write_bytes(second)
    result = load(migrated, "--period", "2025-01")
    assert "(rolled back); to make it active again: loader rollback" in result.output
    assert loaded(migrated) == [("2025-01", 1, "active", 4), ("2025-01", 2, "rolled_back", 4)]
    assert len(log_of(migrated)) == 2


def test_a_known_file_is_known_by_its_content(local: Project) -> None:
    path = write_people(local.landing / "people_2025-01.csv", people_rows(2))
    assert load(local).exit_code == 0
    path.rename(local.landing / "people_2025-01_v2.csv")
    result = load(local, "--period", "2025-01")
    assert "unchanged  people_2025-01_v2.csv is version 1 of people 2025-01 (active)" in result.output
    shutil.copy(local.landing / "people_2025-01_v2.csv", local.landing / "people_2025-02.csv")
    assert "1 loaded, 0 refused, 1 unchanged" in load(local).output  # the same content for another period


def test_a_refused_file_is_tried_again(local: Project) -> None:
    path = write_people(local.landing / "people_2025-01.csv", people_rows(2, city="Radebeul"))
    assert load(local).exit_code == 1
    assert load(local).exit_code == 1
    change_contract(local, "[Dresden, Leipzig, Chemnitz]", "[Dresden, Leipzig, Chemnitz, Radebeul]")
    assert load(local).exit_code == 0
    assert log_of(local) == [(path.name, "people", "2025-01", "ingested")]


def test_two_new_files_for_one_period_are_both_refused_by_name(local: Project) -> None:
    change_contract(
        local, r"people_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv", r"(new)?people_(?P<period>.{7})\.csv"
    )
    write_people(local.landing / "people_2025-01.csv", people_rows(2))
    write_people(local.landing / "newpeople_2025-01.csv", people_rows(3))
    write_people(local.landing / "people_2025-02.csv", people_rows(4))
    result = load(local)
    assert result.exit_code == 1
    for name in ("people_2025-01.csv", "newpeople_2025-01.csv"):
        assert f"refused    {name}: two new files for people 2025-01 and nothing tells which is the later one" in (
            result.output
        )
    assert "(newpeople_2025-01.csv, people_2025-01.csv)" in result.output
    assert loaded(local) == [("2025-02", 1, "active", 4)]
    assert load(local, "--file-path", local.landing / "people_2025-01.csv").exit_code == 0


def test_an_order_in_the_name_tells_which_is_the_later_one(local: Project) -> None:
    for order, rows in (("_v10", 4), ("_v9", 3)):
        write_people(local.landing / f"people_2025-01{order}.csv", people_rows(rows))
    result = load(local)
    assert result.exit_code == 0
    assert loaded(local) == [("2025-01", 1, "superseded", 3), ("2025-01", 2, "active", 4)]


def test_an_older_file_does_not_replace_a_newer_one_unasked(local: Project) -> None:
    write_people(local.landing / "people_2025-01_v3.csv", people_rows(4))
    assert load(local).exit_code == 0
    older = write_people(local.landing / "people_2025-01_v2.csv", people_rows(3))
    result = load(local, "--period", "2025-01")
    assert result.exit_code == 0
    assert f"{older.name} is older than the active people_2025-01_v3.csv" in result.output
    assert loaded(local) == [("2025-01", 1, "active", 4)]
    assert load(local, "--file-path", older).exit_code == 0
    assert loaded(local) == [("2025-01", 1, "superseded", 4), ("2025-01", 2, "active", 3)]


def test_a_changed_contract_reprocesses_what_is_active_and_new_words_do_not(local: Project) -> None:
    rows = people_rows(2)
    rows[0]["name"] = "ANNA"
    write_people(local.landing / "people_2025-01.csv", rows)
    assert load(local).exit_code == 0
    change_contract(local, "People of a small register", "Persons of a small register")
    assert "0 loaded, 0 refused, 1 unchanged" in load(local).output
    change_contract(local, "description: Name of the person.", "description: Name of the person., clean: [upper]")
    assert "2 rows from people_2025-01.csv (version 2; supersedes version 1)" in load(local).output
    assert local.sql("select distinct name from stage.people") == [("ANNA",)]
    first, second = local.sql("select contract_fingerprint from meta.dataset_version order by load_id")
    assert first != second


def test_the_answer_for_programs_says_what_became_of_each_file(local: Project) -> None:
    write_people(local.landing / "people_2025-01.csv", [*people_rows(3), *people_rows(1)])
    write_people(local.landing / "people_2025-02.csv", people_rows(2, city="Atlantis"))
    result = load(local, "--json")
    assert result.exit_code == 1
    assert {word: result.json[word] for word in ("loaded", "refused", "unchanged")} == {
        "loaded": 1,
        "refused": 1,
        "unchanged": 0,
    }
    first, second = result.json["files"]
    assert (first["file"], first["dataset"], first["period"]) == ("people_2025-01.csv", "people", "2025-01")
    assert (first["result"], first["rows"], first["rejected"]) == ("loaded", 2, 2)
    assert (second["result"], second["rows"]) == ("refused", None)
    assert "2 of 2 rows are invalid" in second["message"]
