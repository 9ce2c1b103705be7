"""A proposed contract: it is one, it loads the files that it was made from, and asks for what they cannot tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from loader.codegen.propose import Asked, Proposal, propose
from loader.contracts import CsvFormat
from loader.contracts.file_names import told_by
from loader.errors import RefusedError, UsageError
from tests.conftest import Project
from tests.support.deliveries import contract_of, follow_contracts, people_rows, write_csv, write_people, write_workbook
from tests.support.workbooks import write_sheets

ORDERS = ["No.", "Größe", "No", "Ordered on", "Seen at", "Price", "PLZ", "dbt_id", "2nd name"]


def adopt(project: Project, proposed: str) -> None:
    """What a person does with a proposal that is right: put it below `datasets:`."""
    config = project.root / "datasets_config.yml"
    config.write_text(f"{config.read_text(encoding='utf-8').rstrip()}\n{proposed}", encoding="utf-8")
    follow_contracts(project)


def sample(tmp_path: Path, columns: dict[str, Sequence[Any]], name: str = "things_2025-01.csv", **options: Any) -> Path:
    """A file with an `id` and these columns, of which one ends when it has no cell more."""
    count = max(map(len, columns.values()))
    rows = [[f"k{at}", *(cells[at] if at < len(cells) else "" for cells in columns.values())] for at in range(count)]
    write = write_workbook if name.endswith(".xlsx") else write_csv
    return write(
        tmp_path / name,
        rows,
        **{"header": ["id", *columns], "delimiter": ";", **options}
        if write is write_csv
        else {"header": ["id", *columns], **options},
    )


def proposed(tmp_path: Path, columns: dict[str, Sequence[Any]], **options: Any) -> Proposal:
    """The proposal for such a file, whose contract is the text's, and loads each of its rows."""
    proposal = propose([sample(tmp_path, columns, **options)])
    assert contract_of(proposal.text) == proposal.contract
    for one in proposal.tried:
        assert (one.refusal, one.rejected) == ("", "")
    return proposal


def types(proposal: Proposal) -> dict[str, str]:
    return {column.name: str(column.type) for column in proposal.contract.columns}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_proposal_loads_the_file_that_it_was_made_from(new_project: Callable[..., Project], kind: str) -> None:
    project = new_project("duckdb")
    path = project.landing / f"Customer's orders 2025-06.{kind}"
    day, moment = dt.date(2025, 6, 13), dt.datetime(2025, 6, 13, 10, 30)
    rows: list[list[Any]] = [
        [number, "L", "x" * number, day, moment, number + 0.5, "01067", None, "b", "c"] for number in range(1, 4)
    ]
    if kind == "xlsx":
        write_workbook(path, rows, header=[*ORDERS, "Order"])
    else:
        for row in rows:
            row[3:5] = f"{day:%d.%m.%Y}", f"{moment}"
        write_csv(path, rows, header=[*ORDERS, "Order"], delimiter=";", encoding="cp1252")

    result = project.loader("propose", path)
    assert result.exit_code == 0, result.output
    assert "note: to decide: customer_s_orders.description: what one row is" in result.output
    adopt(project, result.stdout)
    result = project.loader("load", "--period", "2025-06")

    assert result.exit_code == 0, result.output
    assert "1 loaded, 0 refused, 0 unchanged; 3 rows in" in result.output
    columns = "no, groesse, no_3, ordered_on, seen_at, price, plz, c_dbt_id, c_2nd_name, order_value"
    (first, *_) = project.sql(f"select {columns} from stage.customer_s_orders order by _source_row")
    assert first[:5] == (1, "L", "x", day, moment)
    assert float(first[5]) == 1.5
    assert first[6:] == ("01067", None, "b", "c")


@pytest.mark.parametrize(
    ("cells", "declared"),
    [
        (["1", "2"], "integer"),
        (["1", "99999999999"], "bigint"),
        (["1", "400000000"], "bigint"),
        (["1", "2.5"], "decimal(18,2)"),
        (["1", "2.1234"], "decimal(18,6)"),
        (["1", "2.123456789"], "double"),
        (["01067", "9111"], "varchar(10)"),
        (["01067", "09111"], "varchar(5)"),
        (["2025-06-13", ""], "date"),
        (["13.06.2025", "01.02.2025"], "date"),
        (["2025-06-13 10:30", "2025-06-13"], "timestamp"),
        (["06/13/2025 12:00:00 AM"], "date"),
        (["06/13/2025 01:30:00 PM"], "timestamp"),
        (["13 Jun 2025", "01 May 2025"], "date"),
        (["07:30", "23:59"], "time"),
        (["ja", "Nein", ""], "boolean"),
        (["Y", "N"], "boolean"),
        (["no", "maybe"], "varchar(10)"),
        (["15,5 %", "7 %"], "decimal(18,6)"),
        (["1.234,50 €", "7,00 €"], "decimal(18,2)"),
        (["$1,234.50", "($7.00)"], "decimal(18,2)"),
        (["12-", "30"], "integer"),
        (["12", "n/a", "-"], "integer"),
        (["1 234 567", "5"], "integer"),
        (["a", ""], "varchar(2)"),
        (["", ""], "varchar(1)"),
        (["no", "x" * 3990], "varchar(4000)"),
        (["1,5", "2"], "decimal(18,2)"),
    ],
)
def test_types_are_what_the_sample_shows(tmp_path: Path, cells: list[str], declared: str) -> None:
    assert types(proposed(tmp_path, {"value": cells}))["value"] == declared


@pytest.mark.parametrize(
    ("header", "cells", "declared"),
    [
        ("Postal code", ["10115", "80331"], "varchar(5)"),
        ("PLZ", ["10115", "80331"], "varchar(5)"),
        ("phone", ["4930123", "493012345"], "varchar(20)"),
        (
            "concept",
            ["138875005", "404684003", "71388002", "123037004", "105590001", "363787002", "410607006", "48176007"],
            "varchar(20)",
        ),
        (
            "concept",
            ["138875005", "404684003", "71388002", "123037004", "105590001", "363787002", "410607006", "48176008"],
            "bigint",
        ),
        ("reading", ["1234567890123456", "1"], "varchar(40)"),
        ("Umsatz", ["12", "3"], "decimal(18,2)"),
    ],
)
def test_codes_are_texts_and_amounts_have_decimals(
    tmp_path: Path, header: str, cells: list[str], declared: str
) -> None:
    assert [*types(proposed(tmp_path, {header: cells})).values()][1] == declared


def test_a_sign_that_one_column_shows_is_that_of_the_others(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, {"pieces": ["12.000", "3.000"], "share": ["0,5", "1"]})
    assert (proposal.contract.format.decimal, proposal.contract.format.thousands) == (",", ".")
    assert types(proposal) == {"id": "varchar(2)", "pieces": "integer", "share": "decimal(18,2)"}


def test_a_number_that_can_be_read_in_two_ways_is_asked_for_and_stays_text(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, {"pieces": ["12.000", "3.000"]})
    assert types(proposal)["pieces"] == "varchar(10)"
    assert any("things.columns.pieces: a number with decimal '.' or decimal ','" in one for one in proposal.decisions)


def test_columns_that_write_dates_otherwise_say_so_themselves(tmp_path: Path) -> None:
    cells = {"opened": ["25/04/2025", "03/04/2025"], "closed": ["04/25/2025", "03/04/2025"], "seen": ["1.2.2025"]}
    contract = proposed(tmp_path, cells).contract
    assert contract.format.dates == ("%Y-%m-%d",)
    assert contract.column("opened").dates == ("%d/%m/%Y",)
    assert contract.column("closed").dates == ("%m/%d/%Y",)
    assert contract.column("seen").dates == ("%d.%m.%Y",)


def test_the_order_of_a_date_comes_from_another_column_or_is_asked_for(tmp_path: Path) -> None:
    both = {"opened": ["03/04/2025", "05/06/2025"], "closed": ["04/25/2025", ""]}
    proposal = proposed(tmp_path, both)
    assert proposal.contract.format.dates == ("%m/%d/%Y",)
    assert any("things.columns.opened: no day is above 12" in one for one in proposal.decisions)
    proposal = proposed(tmp_path, {"opened": both["opened"]})
    assert types(proposal)["opened"] == "varchar(10)"
    assert any("['%d/%m/%Y'] or dates: ['%m/%d/%Y']: no day is above 12" in one for one in proposal.decisions)


def test_words_for_nothing_are_said_once_unless_they_are_a_text_elsewhere(tmp_path: Path) -> None:
    cells = {"count": ["1", "NA", "2"], "day": ["2025-01-02", "-", ""]}
    contract = proposed(tmp_path, cells).contract
    assert contract.format.null_values == ("-", "NA")
    contract = proposed(tmp_path, {**cells, "country": ["DE", "NA", "FR"]}).contract
    assert contract.format.null_values == ()
    assert contract.column("count").null_values == ("NA",)
    assert contract.column("country").null_values is None


def test_slips_among_numbers_are_asked_for(tmp_path: Path) -> None:
    cells = [*map(str, range(200)), "l2"]
    proposal = proposed(tmp_path, {"pieces": cells})
    assert types(proposal)["pieces"] == "varchar(5)"
    assert any("all but 1 of 201 cells are numbers" in one for one in proposal.decisions)


@pytest.mark.parametrize(
    ("above", "row", "rows"),
    [
        ([], 1, 1),
        ([[]], 2, 1),
        ([["Report of January 2025"], [], ["as of", "2025-01-31"]], 4, 1),
        ([["", "", "2024", "2025"]], 2, 1),
        ([["", "Sales", "", "Costs"]], 1, 2),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_header_is_found_below_what_stands_above_it(
    tmp_path: Path, kind: str, above: list[list[str]], row: int, rows: int
) -> None:
    header = ["id", "budget", "real", "budget" if rows == 2 else "rest"]
    body = [[f"k{at}", at + 1, at + 2.5, at + 7] for at in range(5)]
    write = write_workbook if kind == "xlsx" else write_csv
    path = write(tmp_path / f"things_2025-01.{kind}", body, header=header, above=above)
    proposal = propose([path])
    assert (proposal.contract.format.header_row, proposal.contract.format.header_rows) == (row, rows)
    assert proposal.tried[0].outcome.rows_valid == 5
    names = ["id", "budget", "real", "rest"] if rows == 1 else ["id", "sales_budget", "sales_real", "costs_budget"]
    assert [*types(proposal)] == names


def test_a_file_without_header_is_told_and_loads(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "things_2025-01.csv", [["b", "2", "2.5"], ["c", "3", "7.5"]], header=["a", "1", "0.5"])
    proposal = propose([path])
    assert isinstance(proposal.contract.format, CsvFormat)
    assert proposal.contract.format.header == "none"
    assert types(proposal) == {"column_1": "varchar(1)", "column_2": "integer", "column_3": "decimal(18,2)"}
    assert proposal.tried[0].outcome.rows_valid == 3
    assert any("the file seems to have no header" in one for one in proposal.decisions)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("below", [[["Summe", "", 3]], [[], ["Total:", "", 3], ["Source: the office of statistics"]]])
def test_totals_and_notes_below_the_data_are_no_data(tmp_path: Path, kind: str, below: list[list[Any]]) -> None:
    write = write_workbook if kind == "xlsx" else write_csv
    rows = [["k1", "a", 1], ["k2", "b", 2]]
    path = write(tmp_path / f"things_2025-01.{kind}", rows, header=["id", "what", "n"], below=below)
    proposal = propose([path])
    assert proposal.contract.format.totals in ("^Summe", "^Total")
    assert types(proposal)["n"] == "integer"
    outcome = proposal.tried[0].outcome
    assert (outcome.rows_valid, outcome.rows_rejected) == (2, 0)


def test_the_sheet_with_the_table_is_taken(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.worksheets[0].title = "Cover"
    for row in (["Report"], ["Prepared by", "the office"]):
        book.worksheets[0].append(row)
    for row in (["id", "n"], *([f"k{at}", at] for at in range(9))):
        book.create_sheet("Data") if len(book.worksheets) == 1 else None
        book.worksheets[1].append(row)
    path = tmp_path / "things_2025-01.xlsx"
    book.save(path)
    proposal = propose([path])
    assert "sheet: Data  # the largest table of 2 sheets" in proposal.text
    assert proposal.tried[0].outcome.rows_valid == 9
    assert propose([path], asked=Asked(sheet=2)).tried[0].outcome.rows_valid == 9
    with pytest.raises(RefusedError, match="there is no sheet 'Date'; found are: Cover, Data"):
        propose([path], asked=Asked(sheet="Date"))


def test_the_header_row_can_be_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "things_2025-01.csv", [["a", "b"], ["1", "2"]], header=["x", "y"])
    assert [*types(propose([path], asked=Asked(header_row=2)))] == ["a", "b"]
    with pytest.raises(RefusedError, match="there is no header row 9"):
        propose([path], asked=Asked(header_row=9))


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"region": "aabb", "month": "1212", "n": "5555"}, ("region", "month")),
        ({"region": "aaaabbbb", "month": "11221122", "sex": "fmfmfmfm", "n": "01234567"}, ("region", "month", "sex")),
        ({"count": "1234", "code": "wxyz"}, ("code",)),
    ],
)
def test_the_key_has_as_many_columns_as_it_takes(tmp_path: Path, columns: dict[str, str], key: tuple[str, ...]) -> None:
    cells = {name: [f"{cell}.5" if name == "n" else cell for cell in text] for name, text in columns.items()}
    rows = [*zip(*cells.values(), strict=True)]
    if "n" in cells:
        rows = [(*row[:-1], "0.5") for row in rows]
    path = write_csv(tmp_path / "things_2025-01.csv", rows, header=[*cells])
    proposal = propose([path])
    assert proposal.contract.key == key
    assert proposal.tried[0].outcome.rows_valid == len(rows)


def test_equal_rows_are_no_reason_to_have_no_key(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "things_2025-01.csv", [["a", "x"], ["b", "x"], ["a", "x"]], header=["id", "what"])
    proposal = propose([path])
    assert (proposal.contract.key, proposal.contract.duplicates) == (("id",), "identical")
    assert proposal.tried[0].outcome.rows_dropped == 1


def test_a_file_without_a_key_has_a_contract_that_asks_for_one(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "things_2025-01.csv", [["1", ""], ["", "2"]], header=["a", "b"])
    proposal = propose([path])
    assert proposal.contract.key == ("a",)
    assert any("no column is filled in every row" in what for what in proposal.decisions)


def test_what_a_contract_would_reject_is_said(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    path = write_csv(
        project.root / "things_2025-01.csv", [["a", "1"], ["a", "2", "3"], ["a", "1.5"]], header=["w", "n"]
    )
    path.write_text(path.read_text("utf-8") + "a,1\na,1.5\n", encoding="utf-8")
    result = project.loader("propose", path)
    assert result.exit_code == 0
    assert "would reject 1 of 5 rows: row: 2 cells expected (1)" in result.output
    assert "duplicates: identical" in result.stdout


def test_a_file_of_changes_is_a_delta(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, {"op": ["I", "U", "D"], "n": ["1", "2", "3"]})
    assert proposal.contract.kind == "delta"
    assert proposal.contract.end_marker is not None
    assert (proposal.contract.end_marker.column, proposal.contract.end_marker.value) == ("op", "D")


def test_files_without_common_keys_are_lists_of_events(tmp_path: Path) -> None:
    paths = [
        write_csv(tmp_path / f"sales_2025-0{month}.csv", [[f"R{month}{n}", "5"] for n in range(9)], header=["no", "n"])
        for month in (1, 2, 3)
    ]
    proposal = propose(paths)
    assert (proposal.contract.kind, proposal.contract.end_marker) == ("delta", "none")
    assert "of the keys of a file, at most 0% are in the next one" in proposal.text
    assert "is it a list of events" in proposal.text


def test_what_is_said_of_persons_is_personal(tmp_path: Path) -> None:
    headers = ["Vorname", "lastName", "Date of Birth", "Patient ID", "Steuer-ID", "Name", "birth rate", "City"]
    contract = proposed(tmp_path, {header: ["a", "b"] for header in headers}).contract
    personal = [column.name for column in contract.columns if column.personal]
    assert personal == ["vorname", "last_name", "date_of_birth", "patient_id", "name"]
    proposal = proposed(tmp_path, {"Name": ["a", "b"]})
    assert any("things.columns.name: 'personal: true' if a name here" in one for one in proposal.decisions)


@pytest.mark.parametrize(
    ("names", "grain", "dataset", "periods"),
    [
        (["sales_2025-06-14.csv"], "day", "sales", ["2025-06-14"]),
        (["sales_2025-06.csv"], "month", "sales", ["2025-06"]),
        (["sales_2025-06_v2.csv", "sales_2025-07.csv"], "month", "sales", ["2025-06", "2025-07"]),
        (["2025-Q2 sales (Nord).csv"], "quarter", "sales_nord", ["2025-Q2"]),
        (["sales2025.csv"], "year", "sales", ["2025"]),
        (["2025.csv"], "year", "dataset", ["2025"]),
        (["sales_2025-W03.csv"], "week", "sales", ["2025-W03"]),
        (["sales_14.06.2025.csv"], "day", "sales", ["2025-06-14"]),
        (["sales_2025_06.csv"], "month", "sales", ["2025-06"]),
        (["sales_20250614.csv"], "day", "sales", ["2025-06-14"]),
        (["things_202501.csv"], "month", "things", ["2025-01"]),
        (["orders_20250131_143059.csv"], "day", "orders", ["2025-01-31"]),
        (["a_01-2025.csv", "a_12-2025.csv"], "month", "a", ["2025-01", "2025-12"]),
        (["Umsatz Mai 2025.csv", "Umsatz März 2025.csv"], "month", "umsatz", ["2025-03", "2025-05"]),
        (["sales_Jun25.csv"], "month", "sales", ["2025-06"]),
        (["sales_2025_KW3.csv", "sales_2025_KW12.csv"], "week", "sales", ["2025-W03", "2025-W12"]),
        (["sales_3Q2025.csv"], "quarter", "sales", ["2025-Q3"]),
        (["a_01022025.csv", "a_15022025.csv"], "day", "a", ["2025-02-01", "2025-02-15"]),
        (["2025/06/sales.csv", "2025/07/sales.csv"], "month", "sales", ["2025-06", "2025-07"]),
    ],
)
def test_the_file_name_tells_grain_and_dataset(
    tmp_path: Path, names: list[str], grain: str, dataset: str, periods: list[str]
) -> None:
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_people(path, people_rows(2))
    contract = propose(paths).contract
    assert (str(contract.grain), contract.name) == (grain, dataset)
    told = [contract.match(*path.parts[-contract.depth :]) for path in paths]
    assert sorted(contract.spelling.name(told_by(found)) for found in told if found) == periods
    assert propose(paths, "turnover").contract.name == "turnover"


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("sales.csv", "the name tells no period that is known"),
        ("orders1234.csv", "the name tells no period that is known"),
        ("sales_123456.csv", "the name tells no period that is known"),
        ("sales_202506.csv", "A week, year and number, would look the same"),
        ("a_01022025.csv", "it may be the other order"),
        ("a_2016-17.csv", "-17 stands beside the period"),
        ("a_2025-01-31_12-30-00.csv", "_12-30-00 stands beside the period"),
        ("a_Jan25.csv", "years of two digits"),
    ],
)
def test_what_a_file_name_does_not_tell_is_asked_for(tmp_path: Path, name: str, ask: str) -> None:
    proposal = propose([write_people(tmp_path / name, people_rows(2))])
    assert any("file_name: " in one and ask in one for one in proposal.decisions)


def test_several_files_tell_when_a_header_changed_and_a_column_came(tmp_path: Path) -> None:
    def rows(extra: Sequence[str] = ()) -> list[list[str]]:
        return [[f"k{at}", f"place {at}", *extra] for at in range(4)]

    paths = [
        write_csv(tmp_path / "things_2025-03.csv", rows(["yes"]), header=["id", "Place", "Open"]),
        write_csv(tmp_path / "things_2025-01.csv", rows(), header=["id", "Town"]),
        write_csv(tmp_path / "things_2025-02.csv", rows(), header=["ID", "Place"]),
    ]
    proposal = propose(paths)
    place = proposal.contract.column("place").header
    assert [(one.header, one.from_period, one.until_period) for one in place] == [
        ("Town", None, "2025-01"),
        ("Place", "2025-02", None),
    ]
    assert proposal.contract.column("open_value").since == "2025-03"
    assert [one.outcome.rows_valid for one in proposal.tried] == [4, 4, 4]
    assert "kind: full  # of the keys of a file, at least 100% are in the next one" in proposal.text


@pytest.mark.parametrize("names", [["a_2025-01.csv", "b_2025-02.csv"], ["a.csv", "a.txt"]])
def test_files_that_are_not_called_alike_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(UsageError, match=r"differ in more than a period|tell no period"):
        propose([write_people(tmp_path / name, people_rows(2)) for name in names])


def test_columns_that_end_or_are_there_now_and_then(tmp_path: Path) -> None:
    headers = {"01": ["id", "old", "note"], "02": ["id", "old"], "03": ["id", "note", "new"], "04": ["id", "new"]}
    paths = []
    for at, (month, header) in enumerate(headers.items()):
        rows = [[f"k{row}", *(f"{name} {at} {row}" for name in header[1:])] for row in range(3)]
        paths.append(write_csv(tmp_path / f"things_2025-{month}.csv", rows, header=header))
    proposal = propose(paths)
    columns = {column.name: column for column in proposal.contract.columns}
    assert (columns["old"].since, columns["old"].until, columns["old"].required) == (None, "2025-02", True)
    assert (columns["new"].since, columns["new"].until) == ("2025-03", None)
    assert (columns["note"].optional, columns["note"].required) == (True, False)
    assert [(one.refusal, one.outcome.rows_valid) for one in proposal.tried] == [("", 3)] * 4


def test_headers_that_look_alike_get_names_of_their_own(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x_2025.csv", [["1", "2", "3", "4"]], header=["Name", "NAME", "Nam\u00e9", ""])
    with pytest.raises(RefusedError, match="row 1 holds a header more than once: name"):
        propose([path])
    path = write_csv(tmp_path / "x_2025.csv", [["1", "2", "3", "4"]], header=["Name", "Nam\u00e9", "null", ""])
    proposal = propose([path])
    assert [*types(proposal)] == ["name", "name_2", "null_value"]
    assert "column 4 of x_2025.csv has values but no header" in proposal.decisions
    assert "column 4 has values but no header" in proposal.tried[0].refusal


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a_2025.pdf", b"%PDF", "no reader knows the extension '.pdf', only .xlsx, .xlsm, .xlsb, .xls, .ods, .csv"),
        ("a_2025.xlsx", b"", "a_2025.xlsx: "),
        ("a_2025.csv", b"", "a_2025.csv: "),
        ("a_2025.csv", b"\n\n", "a_2025.csv: row 1 holds no header; name the right one by --header-row"),
    ],
)
def test_what_cannot_be_read_is_refused(
    new_folder: Callable[..., Project], name: str, content: bytes, reason: str
) -> None:
    folder = new_folder()  # a project is not needed
    (folder.root / name).write_bytes(content)
    answer = folder.loader("propose", folder.root / name)
    assert answer.exit_code == 1
    assert reason in answer.output
    assert "Traceback" not in answer.output


def test_a_proposal_shows_no_cell(tmp_path: Path) -> None:
    path = write_people(tmp_path / "people_2025-01.csv", people_rows(5, name="Geheimnis", city="Atlantis"))
    proposal = propose([path])
    shown = "\n".join(chain([proposal.text], proposal.decisions, (one.rejected for one in proposal.tried)))
    assert "Geheimnis" not in shown
    assert "Atlantis" not in shown


def test_a_key_may_have_four_columns(tmp_path: Path) -> None:
    rows = [[*f"{number:04b}", "0.5"] for number in range(16)]
    path = write_csv(tmp_path / "things_2025-01.csv", rows, header=["w", "x", "y", "z", "n"])
    assert propose([path]).contract.key == ("w", "x", "y", "z")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_columns_of_groups_are_filled_down_and_part_of_the_key(tmp_path: Path, kind: str) -> None:
    groups = ["north", "", "", "", "south", "", "", ""]
    towns = ["a", "", "b", "", "a", "", "c", ""]
    rows = [[*row, at + 0.5] for at, row in enumerate(zip(groups, towns, "mfmfmfmf", strict=True))]
    write = write_workbook if kind == "xlsx" else write_csv
    rows = [[cell or None for cell in row] for row in rows] if kind == "xlsx" else rows
    proposal = propose([write(tmp_path / f"t_2025-01.{kind}", rows, header=["area", "town", "sex", "n"])])
    contract = proposal.contract
    assert [column.name for column in contract.columns if column.fill_down] == ["area", "town"]
    assert contract.key == ("area", "town", "sex")
    assert proposal.tried[0].outcome.rows_valid == 8
    asked = [one for one in proposal.decisions if "as in merged cells" in one]
    assert [one.partition(": ")[0] for one in asked] == ["t.columns.area", "t.columns.town"]
    assert "fill_down: true  # each value stands once, above 6 empty cells" in proposal.text


@pytest.mark.parametrize(
    "cells",
    [
        ["", "Dr.", "", "", "Prof.", ""],
        ["Dr.", "", "", "", "Dr.", ""],
        ["Dr.", "Prof.", "Dr. med.", "x", "", "y"],
    ],
    ids=["the first is empty", "a value comes again", "hardly any is empty"],
)
def test_a_column_with_empty_cells_is_no_column_of_groups(tmp_path: Path, cells: list[str]) -> None:
    rows = [[cell, f"k{at}"] for at, cell in enumerate(cells)]
    contract = propose([write_csv(tmp_path / "t_2025-01.csv", rows, header=["title", "id"])]).contract
    assert (contract.column("title").fill_down, contract.key) == (False, ("id",))


@pytest.mark.parametrize(
    ("cells", "meant", "asked"),
    [
        (["yes", "Y", "no", "N"], {"N": False, "Y": True, "no": False, "yes": True}, ""),
        (["ja", "0", "1", ""], {"0": False, "1": True, "ja": True}, ""),
        (["x", "", "X"], {"X": True, "x": True}, "a mark or nothing"),
    ],
)
def test_answers_in_several_words_are_mapped(
    tmp_path: Path, cells: list[str], meant: dict[str, bool], asked: str
) -> None:
    proposal = proposed(tmp_path, {"open": cells})
    column = proposal.contract.columns[1]
    assert (str(column.type), column.map) == ("boolean", meant)
    assert [asked in one for one in proposal.decisions if one.startswith("things.columns.")] == [True] * bool(asked)


@pytest.mark.parametrize("cells", [["0", "1", "0"], ["yes", "sometimes"], ["yes", "1"], ["x", "x"]], ids="-".join)
def test_other_texts_are_not_mapped(tmp_path: Path, cells: list[str]) -> None:
    assert proposed(tmp_path, {"open": cells}).contract.columns[1].map == {}


def test_headers_that_a_program_wrote_are_ignored_when_nothing_is_there(tmp_path: Path) -> None:
    rows = [[str(at), f"k{at}", "", f"{at}", ""] for at in range(3)]
    path = write_csv(tmp_path / "t_2025-01.csv", rows, header=["Unnamed: 0", "id", "Unnamed: 2", "Column1", "Remark"])
    proposal = propose([path])
    assert proposal.contract.ignore == ("Unnamed: 2", "Unnamed: 0", "Column1")
    assert [*types(proposal)] == ["id", "remark"]
    assert proposal.tried[0].outcome.rows_valid == 3
    asked = "\n".join(proposal.decisions)
    assert "t.ignore: what is named here is never read" in asked
    assert "t.columns.remark: no cell is filled; which type has it?" in asked


def test_a_set_that_may_be_closed_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    cells = {"state": ["open", "shut", "lost"] * 30, "town": [f"town {at}" for at in range(90)]}
    proposal = proposed(tmp_path, cells)
    asked = [one for one in proposal.decisions if "'allowed'" in one]
    assert asked == ["things.columns.state: 3 different texts in 90 cells; 'allowed' lists them if no other may come"]
    assert "shut" not in proposal.text


@pytest.mark.parametrize(
    ("above", "line", "period"),
    [
        (["Towns", "As of: January 2025"], r"As of[\W_]+(?P<month>[^\W\d_]+\.?) (?P<year>\d{4})", "2025-01"),
        (["Stand 31.01.2025 (Meier)"], r"Stand[\W_]+\d{2}\.(?P<month>\d{2})\.(?P<year>\d{4})(?:\W.*)?", "2025-01"),
        (["of 2023", "Period: 2025-Q1"], r"Period[\W_]+(?P<year>\d{4})-Q(?P<quarter>[1-4])", "2025-Q1"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_period_in_a_line_above_the_header(
    new_project: Callable[..., Project], above: list[str], line: str, period: str, kind: str
) -> None:
    project = new_project("duckdb")
    write = write_workbook if kind == "xlsx" else write_csv
    rows = [[f"k{at}", at] for at in range(3)]
    path = write(project.landing / f"stations.{kind}", rows, header=["id", "n"], above=[[text] for text in above])
    proposal = propose([path])
    assert proposal.contract.period_within.line == rf"(?:.*\W)?{line}"  # type: ignore[union-attr]
    assert "Meier" not in proposal.text
    adopt(project, proposal.text)
    assert f"loaded     stations {period}  3 rows" in project.loader("load").output


@pytest.mark.parametrize(("sheet", "day", "period"), [("Data", 31, "2025-01"), ("Cover", 14, "2025-01-14")])
def test_a_period_in_a_date_cell(new_project: Callable[..., Project], sheet: str, day: int, period: str) -> None:
    project = new_project("duckdb")
    told: list[list[Any]] = [["Report", None, None], ["made", dt.datetime(2025, 1, day), None]]
    data: list[list[Any]] = [["id", "town", "n"], *([f"k{at}", "x", at] for at in range(40))]
    sheets = {"Cover": told, "Data": data} if sheet == "Cover" else {"Data": [*told, *data]}
    path = write_sheets(project.landing / "stations.xlsx", sheets)
    proposal = propose([path])
    within = proposal.contract.period_within
    assert (within.cell, within.sheet) == ("B2", "Cover" if sheet == "Cover" else None)  # type: ignore[union-attr]
    assert any("stations.grain: a file tells a day" in one for one in proposal.decisions)
    adopt(project, proposal.text)
    assert f"loaded     stations {period}  40 rows" in project.loader("load").output


def test_lines_that_tell_several_periods_tell_none(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["k", "1"]], header=["id", "n"], above=[["made 2025-02"], ["of 2025-01"]])
    assert any("the name tells no period that is known" in one for one in propose([path]).decisions)


@pytest.mark.parametrize(
    ("name", "period", "ask"),
    [
        ("sales_FY2025-P03.csv", "FY2025-P03", "fiscal_year.first_month: with which month does the year begin?"),
        ("sales_fy25_p11.csv", "FY2025-P11", "years of two digits"),
        ("P03 GJ2025 sales.csv", "FY2025-P03", "fiscal_year.periods: months, or weeks"),
        ("sales_FY2025P13.csv", "FY2025-P13", "fiscal_year.end_is: on the last such day"),
        ("sales_FY2025.csv", "2025", "a fiscal year, as FY before it says?"),
    ],
)
def test_fiscal_years_in_names(tmp_path: Path, name: str, period: str, ask: str) -> None:
    path = write_csv(tmp_path / name, [["k1", "1"], ["k2", "2"]], header=["id", "n"])
    proposal = propose([path], "sales")
    contract = proposal.contract
    told = told_by(contract.match(name) or [])
    assert contract.period(contract.spelling.name(told)).name == period
    assert any(ask in one for one in proposal.decisions)
    assert proposal.tried[0].outcome.rows_valid == 2
