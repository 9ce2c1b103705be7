"""The archive against `meta`: a parquet file that is gone, short or another one is noticed, and written again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.shop import (
    assert_stage_is_the_archive,
    deliver,
    load,
    open_shop,
    prepared,
    products,
    versions,
)


def two_months(project: Project) -> None:
    """Two products in each of two months."""
    open_shop(project)
    for period in ("2025-01", "2025-02"):
        deliver(project, period, products("P1", "P2"))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, two_months)


def parquet(shop: Project, period: str = "2025-01") -> Path:
    ((name,),) = shop.sql(
        f"select parquet_path from meta.dataset_version where data_period = '{period}' and state = 'active'"
    )
    return shop.root / "data/stage/cleaned" / name


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    """As a power cut leaves a file that was not synced."""
    path.write_bytes(b"")


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_told(shop: Project) -> list[str | None]:
    return [line["damage"] for line in shop.loader("status", "--json").json]


@pytest.mark.parametrize(
    ("harm", "told"),
    [(Path.unlink, "gone"), (cut, "other size"), (empty, "other size"), (alter, None)],
    ids=["gone", "short", "empty", "another"],
)
def test_damage_is_told_and_mended_when_the_file_comes_again(
    shop: Project, harm: Callable[[Path], None], told: str | None
) -> None:
    before, path = versions(shop), parquet(shop)
    whole = path.read_bytes()
    assert damage_told(shop) == [None, None]
    harm(path)
    assert damage_told(shop) == [told, None]
    said = shop.loader("status").output
    assert ("stage is not touched. Restore it from a backup, or" in said) == (told is not None), said
    (shop.landing / "products_2025-01.csv").touch()  # delivered again
    output = load(shop)
    assert f"was damaged in the archive ({told or 'other content'}), was written again" in output
    assert output.splitlines()[-1].startswith("0 loaded, 0 refused, 2 unchanged")
    assert (versions(shop), parquet(shop).read_bytes()) == (before, whole)
    assert damage_told(shop) == [None, None]
    assert_stage_is_the_archive(shop)
    assert "again" not in load(shop)


def test_the_guard_compares_with_no_damaged_file(shop: Project) -> None:
    cut(parquet(shop, "2025-02"))
    deliver(shop, "2025-03", products("P1", "P2"))
    (shop.landing / "products_2025-02.csv").unlink()
    done = shop.loader("load")
    assert done.exit_code == 3
    assert "has other size in the archive (version 1 of products 2025-02); restore it from a backup" in done.output


def test_what_was_purged_does_not_come_back(shop: Project) -> None:
    assert shop.loader("purge", "--dataset", "products", "--key", "P1", "--yes").exit_code == 0
    parquet(shop).unlink()
    (shop.landing / "products_2025-01.csv").touch()
    assert "written again" not in load(shop)
    assert damage_told(shop) == ["gone", None]


def test_files_that_nothing_names_are_told(shop: Project) -> None:
    path = parquet(shop)
    stray = path.with_name(f"{path.stem}_2.parquet")
    stray.write_bytes(path.read_bytes())
    said = shop.loader("status").output
    assert f"archive: products/{stray.name}: no load and no validation of this warehouse names it" in said
    stray.unlink()
    assert "no validation" not in shop.loader("status").output
