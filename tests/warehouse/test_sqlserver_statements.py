"""What is sent to SQL Server, as recorded by a connection to nothing; plans, deadlocks, types only a server shows."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from loader.contracts import read_contracts
from loader.warehouse.engines.sqlserver import SQLServer as Engine
from loader.warehouse.meta import metadata
from loader.warehouse.stage_table import stage_statements
from tests.conftest import REPOSITORY, Project
from tests.history.datasets import EXAMPLES
from tests.history.feeding import prepare
from tests.history.warehouse import SQLServerWarehouse
from tests.support.engines import SQLServer
from tests.support.shop import deliver, open_shop, products
from tests.support.sqlserver_answers import Answers, Stale
from tests.support.sqlserver_recorder import Recorder
from tests.support.sqlserver_rules import (
    ddl_under_lock,
    end_rule,
    letter_rule,
    lock_rule,
    name_rule,
    parameter_rule,
    parse_rule,
    write_rule,
)
from tests.support.sqlserver_store import Store

Rule = Callable[[Recorder], list[str]]
RULES: list[Rule] = [lock_rule, write_rule, end_rule, letter_rule, parameter_rule, name_rule, parse_rule]
UNDER_LOCK = Path(__file__).with_name("ddl_under_lock.json")
"""DDL under a lock, which holds up who waits for it and may end in a deadlock: the list may shrink."""
CONTRACT = "models/staging/_sources.yml"
ENDED = "Усунуто"
"""A text of a contract whose letters few code pages have."""
ALLOWED = f"""
        columns:
          - name: state
            data_tests: [accepted_values: {{arguments: {{values: [open, {ENDED}]}}}}]
"""
HERE = {"type": "sqlserver", "backend": "mssql-python", "host": "db.example", "database": "db"}
_BUILD = ("build", "--exclude", "plain", "fct_people")
"""Without a stock snapshot, and the second fact of its kind."""
_MARCH, _APRIL, _MAY, _JULY, _AUGUST = (f"2025-{month:02}-01 00:00:00.000000" for month in (3, 4, 5, 7, 8))
BUILDS: dict[str, tuple[Stale, tuple[str, ...]]] = {
    "first": (Stale("2025-01-01 00:00:00.000000", 2, 2), _BUILD),
    "of a new period": (Stale(_MARCH, 1, 3, windows=((_MARCH, None, None),)), _BUILD),
    "of a correction": (Stale(_MARCH, 1, 9, windows=((_MARCH, _APRIL, _APRIL),)), _BUILD),
    "of corrections, with unknown keys": (
        Stale(_MARCH, 2, 9, has_unknown=1, windows=((_MARCH, _APRIL, _MAY), (_JULY, _AUGUST, None))),
        _BUILD,
    ),
    "with nothing new": (Stale(None, 0, 3), _BUILD),
    "--full": (Stale(None, 0, 3), (*_BUILD, "--full-refresh")),
    "rebuild_history": (Stale(None, 0, 3), ("run-operation", "rebuild_history", "--args", "{snapshot: people}")),
}


class Recorded(SQLServerWarehouse):
    """The scratch project on a server that is none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SQLServer(), {**HERE, "user": "u", "password": "p"})

    def connect(self) -> Any:
        import mssql_python

        return mssql_python.connect()


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Recorder]]:
    answers = Answers()
    found: dict[str, Recorder] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mssql_python.connect", lambda *_, **options: answers.recorder.connect(**options))
        warehouse = Recorded(tmp_path_factory.mktemp("recorded"))
        warehouse.edit(CONTRACT, "value: gone}", f"value: {ENDED}}}")
        warehouse.edit(CONTRACT, "      - name: plain", ALLOWED + "      - name: plain")
        prepare(warehouse, *(example.dataset for example in EXAMPLES))
        for name, (stale, command) in BUILDS.items():
            found[name] = answers.begin(stale)
            if name == "of a correction":  # as an older release has left it
                for index in clustered(found[name], "core").values():
                    del found[name].catalogue.indexes[index]
            warehouse.dbt(*command)
        yield found


def clustered(recorder: Recorder, schema: str) -> dict[str, str]:
    """The tables of a schema whose rows lie in the order of an index, and its name."""
    return {
        index.table.removeprefix(f"{schema}."): name
        for name, index in recorder.catalogue.indexes.items()
        if index.kind == "clustered" and index.table.startswith(f"{schema}.")
    }


def test_what_is_emptied_by_delete_is_no_heap(builds: dict[str, Recorder]) -> None:
    """Those of an older release become what new ones are, once, by the build that needs them."""
    made = {
        name: sorted(one.statement.words[3] for one in recorder.recorded if one.sql.startswith("create clustered"))
        for name, recorder in builds.items()
    }
    both = ["IX_APPLIED_LOAD", "IX_FCT_ORDER_STATE__CHANGES"]
    assert {name: found for name, found in made.items() if found} == {
        "first": both,
        "of a correction": both,
        "--full": both[1:],
    }
    assert sorted(clustered(builds["first"], "core")) == ["applied_load", "fct_order_state__changes"]


def test_each_question_had_an_answer(builds: dict[str, Recorder]) -> None:
    """One that is not known fails what asks it; this finds who caught that."""
    assert [question for recorder in builds.values() for question in recorder.unanswered] == []
    assert sum(len(recorder.recorded) for recorder in builds.values()) > 1_000


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_statements_of_builds(builds: dict[str, Recorder], rule: Rule) -> None:
    assert {name: rule(recorder) for name, recorder in builds.items()} == {name: [] for name in builds}


def test_ddl_under_a_lock_is_listed(builds: dict[str, Recorder]) -> None:
    listed = json.loads(UNDER_LOCK.read_text(encoding="utf-8"))
    found = {name: sorted(ddl_under_lock(recorder.recorded)) for name, recorder in builds.items()}
    assert found == {name: listed.get(name, listed["of what exists"]) for name in builds}


FAULTS: dict[str, tuple[Rule, Callable[[str], str]]] = {
    "a lock in no transaction": (
        lock_rule,
        lambda batch: re.sub("(?i)begin transaction", "", batch).replace(
            "@@trancount = 0 throw", "@@trancount = 9 throw"
        ),
    ),
    "a change in no transaction": (
        write_rule,
        lambda batch: re.sub("(?is)begin transaction|if isnull.applock_mode.*?, 1;|.*sp_getapplock.*", "", batch),
    ),
    "a transaction that nobody ends": (end_rule, lambda batch: batch.replace("commit transaction", "")),
    "a letter of a contract": (
        letter_rule,
        lambda batch: batch.replace(f"0x{ENDED.encode('utf-16-le').hex()}", f"N''{ENDED}''"),
    ),
    "the catalogue in lower case": (name_rule, lambda batch: batch.replace("INFORMATION_SCHEMA", "information_schema")),
    "a column of it in lower case": (name_rule, lambda batch: batch.replace("TABLE_SCHEMA", "table_schema")),
    "no SQL": (parse_rule, lambda batch: batch.replace("group by", "group of")),
}


@pytest.mark.parametrize(("rule", "fault"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_is_found(builds: dict[str, Recorder], rule: Rule, fault: Callable[[str], str]) -> None:
    first = builds["first"]
    assert rule(first.replayed(lambda batch: batch)) == []
    assert rule(first.replayed(fault))


def test_nothing_is_written_down_of_a_transaction_that_the_server_ended(builds: dict[str, Recorder]) -> None:
    """An attention rolls back, and says so to nobody."""

    def ledgers(recorder: Recorder) -> int:
        return sum(one.sql.startswith("insert into") and "applied_load" in one.sql for one in recorder.recorded)

    attention = builds["first"].replayed(
        lambda batch: batch.replace("EXEC('DROP VIEW IF EXISTS", "rollback transaction EXEC('DROP VIEW IF EXISTS")
    )
    assert (ledgers(builds["first"]), ledgers(attention)) == (5, 0)


def test_too_many_parameters_are_found(builds: dict[str, Recorder]) -> None:
    recorder = Recorder(None)
    recorder.connect().execute("delete from stage.people where person in (?)", range(2_001))
    assert parameter_rule(recorder) == ["2001 parameters"]


def test_ddl_that_comes_or_goes_is_found(builds: dict[str, Recorder]) -> None:
    """The list holds what is recorded, no more and no less."""
    first = builds["first"].replayed(lambda batch: batch)
    more = first.replayed(lambda batch: batch.replace("insert into", "create table core.more (a int) insert into"))
    assert "snapshot: create table core.more" in ddl_under_lock(more.recorded) - ddl_under_lock(first.recorded)
    less = first.replayed(lambda batch: batch.replace("sp_getapplock", "sp_none"))
    assert ddl_under_lock(less.recorded) == set()


class WholeProject(Recorded):
    """Every snapshot, model and test of the real project."""

    def _write_project(self, real: bool) -> None:
        shutil.copytree(REPOSITORY / "dbt_project", self.folder / "dbt_project")
        for name in ("dbt_project.yml", "datasets_config.yml"):
            shutil.copy(REPOSITORY / name, self.folder)

    def prepare(self) -> None:
        """Make the tables that the loader makes."""
        dialect = Engine.dialect()
        made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
        for contract in read_contracts(REPOSITORY):
            made += stage_statements(contract, Engine)
        self.execute("create schema meta", "create schema stage", *made)


@pytest.mark.slow
@pytest.mark.long
def test_the_statements_of_the_whole_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first build and one of a new period: each column that they name is found in what they made."""
    answers = Answers()
    monkeypatch.setattr("mssql_python.connect", lambda *_, **options: answers.recorder.connect(**options))
    warehouse = WholeProject(tmp_path)
    warehouse.prepare()
    for name in ("first", "of a new period"):
        recorder = answers.begin(BUILDS[name][0])
        warehouse.dbt("build")
        assert recorder.unanswered == []
        assert {rule.__name__: rule(recorder) for rule in RULES} == {rule.__name__: [] for rule in RULES}


class NoServer(SQLServer):
    """A target that nobody listens at."""

    def new_output(self, project_dir: Path) -> dict[str, Any]:
        return {**HERE, "port": 1433, "user": "u", "password": "p", "schema": "mart", "encrypt": True}

    def drop(self, output: dict[str, Any]) -> None:
        """There is nothing."""


FAULTS_OF_LOADS: dict[str, tuple[Rule, Callable[[str], str]]] = {
    "a lock in no transaction": (
        lock_rule,
        lambda batch: batch.replace("begin transaction", "").replace("@@trancount <> 1", "@@trancount <> 0"),
    ),
    "a lock in two": (
        lock_rule,
        lambda batch: batch.replace("begin transaction", "begin transaction; begin transaction").replace(
            "@@trancount <> 1", "@@trancount <> 2"
        ),
    ),
    "a change in no transaction": (write_rule, lambda batch: batch.replace("begin transaction", "")),
    "a transaction that nobody ends": (end_rule, lambda batch: batch.replace("commit transaction", "")),
    "a letter of a contract": (letter_rule, lambda batch: batch.replace("_data_period", "_Період")),
    "a column of the catalogue in lower case": (name_rule, lambda batch: batch.replace("TABLE_NAME", "table_name")),
    "no SQL": (parse_rule, lambda batch: batch.replace("WHERE", "WHERE WHERE")),
}


def test_the_statements_of_loads(new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrated, loaded, loaded anew, rolled back, purged; what they leave is in the rows that the statements made."""
    store = Store()
    monkeypatch.setattr("mssql_python.connect", store.connect)

    def run(*command: object) -> None:
        done = shop.loader(*command)
        assert done.exit_code == 0, [*store.unanswered, done.output]

    shop = open_shop(new_project(NoServer()))
    deliver(shop, "2025-01", products("P1", "P2", "P3"))
    deliver(shop, "2025-02", products("P1", "P2", "P4"), order=1)
    run("load")
    deliver(shop, "2025-02", products("P1", "P2", "P5"), order=2)
    run("load")
    in_the_shop = ("--dataset", "products")
    run("rollback", *in_the_shop, "--period", "2025-02")
    run("purge", *in_the_shop, "--key", "P1", "--yes")
    run("purge", *in_the_shop, "--before", "2025-02", "--yes")
    run("status")
    left = store.rows.execute("select sku, _data_period from stage.products order by sku").fetchall()
    assert left == [("P2", "2025-02"), ("P4", "2025-02")]

    incoming = clustered(store, "stage")
    for table in ("products__incoming", "products__unknown__incoming"):  # heaps in an older release
        del store.catalogue.indexes[incoming[table]]
    store.rows.execute("update meta.alembic_version set version_num = '0010'")
    run("migrate")
    assert clustered(store, "stage") == incoming

    assert store.unanswered == []
    assert {rule.__name__: rule(store) for rule in RULES} == {rule.__name__: [] for rule in RULES}
    assert ddl_under_lock(store.recorded) == set()
    for name, (rule, fault) in FAULTS_OF_LOADS.items():
        assert rule(store.replayed(fault)), name
