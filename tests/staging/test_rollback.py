"""Rollback: every load can be undone, by the path by which it was loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from loader.errors import UsageError
from loader.project import Project as Opened
from loader.staging.rollback_to_day import Step, rollback_to_day
from tests.conftest import Project, Result
from tests.support.deliveries import change_contract
from tests.support.engines import Engine
from tests.support.shop import (
    PRODUCTS,
    assert_stage_is_the_archive,
    deliver,
    load,
    open_shop,
    prepared,
    products,
    skus,
    states,
    without_audit,
)

JANUARY = ("--dataset", "products", "--period", "2025-01")


def three_versions(project: Project) -> None:
    """Three versions of January, of one, two and three products, and one of February."""
    open_shop(project)
    for order, rows in enumerate((products("P1"), products("P1", "P2"), products("P1", "P2", "P3")), start=1):
        deliver(project, "2025-01", rows, order=order)
    deliver(project, "2025-02", products("P1", "P2", "P3", "P9"))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, three_versions)


def rollback(shop: Project, *args: object, exit_code: int = 0) -> str:
    done: Result = shop.loader("rollback", *JANUARY, *args)
    assert done.exit_code == exit_code, done.output
    return done.output


def test_a_server_refuses_a_second_active_load_of_a_period(shop: Project) -> None:
    if shop.engine.name == "duckdb":
        pytest.skip("it has no index of some rows only")
    with pytest.raises(Exception, match="dataset_version_one_active"):
        shop.sql("update meta.dataset_version set state = 'active' where data_period = '2025-01'")
    assert states(shop, "2025-01") == ["superseded", "superseded", "active"]


def test_one_by_one_to_nothing(shop: Project) -> None:
    before = shop.sql("select load_id, version_no from meta.dataset_version where data_period = '2025-01'")
    output = rollback(shop)
    said = "2025-01 from version 3 (products_2025-01_v3.csv, 3 rows) to version 2 (products_2025-01_v2.csv, 2 rows)"
    assert said in output
    assert "loader rollback --dataset products --period 2025-01 --to 3" in output
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == (["P1", "P2"], ["superseded", "active", "rolled_back"])
    assert_stage_is_the_archive(shop)
    rollback(shop)
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == (["P1"], ["active", "rolled_back", "rolled_back"])
    to_nothing = "loader rollback --dataset products --period 2025-01 --to 0"
    assert f"has no version before version 1; to empty the period: {to_nothing}" in rollback(shop, exit_code=2)
    assert states(shop, "2025-01") == ["active", "rolled_back", "rolled_back"]
    assert "(products_2025-01_v1.csv, 1 rows) to nothing (the period is empty)" in rollback(shop, "--to", 0)
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == ([], ["rolled_back"] * 3)
    assert "is empty already; --to takes one of its versions: 1, 2, 3" in rollback(shop, exit_code=2)
    assert "is empty already; nothing to do" in rollback(shop, "--to", 0, exit_code=2)
    rollback(shop, "--to", 3)
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == (
        ["P1", "P2", "P3"],
        ["rolled_back", "rolled_back", "active"],
    )
    # an old load that is active again keeps its number
    after = shop.sql("select load_id, version_no from meta.dataset_version where data_period = '2025-01'")
    assert sorted(after) == sorted(before)
    assert_stage_is_the_archive(shop)


def test_to_any_version_and_what_comes_after_it(shop: Project) -> None:
    rollback(shop, "--to", 1)
    assert states(shop, "2025-01") == ["active", "superseded", "rolled_back"]
    output = load(shop, "--period", "2025-01")
    assert "is version 3 of products 2025-01 (rolled back); to make it active again: " in output
    (advice,) = [line.partition("active again: loader ")[2] for line in output.splitlines() if "version 3" in line]
    assert shop.loader(*advice.split()).exit_code == 0
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == (
        ["P1", "P2", "P3"],
        ["superseded", "superseded", "active"],
    )
    deliver(shop, "2025-01", products("P1", "P2", "P4"), order=4)
    load(shop)
    assert states(shop, "2025-01") == ["superseded", "superseded", "superseded", "active"]
    rollback(shop)
    assert skus(shop, "2025-01") == ["P1", "P2", "P3"]
    assert_stage_is_the_archive(shop)


def test_a_file_that_was_rolled_back_is_not_loaded_again(shop: Project) -> None:
    rollback(shop)
    assert "0 loaded, 0 refused, 4 unchanged" in load(shop)
    assert skus(shop, "2025-01") == ["P1", "P2"]
    rollback(shop, "--to", 0)
    assert "0 loaded, 0 refused, 4 unchanged" in load(shop)
    assert skus(shop, "2025-01") == []
    load(shop, "--period", "2025-01", "--force")
    assert (skus(shop, "2025-01"), states(shop, "2025-01")[3:]) == (["P1", "P2", "P3"], ["active"])


WRONG = [
    (("--to", "3"), "is at version 3 already; nothing to do"),
    (("--to", "4"), "has no version 4; it has: 1, 2, 3 (and 0 for none)"),
    (("--to", "-1"), "has no version -1"),
    (("--to", "two"), "'two' is not a valid integer"),
    (("--period", "2025-03"), "was never loaded, so there is nothing to roll back"),
    (("--period", "January"), "'January' is not a month period; write it like 2025-06"),
    (("--dataset", "shops"), "dataset 'shops' has no contract"),
]


def test_wrong_usage_changes_nothing(shop: Project) -> None:
    before = without_audit(shop)
    for args, reason in WRONG:
        assert reason in rollback(shop, *args, exit_code=2)
    assert without_audit(shop) == before


def test_an_older_contract_loads_with_null(shop: Project) -> None:
    change_contract(
        shop, "    guard:", "      shelf: {type: varchar(5), description: Shelf., since: 2025-02}\n    guard:"
    )
    rollback(shop)
    query = "select sku, name, shelf from stage.products where _data_period = '2025-01' order by sku"
    assert shop.sql(query) == [("P1", "Tea", None), ("P2", "Tea", None)]
    assert_stage_is_the_archive(shop)


def test_an_archive_of_narrower_types_loads(project: Project) -> None:
    shop = open_shop(project, PRODUCTS.replace("bigint", "integer").replace("decimal(8,2)", "integer"))
    deliver(shop, "2025-01", products({"sku": "P1", "price": "-0", "pieces": "2147483647"}), order=1)
    load(shop)
    change_contract(shop, "type: integer, description: Pieces", "type: 'decimal(12,1)', description: Pieces")
    change_contract(shop, "type: 'integer', description: Price", "type: 'decimal(12,2)', description: Price")
    wide = {"sku": "P1", "price": "9999999999.99", "pieces": "2147483647.5"}
    path = deliver(shop, "2025-01", products(wide, "P2"), order=2)
    load(shop, "--file-path", path, "--force")
    rollback(shop, "--to", 1)
    change = shop.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["changed"], change["new"], change["unchanged"]) == (1, 1, 0)
    cells = "sku, cast(price as varchar(20)), cast(pieces as varchar(20))"
    assert shop.sql(f"select {cells} from stage.products where _data_period = '2025-01'") == [
        ("P1", "0.00", "2147483647.0")
    ]


def test_a_file_of_the_archive_that_is_edited_or_gone_is_refused(shop: Project) -> None:
    ((name,),) = shop.sql(
        "select parquet_path from meta.dataset_version where version_no = 2 and data_period = '2025-01'"
    )
    parquet = shop.root / "data" / "stage" / "cleaned" / name
    content, before = parquet.read_bytes(), without_audit(shop)
    parquet.write_bytes(content + b" ")
    assert f"{name} was edited after it was validated; restore it from a backup" in rollback(shop, exit_code=1)
    parquet.unlink()
    assert f"{name} is gone from the archive; restore it from a backup" in rollback(shop, exit_code=3)
    assert without_audit(shop) == before
    parquet.write_bytes(content)
    rollback(shop)
    assert skus(shop, "2025-01") == ["P1", "P2"]


DAYS = [dt.datetime(2026, 11, day, 23, 59, 59) for day in range(1, 9)]


def known(shop: Project) -> dict[str, int]:
    rows = shop.sql("select data_period, version_no from meta.dataset_version where state = 'active'")
    return {str(period): int(number) for period, number in rows}


def test_all_periods_are_what_they_were_when_a_day_ended(
    engine: Engine, new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thing happens at the end of a day of its own; each day comes back, in any order."""
    shop = prepared(new_project, engine, open_shop)
    clock = iter(DAYS)
    today = [DAYS[0]]
    monkeypatch.setattr("loader.warehouse.version_changes.now", lambda: today[0])
    story: list[dict[str, int]] = []
    for what, period, number in (
        ("deliver", "2025-01", 1),
        ("deliver", "2025-02", 2),
        ("deliver", "2025-01", 3),
        ("rollback", "2025-01", 1),
        ("deliver", "2025-03", 2),
        ("rollback", "2025-02", 0),
        ("rollback", "2025-01", 2),
    ):
        today[0] = next(clock)
        if what == "deliver":
            deliver(shop, period, products(*(f"P{at}" for at in range(number))), order=number)
            load(shop, "--force", "--period", period)
        else:
            done = shop.loader("rollback", "--dataset", "products", "--period", period, "--to", number)
            assert done.exit_code == 0, done.output
        story.append(known(shop))
    monkeypatch.undo()
    back = ("rollback", "--all", "--to-day")
    before = without_audit(shop)
    asked = shop.loader(*back, "2026-11-02")
    assert (asked.exit_code, without_audit(shop) == before) == (2, True)
    assert (
        "would roll back products 2025-03: from version 1 (products_2025-03_v2.csv, 2 rows) to nothing" in asked.output
    )
    assert "nobody is here to confirm it" in asked.output
    for at in (1, 5, 0, 6, 3, 2, 4):
        # a rollback of today comes after all of these days
        done = shop.loader(*back, f"{DAYS[at]:%Y-%m-%d}", "--dataset", "products", "--yes")
        assert done.exit_code == 0, done.output
        assert known(shop) == story[at]
        assert_stage_is_the_archive(shop)
        again = shop.loader(*back, f"{DAYS[at]:%Y-%m-%d}", "--yes")
        assert again.output == f"every period is as it was when {DAYS[at]:%Y-%m-%d} ended\n"
    assert shop.loader(*back, "2026-10-31", "--yes").exit_code == 0
    assert (known(shop), skus(shop)) == ({}, [])


def test_what_was_loaded_after_it_was_shown_is_not_rolled_back(shop: Project) -> None:
    shop.sql("update meta.version_event set happened_at = '2026-11-01 10:00:00'")
    rollback(shop, "--to", 1)
    opened = Opened.open(shop.root)
    shown: list[str] = []

    def confirm(steps: Sequence[Step]) -> None:
        shown.extend(map(str, steps))
        deliver(shop, "2025-01", products("P7"), order=7)
        load(shop, "--force", "--period", "2025-01")

    with pytest.raises(UsageError, match="products 2025-01 was loaded meanwhile"):
        list(rollback_to_day(opened, opened.contracts, dt.date(2026, 11, 1), confirm))
    assert len(shown) == 1
    assert (skus(shop, "2025-01"), states(shop, "2025-01")[-1]) == (["P7"], "active")


def test_what_was_purged_or_is_not_known_does_not_come_back_by_a_day(shop: Project) -> None:
    shop.sql("update meta.version_event set happened_at = '2026-11-01 10:00:00'")
    rollback(shop, "--to", 1)
    purged = shop.loader("purge", "--dataset", "products", "--before", "2025-02", "--yes")
    assert purged.exit_code == 0, purged.output
    before = without_audit(shop)
    back = shop.loader("rollback", "--all", "--to-day", "2026-11-01", "--yes")
    assert back.exit_code == 2
    assert "what was active on 2026-11-01 was purged since: products 2025-01" in back.output
    assert without_audit(shop) == before
    shop.sql("update meta.version_event set step = 'reconstructed'")
    before = without_audit(shop)
    back = shop.loader("rollback", "--all", "--to-day", "2026-10-31", "--yes")
    assert (back.exit_code, "when that day ended is not known" in back.output) == (2, True)
    for args, said in (
        (("--all",), "--all needs --to-day"),
        (("--all", "--to-day", "2026-11-01", "--period", "2025-01"), "knows no --period; leave it out"),
        (("--to-day", "2026-11-01", *JANUARY), "knows no --to-day; leave it out"),
        ((), "name --dataset and --period, or --all and --to-day"),
    ):
        wrong = shop.loader("rollback", *args)
        assert (wrong.exit_code, said in wrong.output) == (2, True), wrong.output
    assert without_audit(shop) == before
