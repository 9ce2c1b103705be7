"""Deliveries whose period stands within them: in a cell, or in a line above the header."""

from __future__ import annotations

import datetime as dt
import os
import re
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import ValidationError

from loader.contracts import Contract
from loader.errors import RefusedError
from loader.staging.read_period import read_period
from tests.conftest import Project
from tests.support import shop
from tests.support.deliveries import change_contract, contract_of, follow_contracts
from tests.support.engines import Engine
from tests.support.shop import ANY_PRODUCT, COLUMNS, load, open_shop, prepared, skus
from tests.support.workbooks import write_sheets

PRODUCTS = shop.PRODUCTS.replace("guard: {ended: 0.5, changed: 0.5}", "guard: {ended: 1, changed: 1}")
NAME = r"file_name: 'products_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'"
IN_LINE = PRODUCTS.replace(NAME, r"file_name: 'products.*\.csv'").replace(
    "format: {type: csv}",
    r"""format: {type: csv, header_row: 3, comment: '#'}
    period: {line: '.*As of (?P<month>\w+\.?) (?P<year>\d{4})'}
    language: en""",
)
IN_CELL = PRODUCTS.replace(NAME, r"file_name: 'products(?:_(?P<year>\d{4}))?.*\.xlsx'").replace(
    "format: {type: csv}", "format: {type: workbook, sheet: Data}\n    period: {cell: B2, sheet: Cover}"
)


@pytest.fixture
def lines(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, _lines)


@pytest.fixture
def cells(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, _cells)


def _lines(project: Project) -> None:
    open_shop(project, IN_LINE)


def _cells(project: Project) -> None:
    open_shop(project, IN_CELL)


def text(project: Project, name: str, *above: str, sku: str = "P1") -> Path:
    row = {**ANY_PRODUCT, "sku": sku}
    path = project.landing / name
    path.write_text("\n".join([*above, ",".join(COLUMNS), ",".join(row.values()), ""]), encoding="utf-8")
    return path


def book(project: Project, name: str, told: Any, sku: str = "P1") -> Path:
    row = {"sku": sku, "name": "Tea"}
    data = [list(COLUMNS), [row.get(column) for column in COLUMNS]]
    return write_sheets(project.landing / name, {"Cover": [["Report", None], ["Period", told]], "Data": data})


def test_a_line_tells_the_period_and_is_read_once(lines: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    text(lines, "products_a.csv", "Products", '"As of January 2025",,,')
    text(lines, "products_b.csv", "# As of Feb. 2025", "Products", "of the shop", sku="P2")
    output = load(lines)
    assert "loaded     products 2025-01  1 rows from products_a.csv" in output
    assert "loaded     products 2025-02  1 rows from products_b.csv" in output
    assert (skus(lines, "2025-01"), skus(lines, "2025-02")) == (["P1"], ["P2"])
    opened = opened_files(monkeypatch)
    (lines.landing / "products_b.csv").rename(lines.landing / "products_c.csv")
    assert "0 loaded, 0 refused, 2 unchanged" in load(lines)
    assert "is version 1 of products 2025-02" in load(lines, "--period", "2025-02")
    assert lines.loader("status").exit_code == 0
    assert opened == []
    change_contract(lines, ".*As of", ".*as OF")
    follow_contracts(lines)
    assert "2 loaded, 0 refused" in load(lines)
    assert sorted(opened) == ["products_a.csv", "products_c.csv"]
    text(lines, "products_a.csv", "Products", "As of March 2025", sku="P3")
    assert "loaded     products 2025-03" in load(lines)
    assert skus(lines) == ["P1", "P2", "P3"]


def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose lines are read from now on."""
    from loader.staging import read_period

    opened: list[str] = []
    read = read_period.lines_above
    monkeypatch.setattr(read_period, "lines_above", lambda *given: opened.append(given[0].name) or read(*given))
    return opened


def test_no_file_is_opened_twice_though_it_is_refused_or_not_asked_for(
    lines: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_files(monkeypatch)
    text(lines, "products_1.csv", "", "As of January 2025")
    text(lines, "products_2.csv", "", "As of February 2025", sku="P2")
    text(lines, "products_3.csv", "", "As of Brumaire 2025")
    load(lines, "--period", "2025-02")
    assert sorted(opened) == ["products_1.csv", "products_2.csv", "products_3.csv"]
    opened.clear()
    (lines.landing / "products_3.csv").rename(lines.landing / "products_4.csv")
    assert lines.loader("status").exit_code == 0
    assert "refused    products_4.csv: no period is found within: 'Brumaire'" in load(lines, refused=True)
    assert (opened, skus(lines, "2025-01")) == ([], ["P1"])
    monkeypatch.setattr("loader.staging.period_within.READER_REVISION", 1_000)
    assert lines.loader("status").exit_code == 0
    assert len(opened) == 3
    load(lines, refused=True)
    opened.clear()
    load(lines, refused=True)
    assert opened == []


def test_no_line_or_two_are_refused(lines: Project) -> None:
    cases = {
        "products_1.csv": (("Products", "of 2025"), "no line above the header is written '.*As of "),
        "products_2.csv": (("As of May 2025", "As of June 2025"), "lines above the header tell 2025-05 and 2025-06"),
        "products_3.csv": (("", "As of Brumaire 2025"), "'Brumaire' is not the name of one month in 'en'"),
    }
    for name, (above, _) in cases.items():
        text(lines, name, *above)
    output = load(lines, refused=True)
    for name, (_, reason) in cases.items():
        assert f"refused    {name}: no period is found within: {reason}" in output
    assert output.count("correct the file, or 'period' in the contract") == 3
    shown = {line["file"]: line["state"] for line in lines.loader("status", "--json").json}
    assert shown == dict.fromkeys(cases, "refused")


def test_a_cell_tells_the_period(cells: Project) -> None:
    book(cells, "products_2025_a.xlsx", dt.datetime(2025, 1, 31))
    book(cells, "products_2025_b.xlsx", " 2025-02 ", "P2")
    book(cells, "products_2024_c.xlsx", "2025-03")
    book(cells, "products_d.xlsx", None)
    book(cells, "products_e.xlsx", "Geheimnis")
    book(cells, "products_f.xlsx", 202504)
    book(cells, "products_g.xlsx", True)
    output = load(cells, refused=True)
    assert (skus(cells, "2025-01"), skus(cells, "2025-02")) == (["P1"], ["P2"])
    where = "cell B2 on sheet 'Cover'"
    assert f"products_2024_c.xlsx: the file name tells the year 2024, and {where} tells 2025-03; correct" in output
    for name, reason in (
        ("d", "is empty"),
        ("e", "holds a text that is not the period of a month written like 2025-06"),
        ("f", "holds a number that is not the period of a month written like 2025-06"),
        ("g", "holds no date, text or number, but boolean"),
    ):
        assert f"products_{name}.xlsx: no period is found within: {where} {reason}; correct the file" in output
    assert "Geheimnis" not in output
    for left in ("2024_c", "d", "e", "g"):
        (cells.landing / f"products_{left}.xlsx").unlink()
    change_contract(cells, "grain: month", "grain: month\n    period_format: YYYYMM")
    change_contract(cells, "sheet: Cover", "sheet_pattern: '^Co'")
    book(cells, "products_2025_b.xlsx", 202502, "P4")
    follow_contracts(cells)
    assert "loaded     products 2025-04" in load(cells)
    assert (skus(cells, "2025-02"), skus(cells, "2025-04")) == (["P4"], ["P1"])


def test_a_named_file_is_read_too_and_kept_times_do_not_matter(cells: Project) -> None:
    path = book(cells, "products_x.xlsx", dt.datetime(2025, 6, 14, 12))
    assert "loaded     products 2025-06" in load(cells, "--file-path", path)
    os.utime(path, (0, 0))
    assert "products 2025-06, 1 rows" in cells.loader("plan", path).output
    path.write_bytes(b"no workbook")
    assert "products_x.xlsx: " in load(cells, "--file-path", path, refused=True)
    purge = cells.loader("purge", "--dataset", "products", "--key", "P1", "--yes")
    assert "cannot be read: products_x.xlsx" in purge.output, purge.output


@pytest.mark.parametrize(
    ("sheet", "place"),
    [
        ("sheet: 1", "cell B2 on sheet 1"),
        ("sheet_pattern: ^Cov", "cell B2 on the sheet that matches '^Cov'"),
        ("sheet: 3", "there is no sheet 3"),
    ],
)
def test_the_sheet_is_named_as_that_of_the_data(tmp_path: Path, sheet: str, place: str) -> None:
    contract = declared(period=f"{{cell: B2, {sheet}}}", format="{type: workbook, sheet: Data}")
    path = write_sheets(tmp_path / "p.xlsx", {"Cover": [["Report", None], ["Period", "2025-02"]], "Data": [["sku"]]})
    if "no sheet" in place:
        with pytest.raises(RefusedError, match="no sheet 3 that is not hidden"):
            read_period(path, contract)
    else:
        assert read_period(path, contract) == "2025-02"
        assert contract.period_within.place == place


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "xlsb", "ods"])
def test_every_kind_of_workbook_tells_it(new_project: Callable[..., Project], suffix: str) -> None:
    project = prepared(new_project, "duckdb", _cells)
    change_contract(project, r"\.xlsx", rf"\.{suffix}")
    book(project, f"products_a.{suffix}", dt.datetime(2025, 1, 31))
    book(project, f"products_b.{suffix}", "2025-02")
    filled = (["Products"], ["Total", "as of 2025-03"], list(COLUMNS), ["P3"])
    data = [[*row, *[None] * (len(COLUMNS) - len(row))] for row in filled]
    load(project)
    assert (skus(project, "2025-01"), skus(project, "2025-02")) == (["P1"], ["P1"])
    change_contract(project, "sheet: Data", "header_row: 3")
    change_contract(project, "{cell: B2, sheet: Cover}", r"{line: 'As of (?P<period>\d{4}-\d\d)'}")
    for path in project.landing.iterdir():
        path.unlink()
    write_sheets(project.landing / f"products.{suffix}", {"Data": data})
    assert "loaded     products 2025-03" in load(project)


def test_a_formula_in_the_cell_is_taken_when_it_was_calculated(new_project: Callable[..., Project]) -> None:
    """openpyxl writes formulas without a result, and asks for all to be calculated."""
    project = prepared(new_project, "duckdb", _cells)
    path = book(project, "products_a.xlsx", "2025-01")
    written = openpyxl.load_workbook(path)
    written["Cover"]["B2"] = "=1+2024"
    written.save(path)
    assert "the formula in cell B2 was never calculated" in load(project, refused=True)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            result = b't="str"><f>1+2024</f><v>2025-01</v>'
            archive.writestr(name, re.sub(rb"><f>1\+2024</f><v ?/>|><f>1\+2024</f><v></v>", b" " + result, content))
    assert "cell B2 holds a formula that the workbook asks to be calculated" in load(project, refused=True)
    change_contract(project, "sheet: Data", "sheet: Data, formulas: as_stored")
    assert "loaded     products 2025-01" in load(project)


def test_a_period_is_said_by_hand(engine: Engine, new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, engine, _lines)
    told = r"period: {line: '.*As of (?P<month>\w+\.?) (?P<year>\d{4})'}"
    change_contract(project, f"{told}\n    language: en", "period: by_hand")
    change_contract(project, "products.*", r"products(?:_(?P<year>\d{4}))?")
    path = text(project, "products_2025.csv", "", "")
    said = "products_2025.csv: its period is said by hand; load it by `loader load --file-path FILE --period PERIOD`"
    assert said in load(project, refused=True)
    wrong = load(project, "--file-path", path, "--period", "2024-12", refused=True)
    assert "products_2025.csv: the file name tells the year 2025, and --period tells 2024-12" in wrong
    done = project.loader("load", "--file-path", path, "--period", "2025")
    assert (done.exit_code, "--period: '2025' is not a month period" in done.output) == (2, True)
    assert "loaded     products 2025-01" in load(project, "--file-path", path, "--period", "2025-01")
    assert skus(project, "2025-01") == ["P1"]
    path = path.rename(path.with_name("products.csv"))
    assert "0 loaded, 0 refused, 1 unchanged" in load(project)
    path = text(project, "products.csv", "", "", sku="P2")
    assert project.loader("ingest", "--file-path", path, "--period", "2025-02").exit_code == 0
    assert "loaded     products 2025-02" in load(project)


def test_a_period_that_is_told_and_said_must_be_the_same(new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, "duckdb", _cells)
    path = book(project, "products.xlsx", "2025-01")
    refused = project.loader("load", "--file-path", path, "--period", "2025-02")
    assert refused.exit_code == 2
    assert "products.xlsx is of products 2025-01, and --period says 2025-02; leave the option out, or" in refused.output
    assert "loaded     products 2025-01" in load(project, "--file-path", path, "--period", "2025-01")


def declared(**words: Any) -> Contract:
    given = "".join(f"    {word}: {value}\n" for word, value in words.items() if word != "format")
    base = PRODUCTS.replace(NAME, r"file_name: 'p\.csv'").replace(
        "format: {type: csv}", f"format: {words.get('format', '{type: workbook}')}"
    )
    text = base.replace("    kind: full\n", f"    kind: full\n{given}").partition("datasets:")[2]
    return contract_of(textwrap.dedent(text))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"period": "{cell: B2, line: x}"}, "either the 'cell' or the 'line'"),
        ({"period": "{}"}, "either the 'cell' or the 'line'"),
        (
            {"period": "{line: '(?P<period>.*)', sheet: A}", "format": "{type: csv, header_row: 2}"},
            "'sheet' and 'sheet_pattern' belong to a 'cell'",
        ),
        ({"period": "{cell: B2}", "format": "{type: csv}"}, "a text file has no cells outside its table"),
        ({"period": "{line: '(?P<period>.*)'}"}, "no line is above the header, which is in row 1"),
        ({"period": "{line: '(?P<month>.*)'}", "format": "{type: csv, header_row: 2}"}, "needs a named group"),
        (
            {"period": "{line: '(?P<order>.)(?P<period>.)'}", "format": "{type: csv, header_row: 2}"},
            "'order' tells nothing",
        ),
        (
            {"period": "{line: '(?P<period>.'}", "format": "{type: csv, header_row: 2}"},
            "not a valid regular expression",
        ),
        ({"period": "{cell: b2}"}, "match pattern"),
        ({"period": "{cell: B2, sheet: 0}"}, "sheets are counted from 1"),
        ({"period": "{cell: B2, sheet: A, sheet_pattern: A}"}, "two ways to say the same"),
        ({}, "needs a named group"),
    ],
)
def test_mistakes_are_told(words: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(reason)):
        declared(**words)
