"""The same bytes under another period: no fault, since a small register may not change, but told."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products

SAME = "has the same bytes as products_2025-01.csv, which is version 1 of 2025-01"


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def test_the_same_bytes_under_another_period_are_noted(shop: Project) -> None:
    first = deliver(shop, "2025-01", products("P1"))
    assert "same bytes" not in load(shop)
    second = shop.landing / "products_2025-02.csv"
    shutil.copyfile(first, second)
    assert f"it {SAME}" in shop.loader("plan", second).output
    assert shop.loader("plan", second, "--json").json["same_bytes"] == SAME
    (line,) = [one for one in shop.loader("load", "--json").json["files"] if one["result"] == "loaded"]
    assert line["same_bytes"] == SAME
    assert SAME in line["message"]
    output = shop.loader("status").output
    assert f"products 2025-02: products_2025-02.csv {SAME}" in " ".join(output.split())
    assert output.count("same bytes") == 1, "of the earlier one nothing is said"
    deliver(shop, "2025-02", products("P1", "P2"))
    assert "same bytes" not in load(shop)
    assert "same bytes" not in shop.loader("status").output
