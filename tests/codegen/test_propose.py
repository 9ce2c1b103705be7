"""A proposed contract: it is one, and it loads the file that it was made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loader.codegen.propose import propose
from tests.conftest import Project
from tests.support.deliveries import contract_of, follow_contracts, people_rows, write_csv, write_people, write_workbook

ORDERS = ["No.", "Größe", "No", "Ordered on", "Seen at", "Price", "PLZ", "dbt_id", "2nd name"]


def adopt(project: Project, proposed: str) -> None:
    """What a person does with a proposal that is right: put it below `datasets:`."""
    config = project.root / "datasets_config.yml"
    config.write_text(f"{config.read_text(encoding='utf-8').rstrip()}\n{proposed}", encoding="utf-8")
    follow_contracts(project)


def types(proposed: str) -> dict[str, str]:
    return {column.name: str(column.type) for column in contract_of(proposed).columns}


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
    adopt(project, result.stdout)
    result = project.loader("load", "--period", "2025-06")

    assert result.exit_code == 0, result.output
    assert "1 loaded, 0 refused, 0 unchanged; 3 rows in" in result.output
    columns = "no, grosse, no_3, ordered_on, seen_at, price, plz, c_dbt_id, c_2nd_name, c_order"
    (first, *_) = project.sql(f"select {columns} from stage.customer_s_orders order by _source_row")
    assert first[:5] == (1, "L", "x", day, moment)
    assert float(first[5]) == 1.5
    assert first[6:] == ("01067", None, "b", "c")


@pytest.mark.parametrize(
    ("cells", "declared"),
    [
        (["1", "2"], "integer"),
        (["1", "99999999999"], "bigint"),
        (["1", "2.5"], "decimal(18,2)"),
        (["1", "2.1234"], "decimal(18,6)"),
        (["1", "2.123456789"], "double"),
        (["01067", "9111"], "varchar(5)"),
        (["2025-06-13", ""], "date"),
        (["13.06.2025", "01.02.2025"], "date"),
        (["2025-06-13 10:30", "2025-06-13"], "timestamp"),
        (["a", ""], "varchar(1)"),
        (["", ""], "varchar(1)"),
        (["no", "x" * 5000], "varchar(4000)"),
        (["1,5", "2"], "varchar(3)"),
    ],
)
def test_types_are_what_the_sample_shows(tmp_path: Path, cells: list[str], declared: str) -> None:
    rows = [[f"k{number}", cell] for number, cell in enumerate(cells)]
    path = write_csv(tmp_path / "things_2025.csv", rows, header=["id", "value"], delimiter=";")
    proposed = propose(path)
    assert types(proposed)["value"] == declared
    assert contract_of(proposed).key == ("id",)


@pytest.mark.parametrize(
    ("name", "grain", "dataset"),
    [
        ("sales_2025-06-14.csv", "day", "sales"),
        ("sales_2025-06.csv", "month", "sales"),
        ("2025-Q2 sales (final).csv", "quarter", "sales_final"),
        ("sales2025.csv", "year", "sales"),
        ("sales.csv", "month", "sales"),
        ("2025.csv", "year", "dataset"),
    ],
)
def test_the_file_name_tells_grain_and_dataset(tmp_path: Path, name: str, grain: str, dataset: str) -> None:
    path = write_people(tmp_path / name, people_rows(2))
    contract = contract_of(propose(path))
    assert (str(contract.grain), contract.name) == (grain, dataset)
    match = contract.match(name)
    if name != "sales.csv":  # contains no period
        assert match is not None
        assert contract.period(match["period"]).name in name
    assert contract_of(propose(path, "turnover")).name == "turnover"


def test_headers_that_look_alike_get_names_of_their_own(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x_2025.csv", [["1", "2", "3", "4"]], header=["Name", "NAME", "Nam\u00e9", ""])
    with pytest.raises(ValueError, match="have the same header 'NAME'"):
        contract_of(propose(path))  # no loader could tell them apart: the sender has to
    path = write_csv(tmp_path / "x_2025.csv", [["1", "2", "3", "4"]], header=["Name", "Nam\u00e9", "null", ""])
    assert [column.name for column in contract_of(propose(path)).columns] == ["name", "name_2", "c_null"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a_2025.pdf", b"%PDF", "no reader knows the extension '.pdf', only .xlsx, .xlsm, .xlsb, .xls, .ods, .csv"),
        ("a_2025.xlsx", b"", "a_2025.xlsx: "),
        ("a_2025.csv", b"", "a_2025.csv: "),
    ],
)
def test_what_cannot_be_read_is_refused(
    new_project: Callable[..., Project], name: str, content: bytes, reason: str
) -> None:
    project = new_project("duckdb")
    (project.root / name).write_bytes(content)
    answer = project.loader("propose", project.root / name)
    assert answer.exit_code == 1
    assert reason in answer.output
    assert "Traceback" not in answer.output


def test_a_proposal_shows_no_cell(tmp_path: Path) -> None:
    path = write_people(tmp_path / "people_2025-01.csv", people_rows(5, name="Geheimnis", city="Atlantis"))
    assert "Geheimnis" not in propose(path)
    assert "Atlantis" not in propose(path)
