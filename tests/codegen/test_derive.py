"""The derived files: never stale in the repository, deterministic, and understood by whom they are for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from loader.codegen.derive import derive, derived_files
from loader.contracts import Contract, read_contracts
from tests.conftest import REPOSITORY, Project
from tests.support.engines import Engine

EVENTS = """
datasets:
  events:
    title: Events
    description: Changes of subscriptions.
    file_name: 'events_(?P<period>\\d{4}-Q[1-4])\\.csv'
    format: {type: csv}
    grain: quarter
    kind: delta
    key: [region, number]
    end_marker: {column: state, value: gone}
    columns:
      region: {type: varchar(3), description: 'Region: its code.', required: true}
      number: {type: integer, description: Number of the order., required: true}
      state: {type: varchar(4), description: State of the order., required: true, allowed: [live, gone]}
      price: {type: 'decimal(12,2)', description: Price in euros., min: 0.5, max: 1000}
      weight: {type: double, description: Weight in kg., tracked: false}
      paid: {type: boolean, description: Whether it is paid.}
      seen_at: {type: timestamp, description: When it was seen.}
      channel: {type: varchar(10), description: How it came., required: true, since: 2025-Q2, personal: true}
      total: {type: bigint, description: A large number.}
"""


def events(old: str = "", new: str = "") -> Contract:
    """The contract, or one in which `old` is `new`."""
    return Contract.model_validate({"name": "events", **yaml.safe_load(EVENTS.replace(old, new))["datasets"]["events"]})


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_derived_files_of_the_repository_are_not_stale() -> None:
    assert derive(REPOSITORY, read_contracts(REPOSITORY), check=True) == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "gx").rglob("*.json")), ids=lambda path: path.stem)
def test_suites_are_committed_without_ids(path: Path) -> None:
    def keys(node: Any) -> set[str]:
        if isinstance(node, dict):
            return set(node).union(*map(keys, node.values()))
        return set().union(*map(keys, node)) if isinstance(node, list) else set()

    assert "id" not in keys(json.loads(path.read_text(encoding="utf-8")))


def test_derive_writes_what_differs_and_removes_what_is_gone(tmp_path: Path) -> None:
    by_hand = tmp_path / "dbt_project/models/staging/_meta__sources.yml"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_text("version: 2\n", encoding="utf-8")
    both = [*read_contracts(REPOSITORY), events()]

    assert derive(tmp_path, both) == sorted(derived_files(both))
    assert derive(tmp_path, both) == []

    edited = tmp_path / "gx/expectations/stage/events.json"
    edited.write_text(edited.read_text(encoding="utf-8").replace("live", "dead"), encoding="utf-8")
    before = files_below(tmp_path)
    assert derive(tmp_path, both, check=True) == [Path("gx/expectations/stage/events.json")]
    assert files_below(tmp_path) == before
    assert derive(tmp_path, both) == [Path("gx/expectations/stage/events.json")]

    only = both[:1]
    assert derive(tmp_path, only) == sorted(set(derived_files(both)) - set(derived_files(only)))
    assert set(files_below(tmp_path)) == {*derived_files(only), by_hand.relative_to(tmp_path)}


def test_a_dataset_with_a_snapshot_has_a_suite_of_its_history(tmp_path: Path) -> None:
    derive(tmp_path, [events()])
    snapshot = tmp_path / "dbt_project/snapshots/shop/events.sql"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text("{% snapshot events %}{% endsnapshot %}", encoding="utf-8")
    assert derive(tmp_path, [events()]) == [Path("gx/expectations/core/events.json")]

    snapshot.unlink()
    assert derive(tmp_path, [events()]) == [Path("gx/expectations/core/events.json")]
    assert list((tmp_path / "gx/expectations/core").iterdir()) == []


def test_a_suite_of_a_history_shows_no_personal_key() -> None:
    for contract, shown in ((events(), True), (events("region: {", "region: {personal: true, "), False)):
        suite = json.loads(derived_files([contract], ["events"])[Path("gx/expectations/core/events.json")])
        queries = [one["kwargs"]["unexpected_rows_query"] for one in suite["expectations"] if "query" in str(one)]
        assert queries
        assert any("region" in query[0] for query in queries) == shown
        assert any("number" in query[0] for query in queries)


def test_every_derived_file_says_so_at_its_beginning() -> None:
    for path, text in derived_files([events()]).items():
        assert "by `loader derive`" in "".join(text.splitlines()[: 3 if path.suffix == ".json" else 1])


def test_a_title_in_a_contract_changes_no_suite_and_a_rule_does() -> None:
    contract = events()
    retitled = contract.model_copy(update={"title": "Other", "description": "Other words."})
    changed = [path for path, text in derived_files([retitled]).items() if derived_files([contract])[path] != text]
    assert changed == [Path("dbt_project/models/staging/_events__sources.yml")]


def test_the_source_carries_what_history_needs() -> None:
    text = derived_files([events()])[Path("dbt_project/models/staging/_events__sources.yml")]
    (source,) = yaml.safe_load(text)["sources"]
    (table,) = source["tables"]
    assert (source["name"], source["schema"], table["name"]) == ("stage", "stage", "events")
    assert table["config"]["meta"] == {
        "kind": "delta",
        "key": ["region", "number"],
        "tracked": ["price", "paid", "seen_at", "channel", "total"],
        "grain": "quarter",
        "end_marker": {"column": "state", "value": "gone"},
    }
    assert all(column["description"] and column["data_type"] for column in table["columns"])
    assert [column["name"] for column in table["columns"] if "config" in column] == ["channel"]


def test_the_ddl_makes_the_table_of_the_contract(engine: Engine, project: Project) -> None:
    script = derived_files([events()])[Path(f"ddl/{engine.name}/stage_events.sql")]
    project.sql(script)
    project.sql(script)  # harmless when it is there

    columns = dict(
        project.sql(
            "select column_name, is_nullable from information_schema.columns "
            "where table_schema = 'stage' and table_name = 'events'"
        )
    )
    lineage = ["_data_period", "_load_id", "_loaded_at", "_source_file_id", "_source_row"]
    assert list(columns) == [*(column.name for column in events().columns), *lineage]
    assert [name for name, nullable in columns.items() if nullable == "NO"] == ["_data_period"]

    project.sql(
        "insert into stage.events (region, price, weight, paid, seen_at, total, _data_period) "
        "values ('abc', 0.005, 0.1, 'true', '2025-04-01 10:00:00', 9000000000, '2025-Q2')"
    )
    assert project.sql("select cast(price as varchar(9)), total from stage.events") == [("0.01", 9_000_000_000)]


def test_the_period_is_indexed_where_that_serves(engine: Engine, project: Project) -> None:
    project.sql(derived_files([events()])[Path(f"ddl/{engine.name}/stage_events.sql")])
    found = project.sql(
        {
            "duckdb": "select index_name from duckdb_indexes() where table_name = 'events'",
            "postgres": "select indexname from pg_indexes where tablename = 'events'",
            "sqlserver": "select name from sys.indexes where name like 'ix_events%'",
        }[engine.name]
    )
    assert found == ([] if engine.name == "duckdb" else [("ix_events_data_period",)])


def test_dbt_reads_the_sources_without_a_warning_and_its_tests_see_bad_rows(
    new_project: Callable[..., Project],
) -> None:
    project = new_project("duckdb")
    for part in ("dbt_project", "dbt_project.yml", "profiles.yml.example"):
        path = project.root / part
        path.rename(project.root / f"unused_{part}")
    (project.root / "dbt_project.yml").write_text(
        "name: scratch\nversion: '1.0'\nprofile: almanac\n"
        "model-paths: [dbt_project/models]\ntest-paths: [dbt_project/tests]\nmacro-paths: []\n",
        encoding="utf-8",
    )
    generic = "dbt_project/tests/generic/unique_combination.sql"
    (project.root / generic).parent.mkdir(parents=True)
    (project.root / generic).write_bytes((REPOSITORY / generic).read_bytes())
    derive(project.root, [*read_contracts(REPOSITORY), events()])
    for script in sorted((project.root / "ddl/duckdb").glob("*.sql")):
        project.sql(script.read_text(encoding="utf-8"))
    # the second row repeats the key, has an unknown state, and lacks what is required since its quarter
    project.sql(
        "insert into stage.events (region, number, state, channel, _data_period) values "
        "('a', 1, 'live', null, '2025-Q1'), ('a', 1, 'new', null, '2025-Q2'), ('a', 1, 'gone', 'x', '2025-Q2')"
    )

    ran = project.dbt("--warn-error", "test")

    failed = {answer.node.name: answer.failures for answer in ran.result if answer.status != "pass"}
    assert failed == {
        "source_accepted_values_stage_events_state__live__gone": 1,
        "source_not_null_stage_events_channel": 1,
        "source_unique_combination_stage_events__data_period__region__number": 1,
    }


def test_deriving_costs_no_heavy_import() -> None:
    code = (
        "import sys; from pathlib import Path; from loader.contracts.file import read_contracts; "
        "from loader.codegen.derive import derive; root = Path(sys.argv[1]); "
        "derive(root, read_contracts(root), check=True); "
        "print(sorted({'great_expectations', 'dbt'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(REPOSITORY)], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert result.stdout.strip() == "[]"
