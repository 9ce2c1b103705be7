"""An environment that gives way: full disks, places that are none, a damaged warehouse, files that eat memory."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.broken.cases import CONTRACTS, content, quoted
from tests.broken.containers import blank_rows, gzip_bomb, gzip_bomb_of_rows, zip_bomb
from tests.conftest import Project, Result
from tests.support.deliveries import files_below
from tests.support.shop import Cells, as_typed, deliver, load, open_shop, prepared, products, stage, versions

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, limits and small file systems are Linux's")
MEBI = 1 << 20


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    """A shop with one loaded period."""
    shop = prepared(new_project, "duckdb", open_shop)
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    return shop


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a file system of its own needs the rights of root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def many(rows: int) -> list[Cells]:
    """The product that is there, and others that pack badly."""
    chance = random.Random(rows)
    numbers = (f"P{number}" for number in range(2, rows + 1))
    return products("P1") + [
        {**row, "name": f"{chance.random():.15f} {chance.random():.15f}"} for row in products(*numbers)
    ]


def assert_failed(shop: Project, done: Result, words: str) -> None:
    """Exit code 3, one line, and the period that was there still is; afterwards the same files load."""
    assert done.exit_code == 3, done.output
    [line] = done.output.splitlines()
    assert line.startswith("failed: ")
    assert words in line
    assert versions(shop) == [("2025-01", 1, "active", 1)]
    assert stage(shop) == [as_typed(row) for row in products("P1")]
    archive = files_below(shop.root / "data/stage/cleaned")
    assert [name for name in archive if not name.endswith(".parquet")] == []


def assert_recovered(shop: Project, rows: int) -> None:
    assert load(shop).splitlines()[-1].startswith("1 loaded, 0 refused, 1 unchanged")
    assert versions(shop)[-1] == ("2025-02", 1, "active", rows)


@LINUX
def test_the_disk_of_the_archive_is_full(shop: Project, tmp_path: Path) -> None:
    deliver(shop, "2025-02", many(30_000))
    with small_disk(tmp_path / "archive", "512k") as archive:
        done = shop.loader("load", "--period", "2025-02", env={"ALMANAC_CLEANED_DIR": str(archive)})
        assert files_below(archive) == []
    assert_failed(shop, done, "products_2025-02.csv: the disk is full; free some room and load again")
    assert_recovered(shop, 30_000)


@LINUX
def test_the_disk_of_the_rejects_is_full(shop: Project, tmp_path: Path) -> None:
    deliver(shop, "2025-02", [{**row, "price": "-1"} for row in many(30_000)])
    with small_disk(tmp_path / "rejects", "512k") as rejects:
        done = shop.loader("load", "--period", "2025-02", env={"ALMANAC_REJECTS_DIR": str(rejects)})
    assert_failed(shop, done, "products_2025-02.csv: the disk is full; free some room and load again")


@LINUX
def test_the_disk_of_the_warehouse_is_full(new_project: Callable[..., Project]) -> None:
    shop = new_project("duckdb")
    with small_disk(shop.root / "data" / "small", "6m") as folder:
        shop.profile_output["path"] = (folder / "warehouse.duckdb").as_posix()
        profiles = shop.root / "profiles.yml"
        profiles.write_text(profiles.read_text().replace("data/warehouse.duckdb", shop.profile_output["path"]))
        open_shop(shop)
        deliver(shop, "2025-01", products("P1"))
        load(shop)
        deliver(shop, "2025-02", many(200_000))
        done = shop.loader("load", "--period", "2025-02")
        assert_failed(shop, done, "the database said: ")


@LINUX
def test_a_file_may_not_grow(shop: Project) -> None:
    """A limit for the size of files (ulimit -f), as a quota sets one."""
    deliver(shop, "2025-02", many(200_000))
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)); "
    run = f"{limit} sys.argv[0] = 'loader'; runpy.run_module('loader', run_name='__main__')"
    command = [sys.executable, "-c", run, "--project-dir", str(shop.root), "load", "--period", "2025-02"]
    with shop._environment(None):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert_failed(shop, Result(result.returncode, result.stdout + result.stderr, result.stdout), "File too large")
    assert_recovered(shop, 200_000)


@LINUX
def test_the_disk_of_the_log_is_full(shop: Project, tmp_path: Path) -> None:
    from loader.warehouse.meta import now

    deliver(shop, "2025-02", products("P1"))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / f"almanac-{now():%Y-%m-%d}.jsonl").symlink_to("/dev/full")
    done = shop.loader("load", "--period", "2025-02", env={"ALMANAC_LOG_DIR": str(logs)})
    assert_failed(shop, done, "No space left on device")
    assert_recovered(shop, 1)


@pytest.mark.parametrize("variable", ["ALMANAC_CLEANED_DIR", "ALMANAC_REJECTS_DIR"])
def test_a_folder_that_is_a_file(shop: Project, tmp_path: Path, variable: str) -> None:
    deliver(shop, "2025-02", products("P1"))
    (tmp_path / "file").write_text("no folder")
    done = shop.loader("load", "--period", "2025-02", env={variable: str(tmp_path / "file")})
    assert_failed(shop, done, str(tmp_path / "file"))
    assert_recovered(shop, 1)


@pytest.mark.parametrize("damage", [b"no database at all, only letters", b""], ids=["letters", "nothing"])
def test_a_warehouse_that_is_none(shop: Project, damage: bytes) -> None:
    path = Path(shop.profile_output["path"])
    whole = path.read_bytes()
    path.write_bytes(damage or bytes(len(whole)))
    done = shop.loader("load")
    path.write_bytes(whole)
    assert_failed(shop, done, "the database said: ")


HOSTILE = {
    "book_2025-01.xlsx": zip_bomb(3000),
    "book_2025-02.xlsx": zip_bomb(3000, says=1000),
    "book_2025-03.xlsx": blank_rows,
    "text_2025-01.csv.gz": gzip_bomb(3000),
    "text_2025-02.csv.gz": gzip_bomb_of_rows,
    "text_2025-03.csv": content(lambda: "a" * 300_000_000),
    # a cell with a line break, so that a torn row refuses the file
    "text_2025-04.csv": content(
        lambda: quoted(city="Bad\nMuskau") + '0004,"Anna' + ",29.02.1988,Dresden,3,12.50\n0004,Anna" * 5_000_000
    ),
}


@LINUX
@pytest.mark.slow
def test_hostile_files_take_no_memory(new_project: Callable[..., Project]) -> None:
    """Three gigabytes in a cell, in a line and in rows, a million blank rows: all together take less than one."""
    shop = prepared(new_project, "duckdb", open_empty_register)
    for name, make in HOSTILE.items():
        make(shop.landing / name)
    measure = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
    )
    command = [sys.executable, "-c", measure, sys.executable, "-m", "loader", "--project-dir", str(shop.root), "load"]
    with shop._environment(None):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    *_, closing, kibibytes = result.stdout.splitlines()
    assert result.returncode == 1
    assert closing.startswith("1 loaded, 6 refused, 0 unchanged; 3 rows in")
    assert int(kibibytes) < MEBI


def open_empty_register(project: Project) -> Project:
    return open_shop(project, CONTRACTS)
