"""Keys that only rejected rows have, and rows that share a key: what a load keeps of them, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from loader.files import sha256_of
from tests.conftest import Project
from tests.support.deliveries import change_contract, rejects
from tests.support.engines import Engine
from tests.support.shop import PRODUCTS, archived, deliver, load, open_shop, prepared, products, skus

CONTRACT = PRODUCTS.replace(
    "guard: {ended: 0.5, changed: 0.5}", "invalid_rows: {action: reject_rows, max_share: 0.9}\n    guard: {ended: 0.2}"
)
BAD: dict[str, Any] = {"price": "cheap"}
NO_KEY: dict[str, Any] = {"sku": "much too long"}
FOUR = ("P1", "P2", "P3", "P4")


def bad(sku: str) -> dict[str, Any]:
    return {"sku": sku, **BAD}


def tolerant_shop(project: Project) -> None:
    """Four products in January; rejected rows are allowed."""
    open_shop(project, CONTRACT)
    deliver(project, "2025-01", products(*FOUR))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, tolerant_shop)


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    """The same on DuckDB, for what no engine has a part in."""
    return prepared(new_project, "duckdb", tolerant_shop)


def unknown(shop: Project) -> list[tuple[Any, ...]]:
    """(period, key, row) of the unknown keys in stage, each of the active load of its period."""
    return shop.sql(
        "select named._data_period, named.sku, named._source_row from stage.products__unknown as named "
        "inner join meta.dataset_version as loads on named._load_id = loads.load_id and loads.state = 'active' "
        "order by named._data_period, named.sku"
    )


def counts(shop: Project, period: str) -> tuple[Any, ...]:
    (found,) = shop.sql(
        "select row_count, unknown_keys, unreadable_keys from meta.dataset_version "
        f"where data_period = '{period}' and state = 'active'"
    )
    return found


def test_a_load_keeps_the_keys_that_only_rejected_rows_have(shop: Project) -> None:
    rows = products("P1", bad("P1"), bad("P3"), bad("P2"), bad("P2"), "P4", "P4", {**NO_KEY, **BAD}, bad(""))
    deliver(shop, "2025-02", rows)
    said = load(shop)
    assert "3 keys only in rejected rows" in said
    assert "2 rejected rows without a readable key, so incomplete: nothing ends" in said
    assert skus(shop, "2025-02") == ["P1"]
    assert unknown(shop) == [("2025-02", "P2", 5), ("2025-02", "P3", 4), ("2025-02", "P4", 7)]
    assert counts(shop, "2025-02") == (1, 3, 2)
    ((name, sha256),) = shop.sql("select unknown_path, unknown_sha256 from meta.dataset_version where version_no = 1"
                                 " and data_period = '2025-02'")  # fmt: skip
    assert [row["sku"] for row in archived(shop, name)] == ["P3", "P2", "P4"]
    assert sha256_of(shop.root / "data" / "stage" / "cleaned" / name) == sha256
    (line,) = [line for line in shop.loader("status", "--json").json if line["period"] == "2025-02"]
    assert (line["unknown_keys"], line["unreadable_keys"]) == (3, 2)
    assert "products 2025-02: 3 keys only in rejected rows" in shop.loader("status").output


def test_they_follow_reloads_and_rollbacks(shop: Project) -> None:
    deliver(shop, "2025-02", products("P1", "P2", "P3", bad("P4")))
    load(shop)
    deliver(shop, "2025-02", products("P1", "P2", bad("P3"), "P4"))
    load(shop)
    assert unknown(shop) == [("2025-02", "P3", 4)]
    rollback = ("rollback", "--dataset", "products", "--period", "2025-02")
    assert shop.loader(*rollback).exit_code == 0
    assert unknown(shop) == [("2025-02", "P4", 5)]
    assert shop.loader(*rollback, "--to", 0).exit_code == 0
    assert shop.sql("select count(*) from stage.products__unknown") == [(0,)]
    assert shop.loader(*rollback, "--to", "2").exit_code == 0
    assert unknown(shop) == [("2025-02", "P3", 4)]


def test_a_purge_removes_them(shop: Project) -> None:
    deliver(shop, "2025-02", products("P1", "P2", bad("P3"), bad("P4")))
    load(shop)
    purge = ("purge", "--dataset", "products", "--yes")
    assert shop.loader(*purge, "--key", "P3").exit_code == 0
    assert unknown(shop) == [("2025-02", "P4", 5)]
    assert counts(shop, "2025-02") == (2, 1, 0)
    names = [name for (name,) in shop.sql("select unknown_path from meta.dataset_version where unknown_keys = 1")]
    assert [row["sku"] for name in names for row in archived(shop, name)] == ["P4"]
    assert shop.sql("select count(*) from stage.products where sku = 'P3'") == [(0,)]
    kept = [path.name for path in (shop.root / "data/stage/cleaned/products").iterdir()]
    assert len([name for name in kept if ".unknown" in name]) == 1
    deliver(shop, "2025-03", products("P1", "P2", "P4"))
    load(shop)
    assert shop.loader(*purge, "--before", "2025-03").exit_code == 0
    assert shop.sql("select count(*) from stage.products__unknown") == [(0,)]
    kept = [path.name for path in (shop.root / "data/stage/cleaned/products").iterdir()]
    assert not [name for name in kept if ".unknown" in name]


def test_the_same_rows_with_other_unknown_keys_are_another_load(local: Project) -> None:
    path = deliver(local, "2025-02", products("P1", "P2", "P3", bad("P4")))
    load(local)
    local.loader("purge", "--dataset", "products", "--key", "P4", "--yes")
    assert "version 2" in load(local, "--force", "--file-path", path)
    assert "unchanged" in load(local, "--force", "--file-path", path)
    assert unknown(local) == [("2025-02", "P4", 5)]


def test_unknown_keys_neither_end_nor_change_for_guard_and_plan(local: Project) -> None:
    path = deliver(local, "2025-02", products("P1", "P2", bad("P3"), bad("P4")))
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert [change[word] for word in ("before", "new", "changed", "ended", "unchanged")] == [4, 0, 0, 0, 4]
    load(local)
    path = deliver(local, "2025-03", products("P1", "P2", "P3", {**NO_KEY, **BAD}))
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert [change[word] for word in ("before", "new", "changed", "ended", "unchanged")] == [4, 0, 0, 0, 4]
    load(local)
    path = deliver(local, "2025-04", products("P1", "P2", "P3"))
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert [change[word] for word in ("before", "ended", "unchanged")] == [4, 1, 3]
    assert "would end 1 of 4 keys (25.0%" in load(local, refused=True)


def test_a_rejected_row_can_be_an_absence(local: Project) -> None:
    change_contract(local, "    guard:", "    rejected_rows: absent\n    guard:")
    deliver(local, "2025-02", products("P1", "P2", "P3", bad("P4")))
    assert "would end 1 of 4 keys" in load(local, refused=True)
    load(local, "--force")
    assert unknown(local) == []
    assert counts(local, "2025-02") == (3, None, None)


def test_a_row_without_a_readable_key_can_refuse_a_delivery(local: Project) -> None:
    change_contract(local, "    guard:", "    unreadable_keys: refuse\n    guard:")
    deliver(local, "2025-02", products(*FOUR, {**NO_KEY, **BAD}))
    assert "the key of 1 rejected row cannot be read" in load(local, refused=True)
    deliver(local, "2025-02", products("P1", "P2", "P3", bad("P4")))
    load(local)


def test_a_row_of_the_wrong_length_leaves_a_delivery_incomplete(local: Project) -> None:
    path = deliver(local, "2025-02", products("P1", "P2"))
    path.write_text(path.read_text(encoding="utf-8") + "P3,Tea\n", encoding="utf-8")
    load(local)
    assert counts(local, "2025-02") == (2, 0, 1)


def test_rows_below_a_totals_row_are_unknown_only_if_data_follow(local: Project) -> None:
    change_contract(local, "format: {type: csv}", "format: {type: csv, totals: '^Total'}")
    change_contract(local, "guard: {ended: 0.2}", "guard: {ended: 0.3}")
    total: dict[str, Any] = {"sku": "Total sum"}  # too long for a key
    rows = products("P1", "P2", bad("P3"), total, NO_KEY, bad("P2"), bad("P9"))
    path = deliver(local, "2025-02", rows)
    path.write_text(path.read_text(encoding="utf-8") + "P8,Tea\n", encoding="utf-8")
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["ended"], change["unchanged"]) == (1, 3)
    load(local)
    assert counts(local, "2025-02") == (2, 1, 0)
    assert unknown(local) == [("2025-02", "P3", 4)]

    path = deliver(local, "2025-03", [*rows, *products("P5")])
    path.write_text(path.read_text(encoding="utf-8") + "P8,Tea\n", encoding="utf-8")
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["ended"], change["new"], change["unchanged"]) == (0, 1, 3)
    load(local)
    assert counts(local, "2025-03") == (3, 2, 3)
    assert unknown(local)[1:] == [("2025-03", "P3", 4), ("2025-03", "P9", 8)]


def test_the_guard_leaves_out_what_the_delivery_before_could_not_have(local: Project) -> None:
    change_contract(
        local,
        "      buyer:",
        "      shelf: {type: varchar(8), description: Where it lies., since: 2025-02}\n"
        "      maker: {type: varchar(8), description: Who makes it.}\n      buyer:",
    )
    change_contract(local, "guard: {ended: 0.2}", "guard: {changed: 0.2}")
    rows = [{**row, "shelf": "A1", "maker": "Me"} for row in products(*FOUR)]
    path = deliver(local, "2025-02", rows)
    change = local.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["changed"], change["changed_by_column"]) == (0, {})
    load(local, "--file-path", path)
    path = deliver(local, "2025-03", [{**row, "shelf": "A2"} for row in rows])
    assert "would change 4 of 4 keys" in load(local, "--file-path", path, refused=True)


def test_one_break_that_refuses_what_follows_is_named(local: Project) -> None:
    for month in ("02", "03", "04"):
        deliver(local, f"2025-{month}", products("P1", "P9"))
    said = load(local, refused=True)
    assert "products 2025-02 is the first of 3 that the guard refuses, each compared with 2025-01" in said
    assert said.count("is the first of") == 1


@pytest.mark.parametrize(
    ("duplicates", "taken", "dropped", "left"),
    [
        ("reject", [], [], ["P1", "P2", "P3"]),
        ("identical", ["P1"], ["3: 2"], ["P2", "P3"]),
        ("{keep: first}", ["P1", "P2", "P3"], ["3: 2", "5: 4", "7: 6"], []),
        ("{keep: last}", ["P1", "P2", "P3"], ["2: 3", "4: 5", "6: 7"], []),
        ("{keep: {max: weight}}", ["P3"], ["7: 6"], ["P1", "P2"]),
    ],
)
def test_rows_that_share_a_key(
    local: Project, duplicates: str, taken: list[str], dropped: list[str], left: list[str]
) -> None:
    change_contract(local, "    guard:", f"    duplicates: {duplicates}\n    guard:")
    change_contract(local, "guard: {ended: 0.2}", "guard: {ended: 1, changed: 1}")
    rows = products(
        *("P1", "P1"),
        *({"sku": "P2", "name": "Tea"}, {"sku": "P2", "name": "Coffee"}),
        *({"sku": "P3", "weight": "2"}, {"sku": "P3", "weight": ""}),
    )
    deliver(local, "2025-02", rows)
    if taken:
        load(local)
        assert skus(local, "2025-02") == taken
        assert [key for _, key, _ in unknown(local)] == left
    else:
        assert "6 of 6 rows are invalid" in load(local, refused=True)
    listed = rejects(local)
    found = [f"{row}: {rule.removeprefix('duplicate of row ')}" for row, _, _, rule in listed if "duplicate" in rule]
    assert found == dropped
    assert sorted({key for _, _, key, rule in listed if rule == "unique key"}) == left
    if taken:
        (counted,) = local.sql(
            "select rows_read, rows_valid, rows_rejected, rows_dropped from meta.validation_log where validation_id = "
            "(select max(validation_id) from meta.validation_log)"
        )
        assert counted == (6, len(taken), 2 * len(left), len(dropped))
        (path,) = (local.root / "data" / "stage" / "rejects").glob("products_2025-02*.xlsx")
        book = openpyxl.load_workbook(path)
        summary = {row[0]: row[1] for row in book.worksheets[0].iter_rows(values_only=True)}
        assert summary["Dropped duplicates"] == str(len(dropped))
        notes = {row[0].value: row[1].comment.text for row in book.worksheets[1].iter_rows(min_row=2)}
        for row, by in (one.split(": ") for one in dropped):
            assert f"is used in row {by}, which was taken; this row was left out" in notes[int(row)]
