"""What a person reads on any console, what a program reads when a command fails, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from click.testing import CliRunner

from loader import console
from loader.cli.app import main
from tests.conftest import Project
from tests.support.shop import deliver, load, open_shop, prepared, products


def _shop(project: Project) -> None:
    open_shop(project)
    deliver(project, "2025-01", products(*(f"P{number}" for number in range(1234))))
    load(project)


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", _shop)


@pytest.fixture
def width(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sets the width of the console."""

    def to(columns: int) -> None:
        monkeypatch.setattr(console, "_WIDTH_UNWATCHED", columns)
        console._console.cache_clear()

    yield to
    console._console.cache_clear()


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_number_is_never_cut(shop: Project, width: Callable[[int], None], columns: int) -> None:
    width(columns)
    for command in (["status"], ["versions", "--dataset", "products"]):
        result = shop.loader(*command)
        assert max(map(len, result.stdout.splitlines())) <= columns
        assert re.search(r" rows ", result.stdout)
        assert re.search(r" 1,234 ", result.stdout)
        assert "…" not in result.stdout
        assert ("note: too narrow for" in result.output) == ("(UTC)" not in result.stdout)


def test_the_columns_of_least_worth_are_left_out(shop: Project, width: Callable[[int], None]) -> None:
    width(60)
    result = shop.loader("status")
    assert "too narrow for when (UTC), unknown" in result.output
    (header,) = (line for line in result.stdout.splitlines() if "dataset" in line)
    assert header.split()[:3] == ["dataset", "period", "state"]


@pytest.mark.parametrize("charset", ["cp1252", "ascii", "utf-8"])
def test_a_pipe_of_any_encoding_takes_all_that_is_said(shop: Project, charset: str) -> None:
    where = ["--project-dir", str(shop.root)]
    changed = [{"sku": f"P{number}", "name": "Tea ≤ 5"} for number in range(1234)]
    path = deliver(shop, "2025-01", products(*changed))
    result = CliRunner(charset=charset).invoke(main, [*where, "plan", str(path)])
    assert result.exit_code == 1  # the guard refuses it
    said = result.stdout_bytes.decode(charset)
    assert ("Tea → Tea ≤ 5" if charset == "utf-8" else "Tea -> Tea \\u2264 5") in said
    result = CliRunner(charset=charset).invoke(main, [*where, "plan", "--json", str(path)])
    examples = json.loads(result.stdout_bytes.decode(charset))["verdict"]["change"]["examples"]
    assert examples["name"][0][1:] == ["Tea", "Tea ≤ 5"]


@pytest.mark.parametrize(
    ("args", "kind", "exit_code"),
    [
        ("load --period never", "usage", 2),
        ("load --perod 2025-01", "usage", 2),
        ("load --file-path nowhere.csv --target nope", "usage", 2),
        ("status --dataset nobody", "usage", 2),
    ],
)
def test_an_error_is_json_for_programs(shop: Project, args: str, kind: str, exit_code: int) -> None:
    result = shop.loader(*args.split(), "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["exit_code"], error["kind"]) == (exit_code, exit_code, kind)
    assert error["message"]


def test_checks_of_a_gate_that_a_delivery_fails_are_json(shop: Project) -> None:
    suite = shop.root / "gx/expectations/stage/products.json"
    asked = json.loads(suite.read_text(encoding="utf-8"))
    asked["expectations"] = [
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"max_value": 1}, "description": "at most one row"}
    ]
    suite.write_text(json.dumps(asked), encoding="utf-8")
    deliver(shop, "2025-02", products("P1", "P2"))
    result = shop.loader("load", "--force", "--json")
    (line,) = (file for file in result.json["files"] if file["period"] == "2025-02")
    assert line["result"] == "refused"
    (check,) = line["checks"]
    assert (check["table"], check["check"], check["result"]) == ("products", "at most one row", "failed")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another way to interrupt a process")
def test_an_interrupted_command_says_so_in_one_line(shop: Project) -> None:
    import duckdb

    with closing(duckdb.connect(shop.profile_output["path"])):
        waiting = shop.start_loader("load")
        assert "the warehouse is in use by process" in waiting.stderr.readline()
        os.kill(waiting.pid, signal.SIGINT)
        output, errors = waiting.communicate()
    assert (waiting.returncode, output) == (130, "")
    lines = [line for line in errors.splitlines() if not line.startswith("note: ")]
    assert lines == ["interrupted: what was done before stays; run the command again to do the rest"]
