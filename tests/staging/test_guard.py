"""The guard: a delivery that ends or changes an unusual share of the keys is refused unless it is forced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.engines import Engine
from tests.support.shop import DELTA, Cells, deliver, load, open_shop, prepared, products, skus, versions

FOUR = ("P1", "P2", "P3", "P4")


def full_shop(project: Project) -> None:
    """Four products in January; at most half of them may end or change."""
    open_shop(project)
    deliver(project, "2025-01", products(*FOUR))
    load(project)


def delta_shop(project: Project) -> None:
    """The same in a dataset that delivers changes only."""
    open_shop(project, DELTA)
    deliver(project, "2025-01", products(*FOUR))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, full_shop)


@pytest.fixture
def delta(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, delta_shop)


def renamed(*numbers: str) -> list[Cells]:
    return products(*({"sku": number, "name": "Coffee"} for number in numbers))


def refusal(project: Project, period: str, rows: list[Cells]) -> str:
    """What the guard says of a delivery, after which the warehouse is as it was."""
    before = versions(project), skus(project)
    path = deliver(project, period, rows)
    output = load(project, "--file-path", path, refused=True)
    assert "1 refused" in output
    assert (versions(project), skus(project)) == before
    ((step, status, error),) = project.sql(
        "select step, status, error from meta.etl_audit where audit_id = (select max(audit_id) from meta.etl_audit)"
    )
    assert (step, status) == ("load-stage", "refused")
    assert error in output
    return error


def test_a_first_period_has_no_verdict(shop: Project) -> None:
    assert versions(shop) == [("2025-01", 1, "active", 4)]


def test_shares_up_to_the_limit_pass(shop: Project) -> None:
    deliver(shop, "2025-02", [*renamed("P1", "P2"), *products("P5", "P6", "P7")])  # 2 of 4 end, 2 of 4 change
    load(shop)
    assert skus(shop, "2025-02") == ["P1", "P2", "P5", "P6", "P7"]


def test_too_many_ended_or_changed_keys_are_refused(shop: Project) -> None:
    message = refusal(shop, "2025-02", products("P1"))
    assert message.startswith("products 2025-02: the guard refuses this delivery: ")
    assert "it would end 3 of 4 keys (75.0%; the limit is 50.0%), compared with 2025-01." in message
    message = refusal(shop, "2025-02", [*renamed("P1", "P2", "P3"), *products("P4")])
    assert "it would change 3 of 4 keys (75.0%; the limit is 50.0%), compared with 2025-01." in message
    assert "would end 4 of 4 keys" in refusal(shop, "2025-02", [])
    load(shop, "--period", "2025-02", "--force")
    assert versions(shop, "2025-02") == [("2025-02", 1, "active", 0)]


def test_columns_that_history_does_not_track_do_not_count(shop: Project) -> None:
    deliver(shop, "2025-02", products(*({"sku": number, "pieces": "0", "counted_at": ""} for number in FOUR)))
    load(shop)
    assert skus(shop, "2025-02") == list(FOUR)


def test_a_reload_is_compared_with_the_load_that_it_replaces(shop: Project) -> None:
    deliver(shop, "2025-02", renamed(*FOUR))
    load(shop, "--force")
    message = refusal(shop, "2025-02", products(*FOUR))  # as in January, but nothing as in February
    assert "would change 4 of 4 keys (100.0%; the limit is 50.0%), compared with version 1 of 2025-02." in message
    deliver(shop, "2025-02", renamed("P1", "P2", "P3"))
    load(shop)
    assert skus(shop, "2025-02") == ["P1", "P2", "P3"]


def test_a_late_period_is_compared_with_the_one_before_it(shop: Project) -> None:
    deliver(shop, "2025-03", renamed(*FOUR))
    load(shop, "--force")
    assert "compared with 2025-01." in refusal(shop, "2025-02", renamed("P1", "P2", "P3"))
    deliver(shop, "2024-12", renamed("P9"))
    load(shop, "--period", "2024-12")  # nothing is before it
    shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0)
    # what was rolled back was never delivered
    assert "would end 1 of 1 keys (100.0%; the limit is 50.0%), compared with 2024-12." in refusal(
        shop, "2025-02", products(*FOUR)
    )


def test_an_empty_period_before_gives_no_share(shop: Project) -> None:
    deliver(shop, "2025-02", [])
    load(shop, "--force", "--period", "2025-02")
    deliver(shop, "2025-03", products("P9"))
    load(shop)
    assert skus(shop, "2025-03") == ["P9"]


def test_the_contract_sets_the_shares(shop: Project) -> None:
    change_contract(shop, "ended: 0.5, changed: 0.5", "ended: 1, changed: 0")
    deliver(shop, "2025-02", [])
    load(shop, "--period", "2025-02")
    assert versions(shop, "2025-02") == [("2025-02", 1, "active", 0)]
    assert "would change 1 of 4 keys (25.0%; the limit is 0.0%)" in refusal(
        shop, "2025-01", [*renamed("P1"), *products("P2", "P3", "P4")]
    )


def gone(*numbers: str) -> list[Cells]:
    return products(*({"sku": number, "name": "gone"} for number in numbers))


def test_a_delta_ends_keys_by_its_marker_only(delta: Project) -> None:
    deliver(delta, "2025-02", products("P5"))
    load(delta)
    message = refusal(delta, "2025-03", gone("P1", "P2", "P3"))  # of five keys in force
    assert "it would end 3 of 5 keys (60.0%; the limit is 50.0%), compared with 2025-02." in message
    deliver(delta, "2025-03", gone("P1", "P2"))
    load(delta)
    message = refusal(delta, "2025-04", products(*({"sku": number, "price": "9"} for number in ("P3", "P4"))))
    assert "it would change 2 of 3 keys (66.7%; the limit is 50.0%), compared with 2025-03." in message


def test_keys_of_a_delta_without_marker_never_end(delta: Project) -> None:
    change_contract(delta, "end_marker: {column: name, value: gone}", "end_marker: none")
    path = deliver(delta, "2025-02", gone("P1", "P5"))
    assert "keys:      1 new, 1 changed, 0 ended, 3 unchanged" in delta.loader("plan", path).output
    assert "1 loaded" in load(delta)


def test_a_reload_of_a_delta_is_compared_with_the_load_that_it_replaces(delta: Project) -> None:
    deliver(delta, "2025-02", gone("P1", "P2"))
    load(delta)
    # P1 and P2 live on, P3 and P4 end: of the two keys in force both end
    message = refusal(delta, "2025-02", gone("P3", "P4"))
    assert "it would end 2 of 2 keys (100.0%; the limit is 50.0%), compared with version 1 of 2025-02." in message


def test_limits_that_nothing_breaks_ask_for_no_comparison(delta: Project) -> None:
    """A delta is compared with all deliveries before it; one that is gone from the archive shows whether it is."""
    (archived,) = (delta.root / "data/stage/cleaned/products").glob("*.parquet")
    archived.unlink()
    path = deliver(delta, "2025-02", renamed("P1"))
    result = delta.loader("load", "--file-path", path)
    assert (result.exit_code, "is gone from the archive" in result.output) == (3, True), result.output
    change_contract(delta, "guard: {ended: 0.5, changed: 0.5}", "guard: {ended: 1, changed: 1}")
    assert "1 loaded" in load(delta, "--file-path", path)
