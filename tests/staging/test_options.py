"""Options that name a delivery: what contradicts it, or cannot be, is wrong usage, for every command alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.deliveries import PEOPLE
from tests.support.shop import PRODUCTS, deliver, load, open_shop, prepared, products


def _shop(project: Project) -> None:
    open_shop(project, f"{PRODUCTS.rstrip()}\n{PEOPLE}")
    deliver(project, "2025-01", products("P1"))
    load(project)


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", _shop)


def parquet_of(shop: Project) -> Path:
    (path,) = (shop.root / "data/stage/cleaned/products").glob("*.parquet")
    return path


@pytest.mark.parametrize("command", ["ingest", "validate", "load-stage", "load"])
@pytest.mark.parametrize("other", [("--period", "2031-01"), ("--dataset", "people")])
def test_a_file_is_not_what_another_option_says(shop: Project, command: str, other: tuple[str, str]) -> None:
    before = shop.sql("select count(*) from meta.etl_audit")
    path = next(shop.landing.iterdir())
    done = shop.loader(command, "--file-path", path, *other)
    said = f"usage: {path.name} is of products 2025-01, and {other[0]} says {other[1]}; leave the option out, or name "
    assert (done.exit_code, done.output.strip()) == (2, f"{said}the file that it means")
    assert shop.sql("select count(*) from meta.etl_audit") == before


@pytest.mark.parametrize("name", ["--file-id", "--parquet-path"])
def test_so_is_a_number_or_a_parquet(shop: Project, name: str) -> None:
    named = 1 if name == "--file-id" else parquet_of(shop)
    done = shop.loader("load-stage", name, named, "--dataset", "products", "--period", "2031-01")
    assert (done.exit_code, "is of products 2025-01, and --period says 2031-01" in done.output) == (2, True)
    assert shop.loader("load-stage", name, named, "--dataset", "products", "--period", "2025-01").exit_code == 0
    done = shop.loader("load-stage", name, named, "--file-path", next(shop.landing.iterdir()))
    assert (done.exit_code, "each name one delivery; keep one of them" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("command", "period", "said"),
    [
        ("versions --dataset products", "2031", "'2031' is not a month period; write it like 2025-06"),
        ("rollback --dataset products", "2025-13", "'2025-13' is not a month period; write it like 2025-06"),
        ("load", "2025-13", "'2025-13' is not a month period; write it like 2025-06"),
        ("load", "2024-q3", "'2024-q3' is not a month period; write it like 2025-06"),
        ("ingest", "2025-6", "'2025-6' is not a month period; write it like 2025-06"),
        ("validate", "June", "'June' is not a month period; write it like 2025-06"),
        ("load-stage", "2025-13", "'2025-13' is not a month period; write it like 2025-06"),
        ("recheck", "2025-13", "'2025-13' is not a month period; write it like 2025-06"),
    ],
)
def test_a_period_that_cannot_be_is_wrong_usage(shop: Project, command: str, period: str, said: str) -> None:
    done = shop.loader(*command.split(), "--period", period)
    assert done.exit_code == 2
    assert f"--period: {said}" in done.output
