"""How often a file of DuckDB is opened, and that others can open it while a delivery is read, cleaned and gated."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

import loader.gates
import loader.staging.content
import loader.staging.ingest
import loader.staging.validate
from loader.warehouse.engines import duckdb_open
from tests.conftest import Project
from tests.support.shop import deliver, load, open_shop, prepared, products

SLOW = [
    (loader.staging.content, "sha256_of"),
    (loader.staging.ingest, "open_table"),
    (loader.staging.validate, "clean_delivery"),
    (loader.gates, "run_parquet_gate"),
]
"""What takes longer the larger a file is."""


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", open_shop)


@pytest.fixture
def opened(shop: Project, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows each time that the warehouse is opened."""
    found: list[str] = []
    attach = duckdb_open.attach_file

    def counted(host: Any, path: str, **kwargs: Any) -> None:
        found.append(path)
        attach(host, path, **kwargs)

    monkeypatch.setattr(duckdb_open, "attach_file", counted)
    return found


@pytest.mark.parametrize("which", ["file", "period"])
def test_a_delivery_opens_the_warehouse_four_times(shop: Project, opened: list[str], which: str) -> None:
    path = deliver(shop, "2025-01", products("P1", "P2"))
    output = load(shop, *(["--file-path", path] if which == "file" else ["--period", "2025-01"]))
    assert "1 loaded" in output
    assert len(opened) == 4


def test_each_further_delivery_opens_it_three_times(shop: Project, opened: list[str]) -> None:
    for month in range(1, 4):
        deliver(shop, f"2025-0{month}", products("P1", "P2"))
    assert "3 loaded" in load(shop)
    assert len(opened) == 2 + 3 * 3


@pytest.mark.parametrize("command", [["status"], ["versions", "--dataset", "products"]])
def test_a_look_opens_it_once(shop: Project, opened: list[str], command: list[str]) -> None:
    assert shop.loader(*command).exit_code == 0
    assert len(opened) == 1


@pytest.mark.parametrize("deliveries", [1, 2])
def test_nobody_waits_for_a_file_that_is_read_cleaned_or_gated(
    shop: Project, monkeypatch: pytest.MonkeyPatch, deliveries: int
) -> None:
    """Another process writes to the warehouse each time that something slow begins."""
    for number in range(deliveries):
        deliver(shop, f"2025-0{number + 1}", products("P1", "P2"))
    time.sleep(0.1)  # what has just been written is read twice
    script = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create or replace table main.mine (a integer)')"
    seen: list[str] = []

    def after_others(name: str, slow: Callable[..., Any]) -> Callable[..., Any]:
        def beginning(*args: Any, **kwargs: Any) -> Any:
            subprocess.run([sys.executable, "-c", script, shop.profile_output["path"]], check=True)
            seen.append(name)
            return slow(*args, **kwargs)

        return beginning

    for module, name in SLOW:
        monkeypatch.setattr(module, name, after_others(name, getattr(module, name)))
    assert f"{deliveries} loaded" in load(shop)
    times = {name: deliveries for _, name in SLOW} | {"sha256_of": 2 * deliveries}  # again after it was read
    assert {name: seen.count(name) for _, name in SLOW} == times


def test_a_refused_delivery_leaves_it_to_others(shop: Project, opened: list[str]) -> None:
    """The step of the refusal and its end are recorded, and nothing stays open."""
    deliver(shop, "2025-01", products({"sku": None}))
    assert "1 refused" in load(shop, refused=True)
    assert len(opened) <= 4
    subprocess.run([sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])", opened[0]], check=True)
    assert shop.sql("select step, status from meta.etl_audit order by audit_id") == [
        ("ingest", "done"),
        ("validate", "refused"),
    ]
