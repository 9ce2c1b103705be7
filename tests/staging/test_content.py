"""A file is not read again while it is as it was; whatever else it holds is noticed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import loader.staging.content
from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, skus


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def test_a_kept_file_that_is_looked_at_anew_says_when(shop: Project) -> None:
    change_contract(shop, "    kind: full\n", "    kind: full\n    keep_files: true\n")
    path = deliver(shop, "2025-01", products("P1"))
    load(shop)
    looked_at = "select ingested_at from meta.ingestion_log"
    ((before,),) = shop.sql(looked_at)
    path.unlink()
    change_contract(shop, "description: Name.}", "description: Name., clean: [trim]}")
    assert "1 loaded" in load(shop)
    ((after,),) = shop.sql(looked_at)
    assert before < after


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by each file whose bytes are read."""
    found: list[str] = []
    sha256_of = loader.staging.content.sha256_of

    def noted(path: Path) -> str:
        found.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(loader.staging.content, "sha256_of", noted)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no time of change")
@pytest.mark.parametrize("way", ["written in place", "put in its place"])
def test_a_corrected_file_of_the_same_size_and_time_is_noticed(shop: Project, way: str) -> None:
    path = deliver(shop, "2025-01", products("P1", "P2"))
    times = path.stat()
    time.sleep(0.1)
    load(shop)
    corrected = path.read_bytes().replace(b"P2", b"P3")
    place = path if way == "written in place" else shop.root / "corrected.csv"
    place.write_bytes(corrected)
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    if place != path:
        shutil.move(place, path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
    assert "1 loaded" in load(shop)
    assert skus(shop) == ["P1", "P3"]


def test_a_file_that_was_touched_is_read_once(shop: Project, read: list[str]) -> None:
    deliver(shop, "2025-02", products("P1", "P2"))
    path = deliver(shop, "2025-01", products("P1", "P2"))
    time.sleep(0.1)
    load(shop)
    read.clear()
    assert "2 unchanged" in load(shop)
    assert read == []
    times = path.stat()
    path.chmod(0o600)  # a time of change, and nothing else
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    time.sleep(0.1)
    assert "2 unchanged" in load(shop)
    assert read == [path.name]
    assert "2 unchanged" in load(shop)
    assert read == [path.name]
