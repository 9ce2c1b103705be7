"""Words that are stored or read by machines: the loader has those of docs/reference/stability.md, and no others."""

from __future__ import annotations

import ast
import csv
import json
import re
import shutil
from collections.abc import Callable, Iterable
from typing import Any, get_args

import pytest
from sqlalchemy import text

from loader.cli.app import INTERRUPTED
from loader.contracts.names import LINEAGE
from loader.errors import AlmanacError
from loader.gates import Check, GateRefusedError, GateResult
from loader.project import Project as Opened
from loader.readers.table import Remark
from loader.settings import Settings
from loader.staging.recheck import Result
from loader.staging.sources import Place
from loader.validation.rules import Kind
from loader.warehouse.ledger import PURGED, applied_load
from loader.warehouse.meta import metadata
from loader.warehouse.stage_table import unknown_table
from loader.warehouse.versions import State
from tests.conftest import REPOSITORY, Project
from tests.support.deliveries import change_contract, contract_of
from tests.support.shop import PRODUCTS, deliver, open_shop, products

PAGE = REPOSITORY / "docs" / "reference" / "stability.md"
LISTED = {
    where: re.findall("`([^`]+)`", words)
    for where, words in re.findall(
        r"^\| (?!where)(\S.*?) \| (`.*`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
}
PROMISE = "stored or read by machines: from 0.1.0 on such a word does not change"
REFUSED = "products_2025-03.csv"


@pytest.fixture
def shop(new_folder: Callable[..., Project]) -> Project:
    """A project of two loaded months, one of them rolled back, and a refused one; its mart has a fact and no models."""
    project = new_folder()
    assert project.loader("init").exit_code == 0
    shutil.rmtree(project.root / "dbt_project" / "models", ignore_errors=True)
    open_shop(
        project, PRODUCTS.replace("    guard:", "    invalid_rows: {action: reject_rows, max_share: 0.5}\n    guard:")
    )
    deliver(project, "2025-01", products("P1", "P2"))
    deliver(project, "2025-02", products("P1", {"sku": "P2", "price": "cheap"}))
    (project.landing / REFUSED).write_bytes(b"")
    (project.landing / "readme.txt").write_bytes(b"")

    def fill(connection: Any) -> None:
        connection.execute(text("create table mart.fct_sale as select 'Kiel' as city, 3 as pieces"))

    Opened.open(project.root).warehouse.run(fill)
    return project


def answer(project: Project, *args: object, exit_code: int = 0) -> Any:
    """What a command prints with `--json`."""
    result = project.loader(*args, "--json")
    assert result.exit_code == exit_code, result.output
    return result.json


def assert_listed(where: str, *found: Iterable[str]) -> None:
    """Each of `found` has the words of a line of the page, in any order."""
    for words in found:
        assert sorted(words) == sorted(LISTED[where]), f"{where}: {PROMISE}"


def test_answers_for_programs(shop: Project) -> None:
    report = answer(shop, "load", exit_code=1)
    again = answer(shop, "run", exit_code=1)
    assert_listed("`load`, `run`", report, again)
    assert_listed("`load`, `run`: each of `files`", *report["files"], *again["files"])
    assert_listed("`load`, `run`: each of `unknown`", *report["unknown"], *again["unknown"])
    results = {file["result"] for file in [*report["files"], *again["files"]]}
    assert_listed("`load`, `run`: values of `result`", results)
    plan = answer(shop, "plan", deliver(shop, "2025-02", products("P1", "P3")))
    assert_listed("`plan`", plan)
    assert_listed("`plan`: `verdict`", plan["verdict"])
    assert_listed("`plan`: `change` of `verdict`", plan["verdict"]["change"])
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-02", "--to", 0).exit_code == 0
    lines = answer(shop, "status")
    assert_listed("`status`: each line", *lines)
    assert {line["state"] for line in lines} == {"active", "rolled_back", "refused", "unknown"}
    assert_listed("`versions`: each load", *answer(shop, "versions", "--dataset", "products"))
    change_contract(shop, "description: Name.}", "description: Name., clean: [upper]}")
    (shop.landing / "products_2025-01.csv").unlink()
    (older,) = answer(shop, "load", exit_code=1)["older_contract"]
    assert_listed("`load`, `run`: each of `older_contract`", older)
    rechecked = answer(shop, "recheck", "--all")
    assert_listed("`recheck`", rechecked)
    assert_listed("`recheck`: each of `loads`", *rechecked["loads"])
    assert_listed("`recheck`: `change`", *(load["change"] for load in rechecked["loads"] if load["change"]))
    assert_listed("`cube`: each table that can be asked", *answer(shop, "cube"))
    refused = answer(shop, "load", "--period", "never", exit_code=2)
    assert_listed("every command that fails, besides what it has to answer", refused)
    assert_listed("`error`", refused["error"])
    assert {error.kind for error in (AlmanacError, *AlmanacError.__subclasses__())} == set(LISTED["values of `kind`"])
    failed = GateResult("stage", (Check("failed", "price", "products", "1 row"),), 0)
    error = GateRefusedError("refused", failed).as_json()
    assert_listed("`error` of a failed gate", error)
    assert_listed("each of `checks`, those that failed", *error["checks"])
    asked = answer(shop, "cube", "fct_sale", "--rows", "city", "--measure", "pieces")
    assert_listed("`cube`: an answer", asked)


def test_what_is_stored(shop: Project) -> None:
    assert shop.loader("load").exit_code == 1
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-02", "--to", 0).exit_code == 0
    assert shop.loader("purge", "--dataset", "products", "--before", "2025-02", "--yes").exit_code == 0
    columns: dict[str, list[str]] = {}
    for table, column in shop.sql(
        "select table_name, column_name from information_schema.columns where table_schema = 'meta'"
    ):
        columns.setdefault(f"`meta.{table}`", []).append(column)
    assert {where for where in LISTED if re.fullmatch(r"`meta\.\w+`", where)} == set(columns)
    for where, words in columns.items():
        assert_listed(where, words)
    for where in [where for where in LISTED if re.fullmatch(r"`meta\.\w+\.\w+`", where)]:
        table, _, column = where.strip("`").rpartition(".")
        stored = {value for (value,) in shop.sql(f"select distinct {column} from {table}")}
        assert stored, where
        assert stored <= set(LISTED[where]), f"{where}: {PROMISE}"
    (log,) = (shop.root / "data" / "logs").glob("almanac-*.jsonl")
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert_listed("the JSON log", {word for entry in entries for word in entry})
    assert_listed("the JSON log: values of `event`", {entry["event"] for entry in entries})
    assert {entry["level"] for entry in entries} == set(LISTED["the JSON log: values of `level`"]) - {"error"}
    (rejects,) = (shop.root / "data" / "stage" / "rejects").glob("*.csv")
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        header, [*_, rule] = csv.reader(file)
    assert_listed("the rejects as CSV", header)
    assert rule == "type decimal(8,2)"


def test_what_the_code_can_store() -> None:
    """What no short story of a warehouse comes to: the words are those of the code."""
    of_errors = (str(kind.exit_code) for kind in [AlmanacError, *AlmanacError.__subclasses__()])
    assert_listed("exit codes", {"0", str(INTERRUPTED), *of_errors})
    assert_listed("`meta.dataset_version.state`", State)
    assert_listed("`meta.version_event.state`", State)
    assert_listed("`recheck`: values of `result`", get_args(Result))
    places = "`status`, `versions`: values of `older_contract`; `load`, `run`: values of `place`"
    assert_listed(places, Place)
    assert_listed("`meta.etl_audit.step`", audited_steps())
    assert_listed("`core.applied_load`", applied_load.columns.keys())
    assert_listed("`core.applied_load.fingerprint` after a purge", [PURGED])
    assert_listed("every table of `stage`", LINEAGE)
    products = contract_of(PRODUCTS.removeprefix("\ndatasets:\n"))
    lineage = [column.name for column in unknown_table(products).c if column.name not in products.key]
    assert_listed("every `stage.<dataset>__unknown`, besides the key", lineage)
    rules = {kind.value.format("…") for kind in Kind if kind is not Kind.ROW_RULE} | {*Remark}
    assert_listed("the rejects as CSV: values of `rule`", rules)
    assert_listed("the environment", {f"ALMANAC_{name.upper()}" for name in Settings.model_fields})


@pytest.mark.parametrize(
    "where", [where for where in LISTED if re.fullmatch(r"`meta\.\w+\.\w+`", where)], ids=lambda where: where.strip("`")
)
def test_values_are_those_of_the_documentation(where: str) -> None:
    schema, table, column = where.strip("`").split(".")
    doc = metadata.tables[f"{schema}.{table}"].columns[column].doc or ""
    assert_listed(where, re.findall("`([^`]+)`", doc))


def audited_steps() -> set[str]:
    """The names by which the loader calls `audit.step`."""
    calls = [
        node
        for path in (REPOSITORY / "loader").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("audit.step")
    ]
    return {ast.literal_eval(call.args[0]) for call in calls}
