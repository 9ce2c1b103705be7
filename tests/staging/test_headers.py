"""Headers that come, go and are left out: what a contract may say of them, and what a load makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.deliveries import change_contract, rejects
from tests.support.engines import Engine
from tests.support.shop import PRODUCTS, Cells, deliver, load, open_shop, prepared, products, stage

ABSENT = "weight: optional column not in the file, NULL"


def shop_of_change(project: Project) -> None:
    """Two products in January; a column may be lacking, one ends in February, and some headers are not read."""
    open_shop(project)
    change_contract(project, "Weight in kg.", "Weight in kg., optional: true")
    change_contract(project, "Name.}", "Name., until: 2025-02}")
    change_contract(project, "    guard: {", "    ignore: ['Notes (ours)', 'Unnamed.*', Ümlaut]\n    guard: {")
    change_contract(project, "changed: 0.5", "changed: 0.2")
    deliver(project, "2025-01", products("P1", "P2"))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, shop_of_change)


def without(rows: list[Cells], *names: str) -> list[Cells]:
    return [{name: cell for name, cell in row.items() if name not in names} for row in rows]


def test_headers_that_are_ignored_and_columns_that_are_lacking(shop: Project) -> None:
    rows = [
        {"NOTES (OURS)": "secret", **row, "unnamed: 12": "x", " Ümlaut\n": "y"}
        for row in without(products("P1", "P2"), "weight")
    ]
    path = deliver(shop, "2025-02", rows)
    made = shop.loader("plan", path, "--json").json
    assert made["notes"] == {ABSENT: 1}
    assert made["verdict"]["change"]["changed"] == 0, "the guard leaves the column out that is not there"
    assert f"noted: {ABSENT} (1)" in load(shop)
    assert stage(shop, "2025-02", ["sku", "name", "weight"]) == [("P1", "Tea", None), ("P2", "Tea", None)]
    assert rejects(shop) == [("1", "weight", "", "optional column not in the file, NULL")]

    path = deliver(shop, "2025-03", without(products("P1", "P2"), "name"))
    change = shop.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["changed"], change["changed_by_column"]) == (0, {}), "the name ended, the weight is back"
    load(shop)
    assert stage(shop, "2025-03", ["sku", "name", "weight"]) == [("P1", None, 0.25), ("P2", None, 0.25)]
    assert "unknown: name. Found" in load(
        shop, "--file-path", deliver(shop, "2025-04", products("P1", "P2")), refused=True
    )


def test_the_guard_sees_what_changes_beside_a_lacking_column(shop: Project) -> None:
    rows = without([{**row, "price": "3.50"} for row in products("P1", "P2")], "weight")
    assert "would change 2 of 2 keys" in load(shop, "--file-path", deliver(shop, "2025-02", rows), refused=True)


def test_a_required_column_that_ends_is_asked_for_until_then(shop: Project) -> None:
    change_contract(shop, "Name., until: 2025-02", "Name., required: true, since: 2025-01, until: 2025-02")
    load(shop)
    deliver(shop, "2025-03", without(products("P1", "P2"), "name"))
    load(shop, "--period", "2025-03")
    suite = (shop.root / "gx/expectations/stage/products.json").read_text(encoding="utf-8")
    assert "name is filled since 2025-01 until 2025-02" in suite
    assert shop.loader("gate", "stage").exit_code == 0


# --- loader accept-header ---------------------------------------------------------------------------------------------

WRITTEN = """      sku: {type: varchar(8), description: Number of the product., required: true}   # never changes
      name:   # as in the catalogue
        type: varchar(40)     # in letters
        description: Name.
"""


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    project = new_project("duckdb")
    written = PRODUCTS.replace(
        "      sku: {type: varchar(8), description: Number of the product., required: true}\n"
        "      name: {type: varchar(40), description: Name.}\n",
        WRITTEN,
    )
    assert WRITTEN in written
    return open_shop(project, written)


def config(project: Project) -> str:
    return (project.root / "datasets_config.yml").read_text(encoding="utf-8")


def called(rows: list[Cells], old: str, new: str) -> list[Cells]:
    return [{new if name == old else name: cell for name, cell in row.items()} for row in rows]


def test_a_refused_header_is_accepted_as_its_message_says_and_twice(local: Project) -> None:
    before = config(local)
    rows = [{**row, "Fax (old)": "1"} for row in called(products("P1"), "listed_on", "Listed on")]
    path = deliver(local, "2025-02", rows)
    said = load(local, "--file-path", path, refused=True)
    lines = [
        "columns.listed_on: `header: [listed_on, {header: Listed on, from: 2025-02}]`",
        "the dataset: `ignore: [Fax \\(old\\)]`",
    ]
    assert "; ".join(lines) in said
    asked = local.loader("accept-header", path)
    assert (asked.exit_code, config(local)) == (2, before)
    assert "nobody is here to confirm it" in asked.output
    done = local.loader("accept-header", path, "--yes")
    assert done.exit_code == 0, done.output
    assert "+    ignore: [Fax \\(old\\)]" in done.output
    assert WRITTEN in config(local)
    load(local, "--file-path", path)
    assert "nothing to accept" in local.loader("accept-header", path, "--yes").output

    rows = [{**row, "Fax 2": "1"} for row in called(products("P1"), "listed_on", "LISTED-ON")]
    path = deliver(local, "2025-03", rows)
    assert local.loader("accept-header", path, "--yes").exit_code == 0
    assert "header: [listed_on, {header: Listed on, from: 2025-02}, {header: LISTED-ON, from: 2025-03}]" in config(
        local
    )
    assert "ignore: [Fax \\(old\\), Fax 2]" in config(local)
    load(local, "--file-path", path)


def test_what_nobody_can_tell_is_asked_for(local: Project) -> None:
    path = deliver(local, "2025-02", called(products("P1"), "name", "Title"))
    assert "once it is told which of them is which" in load(local, "--file-path", path, refused=True)
    asked = local.loader("accept-header", path, "--yes")
    assert asked.exit_code == 2
    assert "whether Title is a new name of name" in asked.output
    assert local.loader("accept-header", path, "--renamed", "Title=titel", "--yes").exit_code == 2
    assert local.loader("accept-header", path, "--renamed", "Title=name", "--yes").exit_code == 0
    load(local, "--file-path", path)
    assert stage(local, "2025-02", ["name"]) == [("Tea",)]
    path = deliver(local, "2025-03", without(called(products("P1"), "name", "Other"), "weight"))
    assert local.loader("accept-header", path, "--ignored", "Other", "--yes").exit_code == 0
    words = config(local).split("# in letters\n")[1]
    assert words.startswith(
        "        optional: true\n        header: [name, {header: Title, from: 2025-02}]\n        description: Name.\n"
    )
    load(local, "--file-path", path)


@pytest.mark.parametrize("rows", [without(products("P1"), "sku")], ids=["without its key"])
def test_what_no_contract_can_take_is_refused(local: Project, rows: list[Cells]) -> None:
    path, before = deliver(local, "2025-02", rows), config(local)
    done = local.loader("accept-header", path, "--yes")
    assert (done.exit_code, config(local)) == (1, before)
    assert "cannot lack sku" in done.output
