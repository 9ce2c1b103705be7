"""Deliveries in the wrong place, with the wrong rights, at the wrong moment, or of a strange name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.deliveries import files_below
from tests.support.engines import Engine
from tests.support.shop import (
    ANY_PRODUCT,
    PRODUCTS,
    as_typed,
    deliver,
    load,
    open_shop,
    prepared,
    products,
    skus,
    stage,
    versions,
)

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
ANY_NAME = PRODUCTS.replace(r"(?:_v(?P<order>\d+))?\.csv", r"(?s:.*)\.csv")


def open_any_shop(project: Project) -> Project:
    """A shop whose file names may go on as they like after the period."""
    return open_shop(project, ANY_NAME)


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", open_any_shop)


def state(shop: Project) -> list[object]:
    """What a refusal leaves alone."""
    return [stage(shop), versions(shop), files_below(shop.root / "data/stage")]


def refusal(shop: Project, path: Path, *, own_process: bool = False) -> str:
    """The one line that refuses a file, which changes nothing; a good file loads after it."""
    before = state(shop)
    result = shop.loader("load", "--file-path", path, own_process=own_process)
    assert result.exit_code == 1, result.output
    assert state(shop) == before
    [line, closing] = sorted(result.output.splitlines(), reverse=True)
    assert closing.startswith("0 loaded, 1 refused, 0 unchanged")
    [(status, error)] = shop.sql("select status, error from meta.etl_audit order by audit_id desc limit 1")
    assert (f"refused    {error}", status) == (line, "refused")
    good_file_loads(shop)
    return line


def good_file_loads(shop: Project) -> None:
    deliver(shop, "2020-01", products("P1", "P2"))
    assert load(shop, "--period", "2020-01").splitlines()[-1].startswith("1 loaded, 0 refused, 0 unchanged")
    assert stage(shop, "2020-01") == [as_typed(row) for row in products("P1", "P2")]


@POSIX
def test_a_link_to_a_file_is_that_file(shop: Project, tmp_path: Path) -> None:
    path = deliver(shop, "2025-01", products("P1"), folder=tmp_path)
    link = shop.landing / path.name
    link.symlink_to(path)
    assert load(shop).splitlines()[-1].startswith("1 loaded")
    assert shop.sql("select file_path from meta.ingestion_log") == [(str(path.resolve()),)]
    link.unlink()
    shutil.copy(path, link)
    assert load(shop).splitlines()[-1].startswith("0 loaded, 0 refused, 1 unchanged")


@POSIX
@pytest.mark.parametrize("target", ["nowhere.csv", "products_2025-01.csv"], ids=["to nothing", "to itself"])
def test_a_link_that_leads_nowhere(shop: Project, target: str) -> None:
    link = shop.landing / "products_2025-01.csv"
    link.symlink_to(shop.landing / target)
    assert refusal(shop, link).startswith("refused    products_2025-01.csv: cannot be read (")


def test_a_file_that_is_gone(shop: Project) -> None:
    message = refusal(shop, shop.landing / "products_2025-01.csv")
    assert message.endswith(": cannot be read (No such file or directory); check the file and its rights")


def test_a_folder_with_the_name_of_a_delivery(shop: Project) -> None:
    path = shop.landing / "products_2025-01.csv"
    path.mkdir()
    assert "products_2025-01.csv: cannot be read (it is a folder, a pipe or a device)" in refusal(shop, path)


@POSIX
def test_a_pipe_with_the_name_of_a_delivery(shop: Project) -> None:
    path = shop.landing / "products_2025-01.csv"
    os.mkfifo(path)
    assert "products_2025-01.csv: cannot be read (it is a folder, a pipe or a device)" in refusal(shop, path)


@POSIX
def test_a_device_with_the_name_of_a_delivery(shop: Project) -> None:
    path = shop.landing / "products_2025-01.csv"
    path.symlink_to("/dev/zero")
    assert "products_2025-01.csv: cannot be read (it is a folder, a pipe or a device)" in refusal(shop, path)


@POSIX
def test_a_file_without_the_right_to_read_it(shop: Project) -> None:
    path = deliver(shop, "2025-01", products("P1"))
    path.chmod(0)
    if os.access(path, os.R_OK) and not shutil.which("setpriv"):
        pytest.skip("who runs this may read everything, and setpriv is not there to take that right away")
    before = state(shop)
    result = without_rights(shop, "load")
    assert result.returncode == 1, result.stdout
    assert state(shop) == before
    reason = "products_2025-01.csv: cannot be read (Permission denied); check the file and its rights"
    assert result.stderr.splitlines() == [f"refused    {reason}"]
    path.unlink()
    good_file_loads(shop)


def without_rights(shop: Project, *args: str) -> subprocess.CompletedProcess[str]:
    """`loader ARGS` for whom the rights of files count, as they do not for root."""
    root = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    command = [sys.executable, "-m", "loader", "--project-dir", str(shop.root), *args]
    with shop._environment(None):
        return subprocess.run(
            [*(root if os.geteuid() == 0 else []), *command], capture_output=True, text=True, check=False
        )


def log_of(shop: Project) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (shop.root / "data/logs").glob("*.jsonl"))


def test_a_file_that_vanishes_before_its_turn(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    path = deliver(shop, "2025-02", products("P2"))
    loader = shop.start_loader("load")
    while loader.poll() is None and '"subject": "products_2025-01.csv"' not in log_of(shop):
        time.sleep(0.01)
    path.unlink()
    _, errors = loader.communicate()
    assert loader.returncode == 1
    [line] = errors.splitlines()
    assert line.startswith("refused    products_2025-02.csv: cannot be read (No such file or directory)")
    assert versions(shop) == [("2025-01", 1, "active", 1)]
    good_file_loads(shop)


def test_a_file_that_grows_while_it_is_read(shop: Project) -> None:
    rows = products(*(f"P{number}" for number in range(20_000)))
    path = deliver(shop, "2025-01", rows)
    done = threading.Event()

    def grow() -> None:
        number = 100_000
        with path.open("a", encoding="utf-8") as file:
            while not done.wait(0.01):
                row = {**ANY_PRODUCT, "sku": f"P{number}"}
                file.write(",".join(map(str, row.values())) + "\n")
                file.flush()
                number += 1

    sender = threading.Thread(target=grow)
    sender.start()
    try:
        result = shop.loader("load", "--file-path", path)
    finally:
        done.set()
        sender.join()
    assert result.exit_code == 1
    [line, _] = sorted(result.output.splitlines(), reverse=True)
    assert line.startswith(
        "refused    products_2025-01.csv: the file is no longer the one that was ingested; wait until"
    )
    assert state(shop) == [[], [], []]
    assert load(shop, "--file-path", path).startswith("loaded")
    good_file_loads(shop)


NAMES = {
    "decomposed": "Mu\u0308ller \u2013 \u00c4",
    "from right to left": "\u202exslx\u202c",
    "beyond the basic plane": "\U0001f4c8",
    "quotes and percent": "'; drop table x; -- %s {0} $1",
    "markup": "[red]x[blue] [ :cat:",
    "long": "x" * (255 - len("products_2025-01.csv")),
}
STRANGE = {
    "line break": "\nrefused",
    "codes for the terminal": "\x1b[2J\x07",
}


@pytest.fixture
def any_shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_any_shop)


@pytest.mark.parametrize("part", NAMES.values(), ids=NAMES)
def test_a_name_of_any_letters_is_a_name(any_shop: Project, part: str) -> None:
    loads_under(any_shop, f"products_2025-01{part}.csv")


@POSIX
@pytest.mark.parametrize("part", STRANGE.values(), ids=STRANGE)
def test_a_name_that_does_something_to_a_terminal_is_shown_harmlessly(any_shop: Project, part: str) -> None:
    loads_under(any_shop, f"products_2025-01{part}.csv")


def loads_under(shop: Project, name: str) -> None:
    """A delivery of this name is loaded and known again; every answer is one line, without control characters."""
    path = deliver(shop, "2025-01", products("P1"))
    path = path.rename(path.with_name(name))
    first, second = load(shop, "--file-path", path), load(shop, "--file-path", path)
    assert [len(output.split("\n")) for output in (first, second)] == [3, 3]
    assert first.startswith("loaded     products 2025-01  1 rows from products_2025-01")
    assert second.startswith("unchanged  products_2025-01")
    table = shop.loader("status")
    assert (table.exit_code, "2025-01" in table.output) == (0, True)
    assert not [sign for sign in first + second + table.output if unicodedata.category(sign) == "Cc" and sign != "\n"]
    assert shop.sql("select file_name from meta.ingestion_log") == [(name,)]
    assert skus(shop) == ["P1"]


@POSIX
def test_a_name_that_is_no_text(any_shop: Project) -> None:
    path = deliver(any_shop, "2025-01", products("P1"))
    path = path.rename(path.with_name(os.fsdecode(b"products_2025-01\xff.csv")))
    reason = (
        r"products_2025-01\udcff.csv: the name or its folder contains bytes that are not valid characters; rename it"
    )
    result = any_shop.loader("load", "--file-path", path)
    assert (result.exit_code, max(result.output.splitlines())) == (1, f"refused    {reason}")
    deliver(any_shop, "2025-01", products("P1"))
    output = load(any_shop, refused=True).splitlines()
    assert {f"refused    {reason}"} < {*output}
    assert any(line.startswith("loaded     products 2025-01") for line in output)
    [named] = [file for file in any_shop.loader("load", "--json").json["files"] if file["result"] == "refused"]
    assert named["file"] == path.name
    path.rename(path.with_name(os.fsdecode(b"readme\xff.txt")))
    [unknown] = any_shop.loader("load", "--json").json["unknown"]
    assert unknown["file"] == os.fsdecode(b"readme\xff.txt")


def test_a_path_longer_than_can_be_recorded(any_shop: Project, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["x" * 200] * 6)
    if os.name == "nt":
        pytest.skip("Windows has no such paths")
    folder.mkdir(parents=True)
    path = deliver(any_shop, "2025-01", products("P1"), folder=folder)
    output = load(any_shop, "--file-path", path, refused=True)
    assert (
        "refused    products_2025-01.csv: its path is longer than 1,024 characters; move it to a folder further up"
        in output
    )
    assert versions(any_shop) == []


def test_a_time_of_change_that_no_calendar_knows(any_shop: Project) -> None:
    path = deliver(any_shop, "2025-01", products("P1"))
    os.utime(path, (2**40, 2**40))
    load(any_shop)
    os.utime(path, (-(2**34), -(2**34)))
    assert "1 unchanged" in load(any_shop)
