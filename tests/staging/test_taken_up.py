"""A validation that passed and came to no load is taken up by the next command, if all that it hangs on is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import loader.staging.load as loading
from loader.errors import EnvironmentFailedError
from loader.staging import validation_record
from tests.conftest import Project
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
)

LENIENT = PRODUCTS.replace("    guard:", "    invalid_rows: {action: reject_rows, max_share: 0.5}\n    guard:")
ROWS = products("P1", "P2", {"sku": "P3", "price": "cheap"})


def open_lenient_shop(project: Project) -> Project:
    return open_shop(project, LENIENT)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_lenient_shop)


def stop_before_it_is_loaded(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load that ends when it has validated, as one that is killed then."""

    def fail(*args: Any, **options: Any) -> Any:
        raise EnvironmentFailedError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(loading, "load_stage", fail)
        assert shop.loader("load").exit_code == 3
    assert (read(shop), states(shop, "2025-01")) == (1, [])


def read(shop: Project) -> int:
    """How often a delivery was read."""
    return int(shop.sql("select count(*) from meta.etl_audit where step = 'validate'")[0][0])


def told(output: str) -> str:
    """What `load` says of a delivery, but for what it says of an earlier validation."""
    (line,) = [line for line in output.splitlines() if line.startswith("loaded ")]
    taken_up = [part for part in line.split("; ") if part.startswith("as validated at ")]
    return "; ".join(part for part in line.split("; ") if part not in taken_up)


def test_it_ends_as_one_that_nobody_disturbed(
    shop: Project, new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = prepared(lambda on, folder="other": new_project(on, folder), shop.engine, open_lenient_shop)
    for project in (shop, other):
        deliver(project, "2025-01", ROWS)
    stop_before_it_is_loaded(shop, monkeypatch)
    output, undisturbed = load(shop), load(other)
    assert ("; as validated at 20" in output, read(shop), read(other)) == (True, 1, 1)
    assert told(output) == told(undisturbed)
    assert skus(shop) == ["P1", "P2"]
    assert_stage_is_the_archive(shop)
    columns = "rows_read, rows_valid, rows_rejected, rows_dropped, parquet_sha256, unknown_keys, rejects_path, summary"
    kept = f"select {columns} from meta.validation_log"
    assert shop.sql(kept) == other.sql(kept)
    loads = (
        "select version_no, row_count, state, unknown_keys, unreadable_keys, parquet_sha256 from meta.dataset_version"
    )
    assert shop.sql(loads) == other.sql(loads)
    assert "0 loaded, 0 refused, 1 unchanged" in load(shop, "--period", "2025-01")


def of(shop: Project, folder: str, pattern: str) -> Any:
    path, *_ = sorted((shop.root / folder).glob(pattern))
    return path


def change_suite(shop: Project) -> None:
    path = of(shop, "gx/expectations/stage", "products.json")
    suite = json.loads(path.read_text(encoding="utf-8"))
    suite["expectations"] = suite["expectations"][:-1]
    path.write_text(json.dumps(suite), encoding="utf-8")


CHANGES: dict[str, Callable[[Project], object]] = {
    "file": lambda shop: deliver(shop, "2025-01", ROWS[:-1]),
    "contract": lambda shop: change_contract(shop, "Name.}", "Name., clean: [upper]}"),
    "suite": change_suite,
    "parquet": lambda shop: of(shop, "data/stage/cleaned/products", "*.parquet").write_bytes(b"edited"),
    "parquet gone": lambda shop: of(shop, "data/stage/cleaned/products", "*.parquet").unlink(),
    "rejects gone": lambda shop: of(shop, "data/stage/rejects", "*.xlsx").unlink(),
    "reader": lambda shop: shop.sql("update meta.validation_log set reader_revision = 0"),
    "of before": lambda shop: shop.sql("update meta.validation_log set conditions = null"),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_it_is_read_anew_when_something_is_another(
    new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    shop = prepared(new_project, "duckdb", open_lenient_shop)
    deliver(shop, "2025-01", ROWS)
    stop_before_it_is_loaded(shop, monkeypatch)
    CHANGES[changed](shop)
    assert ("as validated" in load(shop), read(shop)) == (False, 2)
    assert_stage_is_the_archive(shop)


def test_other_packages_and_force_read_anew(
    new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = prepared(new_project, "duckdb", open_lenient_shop)
    deliver(shop, "2025-01", ROWS)
    stop_before_it_is_loaded(shop, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(validation_record, "_versions", lambda: ["almanac of tomorrow"])
        assert "as validated" not in load(shop)
    assert "as validated" not in load(shop, "--force", "--period", "2025-01")
    assert read(shop) == 3


def test_the_guard_is_asked_again(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1", "P2", "P3", "P4"))
    load(shop)
    deliver(shop, "2025-02", products("P1"))
    for _ in range(2):
        assert "would end 3 of 4 keys" in load(shop, refused=True)
        assert read(shop) == 2
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0).exit_code == 0
    assert "as validated at" in load(shop, "--period", "2025-02")
    assert (read(shop), skus(shop)) == (2, ["P1"])


def test_what_was_purged_is_not_taken_up(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(shop, "2025-01", ROWS)
    stop_before_it_is_loaded(shop, monkeypatch)
    assert shop.loader("purge", "--dataset", "products", "--key", "P1", "--yes").exit_code == 0
    assert "rows of it were purged on" in load(shop, refused=True)
    assert (skus(shop), states(shop, "2025-01")) == ([], [])


def test_a_missing_suite_is_told_before_a_file_is_read(shop: Project) -> None:
    deliver(shop, "2025-01", ROWS)
    of(shop, "gx/expectations/stage", "products.json").unlink()
    done = shop.loader("load")
    assert (done.exit_code, "no suite for products" in done.output) == (2, True)
    assert shop.sql("select step from meta.etl_audit") == []
    assert shop.loader("ingest").exit_code == 0
    assert shop.loader("validate").exit_code == 2
    assert read(shop) == 0
