"""Everything that follows from the contracts: dbt sources, the stage DDL, the stage suites of Great Expectations, and
the JSON schema by which editors check and complete a contract.

Pure functions from a contract to the text of a file; `derive` compares them with the project and writes what
differs. The files are committed, so that a change of a contract is reviewed with all that it changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from loader.cleaning import rules_schema
from loader.contracts import LINEAGE, Column, Contract, Contracts
from loader.periods import Grain

DERIVED = "derived from datasets_config.yml by `loader derive`; do not edit"
DDL_ENGINES = ("duckdb", "postgres", "sqlserver")

_PLACES = {
    "dbt_project/models/staging": "_*__sources.yml",
    "gx/expectations/stage": "*.json",
    **{f"ddl/{engine}": "stage_*.sql" for engine in DDL_ENGINES},
}
"""Where derived files lie, and what they are called there."""

LINEAGE_TEXTS = {
    "_data_period": "Period of the delivery.",
    "_load_id": "Load that brought the row, as in meta.dataset_version.",
    "_loaded_at": "When the row was loaded, UTC.",
    "_source_file_id": "File of the row, as in meta.ingestion_log.",
    "_source_row": "Row in that file, counted from 1.",
}


def derive(project_dir: Path, contracts: Iterable[Contract], check: bool = False) -> list[Path]:
    """Bring the derived files of a project up to date.

    Files that differ are written, those of datasets that are gone are removed; with `check` nothing is touched.

    Returns:
        The files that were stale, below the project folder, sorted.
    """
    wanted = derived_files(contracts)
    stale = [path for path, text in wanted.items() if _read(project_dir / path) != text]
    gone = [path for path in _existing(project_dir) if path not in wanted]
    if not check:
        for path in stale:
            (project_dir / path).parent.mkdir(parents=True, exist_ok=True)
            (project_dir / path).write_text(wanted[path], encoding="utf-8", newline="\n")
        for path in gone:
            (project_dir / path).unlink()
    return sorted([*stale, *gone])


def derived_files(contracts: Iterable[Contract]) -> dict[Path, str]:
    """The text of every derived file by its path below the project folder."""
    files = {Path("datasets_config.schema.json"): contract_schema()}
    for contract in contracts:
        files[Path(f"dbt_project/models/staging/_{contract.name}__sources.yml")] = sources_yml(contract)
        files[Path(f"gx/expectations/stage/{contract.name}.json")] = stage_suite(contract)
        for engine in DDL_ENGINES:
            files[Path(f"ddl/{engine}/stage_{contract.name}.sql")] = stage_ddl(contract, engine)
    return files


def _existing(project_dir: Path) -> list[Path]:
    """The files in the project that say that they are derived."""
    found = (path for place, names in _PLACES.items() for path in (project_dir / place).glob(names))
    return [path.relative_to(project_dir) for path in found if DERIVED in (_read(path) or "")[:300]]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


# --- the schema of the contracts --------------------------------------------------------------------------------


def contract_schema() -> str:
    """What a contract may say, as JSON schema; the same for every project."""
    schema = Contracts.model_json_schema()
    schema["$defs"]["Column"]["properties"]["clean"]["items"] = rules_schema()
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "written by `loader derive` from loader/contracts.py; do not edit",
    }
    return json.dumps(head | schema, indent=1, ensure_ascii=False) + "\n"


# --- dbt sources ------------------------------------------------------------------------------------------------


def sources_yml(contract: Contract) -> str:
    """The staged dataset as a dbt source: columns, types, descriptions and tests; `meta` carries what history needs."""
    table = {
        "name": contract.name,
        "description": f"{contract.description} All delivered periods.",
        "config": {"meta": _history(contract)},
        "data_tests": [
            {"unique_combination": {"arguments": {"columns": ["_data_period", *contract.key]}}},
        ],
        "columns": [*(_source_column(column) for column in contract.columns), *_lineage_columns(contract)],
    }
    source = {
        "name": "stage",
        "schema": "stage",
        "description": "Typed, cleaned and validated rows, all periods, one table per dataset.",
        "tables": [table],
    }
    return f"# {DERIVED}\n" + _yaml({"version": 2, "sources": [source]})


def _history(contract: Contract) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "kind": contract.kind,
        "key": list(contract.key),
        "tracked": list(contract.tracked),
        "grain": str(contract.grain),
    }
    if contract.end_marker:
        meta["end_marker"] = {"column": contract.end_marker.column, "value": contract.end_marker.value}
    return meta


def _source_column(column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": column.name,
        "description": column.description,
        "data_type": str(column.type),
    }
    if column.personal:
        said["config"] = {"meta": {"personal": True}}
    tests: list[Any] = []
    if column.required and column.since:
        tests.append({"not_null": {"config": {"where": f"_data_period >= '{column.since}'"}}})
    elif column.required:
        tests.append("not_null")
    if column.allowed is not None:
        tests.append({"accepted_values": {"arguments": {"values": list(column.allowed)}}})
    if tests:
        said["data_tests"] = tests
    return said


def _lineage_columns(contract: Contract) -> list[dict[str, Any]]:
    types = {"_data_period": f"varchar({contract.grain.name_length})", "_loaded_at": "timestamp"}
    columns: list[dict[str, Any]] = [
        {"name": name, "description": LINEAGE_TEXTS[name], "data_type": types.get(name, "bigint")} for name in LINEAGE
    ]
    columns[0]["data_tests"] = ["not_null"]
    return columns


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, and lists of words stay on one line, as people write YAML."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _sequence(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    words = all(isinstance(item, str) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=words)


_Dumper.add_representer(list, _sequence)


def _yaml(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


# --- stage DDL --------------------------------------------------------------------------------------------------


def stage_ddl(contract: Contract, engine: str) -> str:
    """The script that creates `stage.<dataset>` on `engine` (one of DDL_ENGINES); harmless when it is there."""
    from sqlalchemy.schema import CreateSchema

    from loader.dialects import script
    from loader.stage_table import STAGE, stage_statements

    dialect = _dialect(engine)
    schema = str(CreateSchema(STAGE, if_not_exists=True).compile(dialect=dialect)).lower()
    statements = [schema, *stage_statements(contract, dialect, if_not_exists=True)]
    lines = "\n".join(script([statement], dialect) for statement in statements).splitlines()
    return "\n".join([f"-- {DERIVED}", *(line.rstrip() for line in lines)]) + "\n"


def _dialect(engine: str) -> Any:
    if engine == "duckdb":
        from duckdb_engine import Dialect

        return Dialect()
    from sqlalchemy.dialects import mssql, postgresql

    return mssql.dialect() if engine == "sqlserver" else postgresql.dialect()  # type: ignore[no-untyped-call]


# --- stage suite ------------------------------------------------------------------------------------------------


def stage_suite(contract: Contract) -> str:
    """The suite of Great Expectations for the dataset, the same for the stage table and for one delivery's parquet.

    Column rules that Great Expectations computes in one scan are its own expectations; the others are queries
    for the rows that break them. A query shows no personal column.
    """
    expectations = [
        _columns_exist(contract),
        *(found for column in contract.columns for found in _column_expectations(contract, column)),
        _unique_key(contract),
        *(
            _no_rows(f"{rule.name}: {rule.description}", _select(contract, f"not ({_literal(rule.check)})"))
            for rule in contract.row_rules
        ),
    ]
    suite = {"meta": {"derived": DERIVED}, "name": f"stage.{contract.name}", "expectations": expectations}
    return json.dumps(suite, indent=2, ensure_ascii=False) + "\n"


def _columns_exist(contract: Contract) -> dict[str, Any]:
    names = [*(column.name for column in contract.columns), *LINEAGE]
    kwargs = {"column_set": names, "exact_match": False}
    return _native("expect_table_columns_to_match_set", "has every column of the contract", kwargs)


def _column_expectations(contract: Contract, column: Column) -> list[dict[str, Any]]:
    name = column.name
    found: list[dict[str, Any]] = []
    if column.required and column.since:
        where = f"{name} is null and _data_period >= '{column.since}'"
        found.append(_no_rows(f"{name} is filled since {column.since}", _select(contract, where)))
    elif column.required:
        found.append(_native("expect_column_values_to_not_be_null", f"{name} is filled", {"column": name}))
    if column.allowed is not None:
        kwargs = {"column": name, "value_set": list(column.allowed)}
        check = f"{name} is one of {', '.join(column.allowed)}"
        found.append(_native("expect_column_values_to_be_in_set", check, kwargs))
    low, high = (_bound(column.min), _bound(column.max))
    limits = {word: bound for word, bound in (("min_value", low), ("max_value", high)) if bound is not None}
    if limits:
        words = {"min_value": "at least", "max_value": "at most"}
        check = f"{name} is {' and '.join(f'{words[word]} {bound}' for word, bound in limits.items())}"
        found.append(_native("expect_column_values_to_be_between", check, {"column": name, **limits}))
    if column.max == "period_end" and contract.grain in _PERIOD_OF_DAY:
        where = f"{_period_of(contract.grain, name)} > {_last_of(contract.grain)}"
        found.append(_no_rows(f"{name} is not after its period", _select(contract, where, name)))
    if column.pattern is not None:
        where = f"not regexp_like({name}, {_text(column.pattern)})"
        found.append(_no_rows(f"{name} matches {column.pattern}", _select(contract, where, name)))
    return found


def _bound(bound: Any) -> Any:
    if bound == "period_end":
        return None
    if isinstance(bound, date):
        return bound.isoformat()
    return bound if isinstance(bound, str | int | float | None) else float(bound)


_PERIOD_OF_DAY = {Grain.YEAR: 4, Grain.QUARTER: 7, Grain.MONTH: 7, Grain.DAY: 10}
"""Leading characters of an ISO date to compare with a period's name. The end of a window is no prefix of a date;
there the loader's own check of the delivery has to do."""


def _period_of(grain: Grain, column: str) -> str:
    return f"substring(cast({column} as varchar(30)), 1, {_PERIOD_OF_DAY[grain]})"


def _last_of(grain: Grain) -> str:
    if grain is Grain.QUARTER:
        months = (
            "case substring(_data_period, 7, 1) when '1' then '03' when '2' then '06' when '3' then '09' else '12' end"
        )
        return f"concat(substring(_data_period, 1, 5), {months})"
    return "_data_period"


def _unique_key(contract: Contract) -> dict[str, Any]:
    key = ", ".join(["_data_period", *contract.key])
    query = f"select {key}, count(*) as copies from {{batch}} group by {key} having count(*) > 1"
    return _no_rows(f"{' + '.join(contract.key)} is unique in its period", query)


def _select(contract: Contract, where: str, *columns: str) -> str:
    """A query for bad rows that shows the period, the key, the columns in question and the row in the file."""
    shown = [name for name in dict.fromkeys([*contract.key, *columns]) if not contract.column(name).personal]
    return f"select {', '.join(['_data_period', *shown, '_source_row'])} from {{batch}} where {where}"


def _native(kind: str, check: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "description": check, "kwargs": kwargs}


def _no_rows(check: str, query: str) -> dict[str, Any]:
    return _native("unexpected_rows_expectation", check, {"unexpected_rows_query": query})


def _text(value: str) -> str:
    return "'" + _literal(value).replace("'", "''") + "'"


def _literal(sql: str) -> str:
    """SQL that Great Expectations passes on as it is: it fills in {names}, and SQLAlchemy binds :names."""
    return re.sub("(?<!:):(?!:)", r"\:", sql.replace("{", "{{").replace("}", "}}"))
