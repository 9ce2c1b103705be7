"""What tests of gates need: a stage table from a contract, rows in it, and the verdict of a gate."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import yaml
from sqlalchemy import Column, MetaData, NullPool, Table, create_engine
from sqlalchemy.schema import CreateSchema

from loader.codegen.derive import derive
from loader.contracts import ColumnType, read_contracts
from loader.gates import GateResult, render, run_gate
from loader.text import sql_text
from loader.warehouse.engines.registry import engine_for
from loader.warehouse.profile import read_target
from loader.warehouse.stage_table import sql_type
from tests.conftest import Project


def ask_less(project: Project) -> None:
    """Leave a few tests and checks of each layer: they only read, and every build makes them."""
    config = project.root / "dbt_project.yml"
    few = {name: {"+enabled": True} for name in ("citizen_facts_match_core", "citizen_changes_explain_population")}
    dbt = {"data_tests": {"almanac": {"+enabled": False, **few}}}
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{yaml.safe_dump(dbt)}", encoding="utf-8")
    for path in (project.root / "gx" / "expectations").rglob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**suite, "expectations": suite["expectations"][:2]}), encoding="utf-8")


def with_contract(project: Project, text: str) -> Project:
    (project.root / "datasets_config.yml").write_text(text, encoding="utf-8")
    derive(project.root, read_contracts(project.root))
    for script in sorted((project.root / "ddl" / project.engine.name).glob("*.sql")):
        project.sql(script.read_text(encoding="utf-8"))
    return project


def make_table(project: Project, name: str, columns: Mapping[str, str]) -> None:
    """A table as dbt would make it: the types are those of a contract."""
    schema, table = name.split(".")
    parts = (Column(column, sql_type(ColumnType.parse(kind))) for column, kind in columns.items())
    here = create_engine(engine_for(read_target(project.root), project.root).url(), poolclass=NullPool)
    with here.begin() as connection:
        connection.execute(CreateSchema(schema, if_not_exists=True))
        Table(table, MetaData(), *parts, schema=schema).create(connection)


def insert(project: Project, table: str, *rows: Mapping[str, Any]) -> None:
    def literal(value: Any) -> str:
        return "null" if value is None else sql_text(str(value))

    # all rows have the columns of the first
    values = (", ".join(literal(row[name]) for name in rows[0]) for row in rows)
    project.sql(f"insert into {table} ({', '.join(rows[0])}) values {', '.join(f'({one})' for one in values)}")


def gate(project: Project, layer: str = "stage", tables: list[str] | None = None) -> GateResult:
    engine = engine_for(read_target(project.root), project.root)
    return run_gate(layer, engine, project.root, read_contracts(project.root), tables)


def shown(result: GateResult, verbose: bool = True) -> str:
    from rich.console import Console

    page = Console(file=io.StringIO(), width=250)
    page.print(render(result, verbose=verbose))
    return page.file.getvalue()  # type: ignore[attr-defined]


def knows_patterns(project: Project) -> bool:
    """Whether the engine has regular expressions; SQL Server has them since 2025."""
    if project.engine.name != "sqlserver":
        return True
    ((version,),) = project.sql("select cast(serverproperty('ProductMajorVersion') as integer)")
    return bool(version >= 17)


def broken(result: GateResult) -> dict[str, str]:
    return {check.check: check.details for check in result.checks if check.result == "failed"}
