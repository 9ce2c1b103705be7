"""The landing folder as a place: a share that is away is no folder without deliveries."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, versions


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def test_a_share_that_is_away_fails_and_the_default_is_made(shop: Project) -> None:
    share = shop.root / "share"
    shop.env["ALMANAC_LANDING_DIR"] = str(share)
    said = f"failed: the landing folder {share} cannot be looked at (No such file or directory); is its share mounted"
    for command in (("load",), ("run",), ("load", "--period", "2025-01"), ("ingest",), ("validate",), ("status",)):
        done = shop.loader(*command)
        assert (done.exit_code, said in done.output.splitlines()[-1]) == (3, True), done.output
    share.write_text("no folder")
    assert "(Not a directory)" in shop.loader("load").output
    share.unlink()
    share.mkdir()
    assert shop.loader("load").exit_code == 0
    del shop.env["ALMANAC_LANDING_DIR"]
    shutil.rmtree(shop.landing)
    assert shop.loader("load").exit_code == 0
    assert shop.landing.is_dir()


def test_status_shows_what_meta_knows_all_the_same(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    away = {"ALMANAC_LANDING_DIR": str(shop.root / "away")}
    done = shop.loader("status", "--json", env=away)
    assert (done.exit_code, [line["state"] for line in done.json["lines"]]) == (3, ["active"])
    assert "cannot be looked at" in done.json["error"]["message"]
    shop.loader("derive")
    path = shop.root / "data/landing/products_2025-01.csv"
    assert shop.loader("load", "--file-path", path, env=away).exit_code == 0
    recheck = shop.loader("recheck", "--all", env=away)
    assert (recheck.exit_code, "cannot be looked at" in recheck.output) == (3, True)


def test_an_empty_folder_that_had_files_is_noted(shop: Project) -> None:
    """A mount point at which nothing is mounted is an empty folder."""
    assert "is empty" not in load(shop)
    for period in ("2025-01", "2025-02"):
        deliver(shop, period, products("P1"))
    load(shop)
    elsewhere = shop.root / "elsewhere"
    elsewhere.mkdir()
    (shop.landing / "products_2025-02.csv").rename(elsewhere / "products_2025-02.csv")
    assert shop.loader("load", "--json").json["missed"] == 0
    (shop.landing / "products_2025-01.csv").rename(elsewhere / "products_2025-01.csv")
    said = f"note: the landing folder {shop.landing} is empty, and 2 files were read from it until "
    for command in (("load",), ("run",), ("status",), ("recheck", "--all"), ("load", "--period", "2025-01")):
        assert shop.loader(*command).output.count(said) == 1, command
    assert shop.loader("load", "--json").json["missed"] == 2
    assert versions(shop) == [("2025-01", 1, "active", 1), ("2025-02", 1, "active", 1)]
    (shop.landing / ".keep").touch()
    assert "is empty" not in load(shop)
