"""Headers that come, go and are left out: what a contract may say of them, and what a load makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.deliveries import change_contract, rejects
from tests.support.engines import Engine
from tests.support.shop import Cells, deliver, load, open_shop, prepared, products, stage

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
