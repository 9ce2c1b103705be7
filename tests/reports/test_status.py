"""Status and versions: an operator can tell the state of any file from `meta` alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def status(project: Project) -> list[tuple[object, ...]]:
    """(period, state, version, rows, file) of each line."""
    lines = project.loader("status", "--json").json
    return [(line["period"], line["state"], line["version"], line["rows"], line["file"]) for line in lines]


def test_nothing_yet(shop: Project) -> None:
    result = shop.loader("status")
    assert (result.exit_code, "nothing was delivered yet; put files into " in result.output) == (0, True)
    assert shop.loader("status", "--json").json == []
    assert "products was never loaded" in shop.loader("versions", "--dataset", "products").output


def test_the_state_of_every_file(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1", "P2"))
    deliver(shop, "2025-02", products("P1"), order=1)
    load(shop)
    deliver(shop, "2025-02", products("P1", "P2", "P3"), order=2)
    load(shop)
    deliver(shop, "2025-03", products({"sku": "P1", "price": "cheap"}))
    deliver(shop, "2025-04", products("P9"))
    deliver(shop, "2025-05", [{"sku": "P1", "number": "1"}])
    load(shop, refused=True)
    shop.loader("ingest", "--file-path", deliver(shop, "2025-06", products("P1")))
    shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0)
    other = shop.landing / "shops_2025-01.csv"
    other.write_text("sku\n1\n", encoding="utf-8")
    load(shop, "--file-path", other, refused=True)
    assert status(shop) == [
        ("2025-01", "rolled_back", None, 0, "products_2025-01.csv"),
        ("2025-02", "active", 2, 3, "products_2025-02_v2.csv"),
        ("2025-03", "refused", None, None, "products_2025-03.csv"),
        ("2025-04", "refused", None, None, "products_2025-04.csv"),
        ("2025-05", "refused", None, None, "products_2025-05.csv"),
        ("2025-06", "ingested", None, None, "products_2025-06.csv"),
        ("?", "refused", None, None, "shops_2025-01.csv"),
        ("?", "unknown", None, None, "shops_2025-01.csv"),
    ]
    answer = shop.loader("status").output
    for message in (
        "products_2025-03.csv: 1 of 1 rows are invalid",
        "the guard refuses this delivery",
        "unknown: number",
        "the file name matches no contract",
    ):
        assert message in answer
    assert shop.loader("status", "--dataset", "products", "--json").json == shop.loader("status", "--json").json[:-2]


def test_a_file_is_told_from_the_one_that_had_its_name_before(shop: Project) -> None:
    deliver(shop, "2025-01", products({"sku": "P1", "price": "cheap"}))
    load(shop, refused=True)
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    deliver(shop, "2025-01", products({"sku": "P1", "pieces": "many"}))
    load(shop, refused=True)
    refused = ("2025-01", "refused", None, None, "products_2025-01.csv")
    assert status(shop) == [("2025-01", "active", 1, 1, "products_2025-01.csv"), refused]
    (message,) = (line["message"] for line in shop.loader("status", "--json").json if line["state"] == "refused")
    assert "pieces: type" in message


def test_a_refusal_is_shown_until_something_newer_is_in(shop: Project) -> None:
    def refused() -> list[str]:
        return [line["file"] for line in shop.loader("status", "--json").json if line["state"] == "refused"]

    deliver(shop, "2025-01", products("P1"))
    deliver(shop, "2025-02", products({"sku": "P1", "price": "cheap"}))
    (shop.landing / "products_2025-13.csv").write_text("sku\nP1\n")
    assert "refused    products_2025-13.csv: the file name contains no period" in load(shop, refused=True)
    assert refused() == ["products_2025-02.csv", "products_2025-13.csv"]
    deliver(shop, "2025-03", products("P1"))  # of another period and name
    load(shop, refused=True)
    assert refused() == ["products_2025-02.csv", "products_2025-13.csv"]
    deliver(shop, "2025-02", products("P1"), order=2)  # of the same period
    load(shop, refused=True)
    assert refused() == ["products_2025-13.csv"]
    # what is in stage may be refused when it is read again
    any_name, coffee = "description: Name.}", "description: Name., allowed: [Coffee]}"
    change_contract(shop, any_name, coffee)
    assert "name: allowed values" in load(shop, "--period", "2025-01", refused=True)
    assert refused() == ["products_2025-01.csv", "products_2025-13.csv"]
    change_contract(shop, coffee, any_name)
    load(shop, "--file-path", deliver(shop, "2025-01", products("P1", "P2")))
    assert refused() == ["products_2025-13.csv"]
    # of a name that told no dataset then
    (shop.landing / "products_2025-13.csv").unlink()
    other = deliver(shop, "2025-04", products("P1")).rename(shop.landing / "shops_2025-04.csv")
    load(shop, "--file-path", other, refused=True)
    assert refused() == ["products_2025-13.csv", "shops_2025-04.csv"]
    change_contract(shop, "'products_", "'(?:products|shops)_")
    load(shop)
    assert refused() == ["products_2025-13.csv"]


def test_versions(shop: Project) -> None:
    for period in ("2025-01", "2025-02"):
        deliver(shop, period, products("P1"))
    load(shop)
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    table = [line.split() for line in shop.loader("versions", "--dataset", "products").output.splitlines()]
    assert [line[:5] for line in table if line and line[0].startswith("2025")] == [
        ["2025-01", "1", "superseded", "1", "products_2025-01.csv"],
        ["2025-01", "2", "active", "2", "products_2025-01.csv"],
        ["2025-02", "1", "active", "1", "products_2025-02.csv"],
    ]
    found = shop.loader("versions", "--dataset", "products", "--period", "2025-01", "--json").json
    assert [(one["version_no"], one["state"], one["row_count"]) for one in found] == [
        (1, "superseded", 1),
        (2, "active", 2),
    ]
    assert found[0]["load_id"] < found[1]["load_id"]
    assert found[0]["period_start"] == "2025-01-01 00:00:00"
