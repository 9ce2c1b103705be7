"""The command line: exit codes, one line per error, options before and after the command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier

import click
import pytest
import yaml
from click.testing import CliRunner

from loader import console
from loader.cli import app
from loader.cli.app import main
from loader.errors import RefusedError
from tests.conftest import Project
from tests.support.shop import deliver, load, open_shop, prepared, products

COMMANDS = (
    "accept-header", "build", "completion", "cube", "ddl", "demo", "derive", "docs", "export", "gate", "ingest",
    "init", "load", "load-stage", "migrate", "plan", "propose", "purge", "recheck",
    "reset", "rollback", "run", "sample-data", "status", "validate", "versions",
)  # fmt: skip


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", open_shop)


def test_help_needs_nothing_heavy() -> None:
    heavy = "dbt duckdb great_expectations openpyxl pandas psycopg2 pyarrow sqlalchemy"
    script = (
        "import runpy, sys\n"
        "sys.argv = ['loader', '--help']\n"
        "try: runpy.run_module('loader', run_name='__main__')\n"
        f"finally: print(*set('{heavy}'.split()) & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stderr.split() == []
    assert [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)


def test_what_was_loaded_is_told_without_anything_heavy(shop: Project) -> None:
    """A warehouse that is up to date is not migrated, so Alembic has no part in it either."""
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    heavy = "alembic dbt great_expectations numpy openpyxl pandas pyarrow"
    for command in (["status"], ["versions", "--dataset", "products"]):
        script = (
            "import runpy, sys\n"
            f"sys.argv = ['loader', '--project-dir', {str(shop.root)!r}, *{command}]\n"
            "try: runpy.run_module('loader', run_name='__main__')\n"
            f"finally: print(*set('{heavy}'.split()) & set(sys.modules), file=sys.stderr)"
        )
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert result.stderr.split() == []
        assert "2025-01" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_for_each_option(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], prog_name="loader")
    assert (result.exit_code, result.stdout.startswith(f"Usage: loader {command} ")) == (0, True)
    options = [option for option in main.commands[command].params if isinstance(option, click.Option)]
    helpless = [option.name for option in options if not option.help]
    assert helpless == []


def test_done_and_nothing_to_do_is_0(shop: Project) -> None:
    assert "0 loaded, 0 refused, 0 unchanged; 0 rows" in load(shop)
    deliver(shop, "2025-01", products("P1"))
    assert "1 loaded" in load(shop, "--dataset", "products")
    assert "1 unchanged" in load(shop, "--period", "2025-01")


def test_refused_data_is_1(shop: Project) -> None:
    path = deliver(shop, "2025-01", [{"sku": "P1"}])
    for command in (("load",), ("load", "--json"), ("ingest", "--file-path", path), ("plan", path)):
        assert shop.loader(*command).exit_code == 1


WRONG_USAGE = [
    ("load --period 2025-02", "usage: nothing has landed for 2025-02 in "),
    ("load --dataset shops", "usage: dataset 'shops' has no contract in datasets_config.yml; known are: products"),
    ("load --target nope", "profiles.yml: no target 'nope' in profile 'almanac'; it has: dev"),
    ("status --dataset shops", "usage: dataset 'shops' has no contract"),
    ("validate --file-id 9", "usage: file 9 is not known; `loader status` lists the files"),
    ("load-stage --parquet-path x.parquet", "usage: no validation made x.parquet"),
    ("load --perod 2025-01", "No such option '--perod'"),
    ("laod", "No such command 'laod'"),
    ("plan nowhere.csv", "'nowhere.csv' does not exist"),
]


def test_a_package_that_is_missing_is_3_and_nobody_s_bad_data(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workbook of the rejects needs openpyxl."""
    deliver(shop, "2025-01", products("P1", {"sku": "P2", "price": "-1"}))
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "openpyxl", None)
        done = shop.loader("load", "--dataset", "products")
    assert done.exit_code == 3, done.output
    assert "openpyxl cannot be imported; install the packages of requirements/runtime.lock again" in done.output
    assert shop.sql("select count(*) from meta.etl_audit where status = 'refused'") == [(0,)]
    assert shop.sql("select count(*) from meta.ingestion_log where status = 'refused'") == [(0,)]


def test_wrong_usage_is_2(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    for args, reason in WRONG_USAGE:
        result = shop.loader(*args.split())
        assert result.exit_code == 2
        assert reason in result.output
        assert "Traceback" not in result.output


def test_a_wrong_contract_is_2_and_names_the_line(shop: Project) -> None:
    config = shop.root / "datasets_config.yml"
    config.write_text(config.read_text(encoding="utf-8").replace("kind: full", "kind: half"), encoding="utf-8")
    result = shop.loader("load")
    assert (result.exit_code, result.output.startswith("usage: datasets_config.yml, line 9: ")) == (2, True)
    config.unlink()
    result = shop.loader("load")
    assert (result.exit_code, "is not a project: it has no datasets_config.yml" in result.output) == (2, True)


def test_tracebacks_are_for_debug_only(shop: Project) -> None:
    for args in (("--debug", "status", "--dataset", "shops"), ("status", "--dataset", "shops", "--debug")):
        result = shop.loader(*args)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Traceback (most recent call last)" in result.output
        assert "\nloader.errors.UsageError: dataset 'shops' has no contract" in result.output
    result = shop.loader("status", "--dataset", "shops")
    assert result.output.splitlines() == [
        "usage: dataset 'shops' has no contract in datasets_config.yml; known are: products"
    ]
    assert result.stdout == ""


def test_options_before_and_after_the_command(shop: Project, new_project: Callable[..., Project]) -> None:
    """`--target test` is a warehouse of its own, wherever it stands; the later option wins."""
    outputs = {"dev": shop.profile_output, "test": {**shop.profile_output, "path": str(shop.root / "data/t.duckdb")}}
    profiles = {"almanac": {"target": "dev", "outputs": outputs}}
    (shop.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    empty = new_project("duckdb", "empty")

    def seen(*args: object) -> int:
        result = shop.loader(*args)  # which puts --project-dir of the shop in front
        assert result.exit_code == 0, result.output
        return len(json.loads(result.stdout))

    assert seen("status", "--json") == 1
    assert seen("status", "--json", "--target", "test") == 0
    assert seen("--target", "test", "status", "--json") == 0
    assert seen("--target", "test", "status", "--json", "--target", "dev") == 1
    assert seen("status", "--json", "--project-dir", empty.root) == 0


def test_json_and_nothing_else(shop: Project) -> None:
    (shop.landing / "readme.txt").write_text("no delivery", encoding="utf-8")
    deliver(shop, "2025-01", products("P1", "P2"))
    deliver(shop, "2025-02", products({"sku": "P1", "price": "cheap"}))
    result = shop.loader("load", "--json")
    assert result.exit_code == 1
    report = result.json
    assert {word: report[word] for word in ("loaded", "refused", "unchanged")} == {
        "loaded": 1,
        "refused": 1,
        "unchanged": 0,
    }
    columns = ("file", "dataset", "period", "result", "rows", "rejected")
    assert [tuple(file[column] for column in columns) for file in report["files"]] == [
        ("products_2025-01.csv", "products", "2025-01", "loaded", 2, 0),
        ("products_2025-02.csv", "products", "2025-02", "refused", None, None),
    ]
    assert "1 of 1 rows are invalid" in report["files"][1]["message"]
    for command in (
        ("status",),
        ("versions", "--dataset", "products"),
        ("plan", shop.landing / "products_2025-01.csv"),
    ):
        assert shop.loader(*command, "--json").json


@pytest.fixture
def speak() -> Iterator[str]:
    """A command that speaks after all who run it at the same time have begun, then refuses its data."""
    begun = Barrier(2)

    @app.command("speak")
    @app.json_option
    def speak_command(_: Project, as_json: bool) -> None:
        console.QUIET.set(as_json)
        begun.wait(60)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, console.say, f"said with --json {as_json}").result()
        raise RefusedError(f"refused with --json {as_json}")

    yield speak_command.name or ""
    del main.commands["speak"]


def test_commands_in_two_threads_do_not_share_their_options(
    shop: Project, speak: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--project-dir", str(shop.root)]
    with ThreadPoolExecutor(2) as pool:
        quiet = pool.submit(main, [*where, "--debug", speak, "--json"], standalone_mode=False)
        plain = pool.submit(main, [*where, speak], standalone_mode=False)
    assert isinstance(quiet.exception(), SystemExit)
    assert isinstance(plain.exception(), SystemExit)
    captured = capsys.readouterr()
    assert "said with --json False\n" in captured.out
    assert "said with --json True" not in captured.out
    assert captured.err.count("Traceback") == 1  # of the one with --debug
    assert captured.err.count("refused: refused with --json") == 2
