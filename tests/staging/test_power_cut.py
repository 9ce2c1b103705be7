"""What a commit speaks of is on the disk before: a power cut takes what was written and not synced."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import event

from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells what a descriptor is of")

SAME = ("A1", "A2", "A3")
KEEPING = "    keep_files: true\n    duplicates: identical\n    invalid_rows: {action: reject_rows, max_share: 0.9}\n"


def keeper(project: Project) -> None:
    """The shop, which keeps what was delivered."""
    open_shop(project)
    change_contract(project, "    columns:\n", f"{KEEPING}    columns:\n")


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, keeper)


@pytest.fixture
def lost(shop: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Files with their final name that a power cut would have taken or shortened at a commit of this process."""
    found: set[str] = set()
    sizes: dict[int, int] = {}
    names: dict[int, list[str]] = {}
    fsync = os.fsync

    def note_synced(file: int) -> None:
        fsync(file)
        status, path = os.fstat(file), Path(f"/proc/self/fd/{file}")
        if path.is_dir():
            names[status.st_ino] = [entry.name for entry in path.iterdir()]
        else:
            sizes[status.st_ino] = status.st_size

    def note_lost(_: object) -> None:
        for path in (shop.root / "data/stage").rglob("*"):
            if path.is_file() and ".unpublished" not in path.name:
                status, folder = path.stat(), names.get(path.parent.stat().st_ino, [])
                if sizes.get(status.st_ino) != status.st_size or path.name not in folder:
                    found.add(path.name)

    monkeypatch.setattr(os, "fsync", note_synced)
    event.listen(sqlalchemy.Engine, "commit", note_lost)
    yield found
    event.remove(sqlalchemy.Engine, "commit", note_lost)


def test_every_file_of_a_load_and_of_a_purge(shop: Project, lost: set[str]) -> None:
    rejected = {"sku": "A4", "weight": "heavy"}
    for period in ("2025-01", "2025-02"):
        deliver(shop, period, products(*SAME, "A1", rejected))
        load(shop)
    written = {path.suffix for path in (shop.root / "data/stage").rglob("*") if path.is_file()}
    assert written == {".parquet", ".csv", ".xlsx", ".zst"}
    assert lost == set()
    done = shop.loader("purge", "--dataset", "products", "--key", "A1", "--yes")
    assert done.exit_code == 0, done.output
    assert lost == set()
