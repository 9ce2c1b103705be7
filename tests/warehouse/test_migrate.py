"""Migrate: meta and stage follow the loader and the contracts, and never lose data on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from loader.warehouse import migrations
from loader.warehouse.meta import REVISION
from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.engines import Engine, Rows
from tests.support.shop import PRODUCTS, deliver, everything, load, open_shop, prepared, products, stage

SHELF = "      shelf: {type: varchar(5), description: Shelf., since: 2025-02}\n    guard:"


def one_month(project: Project) -> None:
    """Two products in January."""
    open_shop(project)
    deliver(project, "2025-01", products("P1", {"sku": "P2", "price": "999999.99", "pieces": "-1"}))
    load(project)


def test_the_revision_is_that_of_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_current_head() == REVISION


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, one_month)


def rewrite_contract(project: Project, *changes: tuple[str, str]) -> None:
    """Change the contract without what has to follow."""
    text = PRODUCTS
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (project.root / "datasets_config.yml").write_text(text, encoding="utf-8")


def migrate(project: Project, exit_code: int = 0) -> str:
    done = project.loader("migrate")
    assert done.exit_code == exit_code, done.output
    return done.output


def structure(project: Project) -> Rows:
    """Every column, sequence and index of the warehouse, but for those of the engine itself."""
    columns = (
        "select table_schema, table_name, column_name, ordinal_position, data_type, is_nullable, "
        "character_maximum_length, numeric_precision, numeric_scale from information_schema.columns"
    )
    theirs = "('pg_catalog', 'information_schema', 'INFORMATION_SCHEMA', 'main', 'public', 'dbo', 'guest', 'sys')"
    schemas = f"select schema_name from information_schema.schemata where schema_name not in {theirs}"
    others = {
        "duckdb": [
            "select schema_name, sequence_name, start_value, increment_by from duckdb_sequences()",
            "select schema_name, table_name, constraint_type, constraint_text from duckdb_constraints()",
            "select schema_name, index_name, sql from duckdb_indexes()",
        ],
        "postgres": [
            "select sequence_schema, sequence_name, start_value, increment from information_schema.sequences",
            f"select schemaname, indexname, indexdef from pg_indexes where schemaname not in {theirs}",
        ],
        "sqlserver": [
            """
            select sequence_schema, sequence_name, cast(start_value as bigint), cast(increment as bigint)
            from information_schema.sequences
            """,
            f"""
            select object_schema_name(object_id), object_name(object_id), type_desc, is_unique, is_primary_key,
                case when is_primary_key = 0 then name end  -- the server names keys by chance
            from sys.indexes where object_schema_name(object_id) not in {theirs}
            """,
            f"""
            select table_schema, table_name, column_name, collation_name from information_schema.columns
            where table_schema not in {theirs}
            """,
        ],
    }
    queries = [f"{columns} where table_schema not in {theirs}", schemas, *others[project.engine.name]]
    return sorted((row for query in queries for row in project.sql(query)), key=repr)


def test_again_changes_nothing(shop: Project) -> None:
    before = structure(shop), everything(shop)
    assert migrate(shop) == "nothing to do: meta and stage are up to date\n"
    assert (structure(shop), everything(shop)) == before


def test_every_layer_has_its_schema(shop: Project) -> None:
    found = {row[0].rpartition(".")[2] for row in shop.sql("select schema_name from information_schema.schemata")}
    assert {"meta", "stage", "core", "mart"} <= found


def test_a_new_column_is_added_and_empty(shop: Project) -> None:
    before = stage(shop)
    rewrite_contract(shop, ("    guard:", SHELF))
    assert migrate(shop) == "stage.products: column shelf added\n1 changes\n"
    assert stage(shop) == before
    assert shop.sql("select shelf from stage.products") == [(None,), (None,)]
    assert migrate(shop).startswith("nothing to do")


def test_columns_become_wider(shop: Project) -> None:
    before = stage(shop)
    rewrite_contract(shop, ("decimal(8,2)", "decimal(12,2)"), ("type: varchar(40)", "type: varchar(80)"))
    output = migrate(shop)
    assert "stage.products: column price widened to decimal(12,2)" in output
    # DuckDB's texts have no length
    assert ("column name widened to varchar(80)" in output) == (shop.engine.name != "duckdb")
    assert stage(shop) == before
    assert migrate(shop).startswith("nothing to do")
    shop.loader("derive")
    deliver(shop, "2025-02", products({"sku": "P1", "price": "9999999999.99", "name": "x" * 80}, "P2"))
    load(shop, "--force", "--period", "2025-02")
    assert stage(shop, "2025-02", ["name", "cast(price as varchar(20))"])[0] == ("x" * 80, "9999999999.99")


LOSSY = [
    ("{type: date, description: First", "{type: varchar(10), description: First", "listed_on is date"),
    ("type: bigint", "type: integer", "pieces is bigint"),
    ("type: bigint", "type: varchar(20)", "pieces is bigint"),
    ("decimal(8,2)", "decimal(8,1)", "price is decimal(8,2)"),
    ("decimal(8,2)", "decimal(6,2)", "price is decimal(8,2)"),
    ("type: double", "type: bigint", "weight is double"),
]


def test_what_could_lose_data_is_refused_with_advice(shop: Project) -> None:
    before = structure(shop), everything(shop)
    lossy = [*LOSSY, ("type: varchar(40)", "type: varchar(39)", "name is varchar(40)")]
    for old, new, reason in lossy if shop.engine.name != "duckdb" else LOSSY:
        rewrite_contract(shop, (old, new), ("    guard:", SHELF))  # the new column must wait too
        output = migrate(shop, exit_code=2)
        assert f"stage.products.{reason}" in output
        assert "could lose data: keep the type, give the column a new name in the contract" in output
        assert shop.loader("load").exit_code == 2
    assert (structure(shop), everything(shop)) == before


def test_a_key_keeps_the_text_by_which_history_knows_it(new_project: Callable[..., Project]) -> None:
    numbered = PRODUCTS.replace("sku: {type: varchar(8)", "sku: {type: integer")
    project = open_shop(new_project(), numbered)
    deliver(project, "2025-01", products({"sku": "7"}))
    load(project)
    for declared in ("bigint", "decimal(20,0)", "decimal(22,0)"):
        rewrite_contract(project, ("sku: {type: varchar(8)", f"sku: {{type: '{declared}'"))
        assert f"column sku widened to {declared}" in migrate(project)
    rewrite_contract(project, ("sku: {type: varchar(8)", "sku: {type: 'decimal(24,2)'"))
    output = migrate(project, exit_code=2)
    assert "sku is decimal(22,0) and the contract says decimal(24,2), which changes the text of a key" in output
    assert project.sql("select cast(sku as varchar(30)) from stage.products") == [("7",)]


def test_what_holds_nothing_may_become_anything(shop: Project) -> None:
    rewrite_contract(shop, ("type: double", "type: date"))
    shop.sql("update stage.products set weight = null")
    assert "stage.products: column weight is date now; it had no values" in migrate(shop)
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0).exit_code == 0
    rewrite_contract(shop, ("type: varchar(8)", "type: date"), ("type: double", "type: date"))
    assert "stage.products: created anew, for sku is date now; it had no rows" in migrate(shop)
    assert migrate(shop).startswith("nothing to do")


def test_what_core_still_holds_may_not(shop: Project) -> None:
    schemas = "create table core.products as select * from stage.products"
    if shop.engine.name == "sqlserver":
        schemas = "select * into core.products from stage.products"
    shop.sql(schemas)
    shop.sql(
        "create table core.applied_load (consumer varchar(127), dataset varchar(63), data_period varchar(16), "
        "load_id bigint, fingerprint varchar(32))"
    )
    shop.sql("insert into core.applied_load values ('core.products', 'products', '2025-01', 1, 'f')")
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 0).exit_code == 0
    rewrite_contract(shop, ("type: double", "type: date"))
    assert "weight is double and the contract says date, which could lose data" in migrate(shop, exit_code=2)
    shop.sql("delete from core.products")
    assert "created anew, for weight is date now" in migrate(shop)


def test_a_view_that_hinders_is_named(shop: Project) -> None:
    if shop.engine.name != "postgres":
        pytest.skip("only PostgreSQL has views that hinder")
    shop.sql("create view mart.prices as select sku, price from stage.products")
    rewrite_contract(shop, ("decimal(8,2)", "decimal(12,2)"))
    before = structure(shop)
    output = migrate(shop, exit_code=2)
    assert "stage.products.price becomes decimal(12,2), which a view on it hinders (mart.prices): drop" in output
    assert structure(shop) == before
    shop.sql("drop view mart.prices")
    assert "column price widened to decimal(12,2)" in migrate(shop)


def test_the_advice_helps(shop: Project) -> None:
    column = "      listed_on: {type: date, description: First day in the list.}"
    renamed = column.replace("listed_on: {type: date", "listed: {header: listed_on, type: varchar(10)")
    change_contract(shop, column, renamed)
    load(shop, "--force")
    assert stage(shop, columns=["listed_on", "listed"]) == [(None, "2024-12-01")] * 2


def test_a_column_that_left_the_contract_stays(shop: Project) -> None:
    rewrite_contract(
        shop, ("      buyer: {type: varchar(20), description: Who buys it for the shop., personal: true}\n", "")
    )
    assert migrate(shop).startswith("nothing to do")
    assert stage(shop, columns=["buyer"]) == [("Geheimnis",)] * 2


def test_another_grain_is_refused(shop: Project) -> None:
    before = structure(shop)
    rewrite_contract(shop, ("grain: month", "grain: day"))
    output = migrate(shop, exit_code=2)
    assert (
        "products: grain 'day' does not match the loaded period 2025-01; the grain of a dataset never changes" in output
    )
    assert structure(shop) == before


def test_the_script_makes_what_migrate_makes(project: Project, new_project: Callable[..., Project]) -> None:
    by_script = open_shop(new_project(project.engine, "by_script"))
    (project.root / "datasets_config.yml").write_text(PRODUCTS, encoding="utf-8")
    script = project.loader("ddl").stdout
    project.sql(script)
    assert structure(project) == structure(by_script)
    assert len(structure(project)) > 60
    assert migrate(project).startswith("nothing to do")
    stage_only = project.loader("ddl", "--schema", "stage").stdout
    assert "CREATE TABLE stage.products" in stage_only
    assert "ingestion_log" not in stage_only


def test_a_server_says_that_it_waits_for_migrate(engine: Engine, new_project: Callable[..., Project]) -> None:
    """A server's rights may not allow the loader to create anything; the embedded warehouse sees to itself."""
    project = new_project(engine)
    embedded = engine.name == "duckdb"
    done = project.loader("status")
    assert done.exit_code == (0 if embedded else 2)
    assert (f"run `loader migrate`. To be done: meta: revision none to {REVISION}" in done.output) != embedded
    open_shop(project)
    rewrite_contract(project, ("    guard:", SHELF))
    done = project.loader("load")
    assert done.exit_code == (0 if embedded else 2)
    assert ("run `loader migrate`. To be done: stage.products: column shelf added" in done.output) != embedded
    columns = (
        "select column_name from information_schema.columns where table_name = 'products' and column_name = 'shelf'"
    )
    assert len(project.sql(columns)) == embedded
