"""Deliveries in folders below the landing folder: which are looked at, and that all that is told tells them apart."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.shop import PRODUCTS, Cells, deliver, load, open_shop, prepared, products, skus, versions

IN_FOLDERS = PRODUCTS.replace(
    r"'products_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'",
    r"'(?P<year>\d{4})/(?P<month>\d\d)/products(?:_v(?P<order>\d+))?\.csv'",
).replace("kind: full", "kind: full\n    keep_files: true")


def two_folders(project: Project) -> None:
    open_shop(project, IN_FOLDERS)
    for month, rows in (("01", products("P1")), ("02", products("P1", "P2"))):
        put(project, f"2025/{month}", rows)
    load(project)


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", two_folders)


def put(project: Project, folder: str, rows: list[Cells]) -> Path:
    """A file `products.csv` in a folder below the landing folder."""
    (project.landing / folder).mkdir(parents=True, exist_ok=True)
    path = deliver(project, "2025-01", rows, folder=project.landing / folder)
    return path.rename(path.with_name("products.csv"))


def test_files_of_the_same_name_are_told_apart(shop: Project) -> None:
    assert skus(shop, "2025-01") == ["P1"]
    assert skus(shop, "2025-02") == ["P1", "P2"]
    names = shop.sql("select file_name from meta.ingestion_log order by file_id")
    assert names == [("2025/01/products.csv",), ("2025/02/products.csv",)]
    subjects = {subject for (subject,) in shop.sql("select subject from meta.etl_audit where step = 'validate'")}
    assert subjects == {"2025/01/products.csv", "2025/02/products.csv"}
    shown = shop.loader("versions", "--dataset", "products").output
    assert "2025/01/products.csv" in shown
    assert [line["file"] for line in shop.loader("status", "--json").json] == [
        "2025/01/products.csv",
        "2025/02/products.csv",
    ]
    put(shop, "2025/02", [{"sku": "P1", "name": "Tea"}])
    refused = load(shop, refused=True)
    assert "refused    2025/02/products.csv: the header does not match" in refused
    (shop.landing / "2025/02/products.csv").write_bytes(b"\xff\xfe\x00")
    assert "refused    2025/02/products.csv: " in load(shop, refused=True)


def test_a_folder_that_tells_no_period_is_refused_by_its_name(shop: Project) -> None:
    put(shop, "2025/13", products("P1"))
    output = load(shop, refused=True)
    assert "refused    2025/13/products.csv: the file name contains no period: '2025-13' is not a month" in output
    refused = [line["file"] for line in shop.loader("status", "--json").json if line["state"] == "refused"]
    assert refused == ["2025/13/products.csv"]


def test_only_the_folders_of_a_contract_are_looked_at(shop: Project) -> None:
    for folder in ("done", "2025/done", "2025/03/old", "archive/2025/03", ".2025/03"):
        put(shop, folder, products("P9"))
    put(shop, "2025", products("P9"))
    (shop.landing / "2025/02/notes.csv").write_text("by hand", encoding="utf-8")
    (shop.landing / "loop").symlink_to(shop.landing, target_is_directory=True)
    (shop.landing / "2026").symlink_to(shop.landing / "2026", target_is_directory=True)  # a link to itself
    output = load(shop)
    assert "0 loaded, 0 refused, 2 unchanged, 1 unknown" in output
    assert output.count("no contract knows") == 1
    assert "no contract knows 2025/02/notes.csv: " in output


def test_a_folder_may_be_a_link(shop: Project, tmp_path: Path) -> None:
    put(shop, "2025/03", products("P1"))
    (shop.landing / "2025/03").rename(tmp_path / "elsewhere")
    (shop.landing / "2025/03").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "loaded     products 2025-03  1 rows from 2025/03/products.csv" in load(shop)
    assert "0 loaded, 0 refused, 3 unchanged" in load(shop)


def test_a_file_that_somebody_names_is_known_by_its_folders(shop: Project, tmp_path: Path) -> None:
    path = put(shop, "2025/04", products("P1"))
    elsewhere = tmp_path / "sent" / "2025" / "04"
    elsewhere.mkdir(parents=True)
    path = path.rename(elsewhere / "products.csv")
    here = Path.cwd()
    os.chdir(elsewhere)
    try:
        assert "loaded     products 2025-04  1 rows from 2025/04/products.csv" in load(
            shop, "--file-path", "products.csv"
        )
    finally:
        os.chdir(here)
    plan = shop.loader("plan", path)
    assert plan.output.startswith("2025/04/products.csv: products 2025-04, 1 rows")
    moved = path.rename(tmp_path / "products.csv")
    assert "the file name matches no contract" in load(shop, "--file-path", moved, refused=True)


def test_what_the_archive_keeps_keeps_its_folders(shop: Project) -> None:
    for path in shop.landing.rglob("products.csv"):
        path.unlink()
    config = shop.root / "datasets_config.yml"
    contract = IN_FOLDERS.replace("Name.}", "Name., clean: [upper]}").replace("changed: 0.5", "changed: 1")
    config.write_text(contract, encoding="utf-8")
    output = load(shop)
    assert "loaded     products 2025-01  1 rows from 2025/01/products.csv" in output
    assert "2 loaded" in output
    names = {name for (name,) in shop.sql("select file_name from meta.ingestion_log")}
    assert names == {"2025/01/products.csv", "2025/02/products.csv"}
    assert [state for _, _, state, _ in versions(shop, "2025-01")] == ["superseded", "active"]


def test_a_purge_looks_into_the_folders(shop: Project) -> None:
    put(shop, "2025/03", products("P2"))
    output = shop.loader("purge", "--dataset", "products", "--key", "P2", "--yes").output
    assert "landed     files that the loader never edits hold it: 2025/02/products.csv, 2025/03/products.csv" in output
    assert "not loaded yet, the next load would bring it back: 2025/03/products.csv" in output


def test_two_contracts_may_know_a_name_at_different_depths(new_project: Callable[..., Project]) -> None:
    flat = PRODUCTS.partition("datasets:\n")[2].replace("  products:", "  goods:", 1)
    flat = flat.replace(r"products_(?P<period>\d{4}-\d{2})", r"products_?(?P<period>\d{4}-\d{2})?")
    project = open_shop(new_project("duckdb"), IN_FOLDERS + flat)
    put(project, "2025/01", products("P1"))
    deliver(project, "2025-02", products("P2"))
    output = load(project)
    assert "loaded     products 2025-01  1 rows from 2025/01/products.csv" in output
    assert "loaded     goods 2025-02  1 rows from products_2025-02.csv" in output
