"""The staged datasets as dbt sources."""

from __future__ import annotations

from typing import Any

import yaml

from loader.codegen.header import DERIVED
from loader.contracts import LINEAGE, Column, Contract
from loader.warehouse.layers import STAGE
from loader.warehouse.stage_table import UNKNOWN

LINEAGE_TEXTS = {
    "_data_period": "Period of the delivery.",
    "_load_id": "Load that brought the row, as in meta.dataset_version.",
    "_loaded_at": "When the row was loaded, UTC.",
    "_source_file_id": "File of the row, as in meta.ingestion_log.",
    "_source_row": "Row in that file, counted from 1.",
}


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
        "name": STAGE,
        "schema": STAGE,
        "description": "Typed, cleaned and validated rows, all periods, one table per dataset.",
        "tables": [table, *([_unknown(contract)] if contract.kind == "full" else [])],
    }
    return f"# {DERIVED}\n" + dbt_yaml({"version": 2, "sources": [source]})


def _unknown(contract: Contract) -> dict[str, Any]:
    """The table of the unknown keys: no `kind` in its `meta`, so that no snapshot takes it for a dataset."""
    columns = [_source_column(contract.column(name)) for name in contract.key]
    lineage = {column["name"]: column for column in _lineage_columns(contract)}
    lineage["_source_row"] |= {"description": "First row in the file that has the key."}
    return {
        "name": f"{contract.name}{UNKNOWN}",
        "description": f"Keys of {contract.name} that only rejected rows of a delivery have: nothing is known of them.",
        "data_tests": [{"unique_combination": {"arguments": {"columns": ["_data_period", *contract.key]}}}],
        "columns": [*columns, *(lineage[name] for name in ("_data_period", "_load_id", "_source_row"))],
    }


def _history(contract: Contract) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "kind": contract.kind,
        "key": list(contract.key),
        "tracked": list(contract.tracked),
        "grain": str(contract.grain),
    }
    if contract.ends_by:
        meta["end_marker"] = {"column": contract.ends_by.column, "value": contract.ends_by.value}
    if contract.fiscal_year:
        meta["fiscal_year"] = contract.fiscal_year.model_dump(mode="json", exclude_none=True)
    return meta


def _source_column(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": column.name,
        "description": column.description,
        "data_type": str(column.type),
    }
    if column.personal:
        entry["config"] = {"meta": {"personal": True}}
    tests: list[Any] = []
    if column.required and column.exists_where:
        tests.append({"not_null": {"config": {"where": column.exists_where}}})
    elif column.required:
        tests.append("not_null")
    if column.allowed is not None:
        tests.append({"accepted_values": {"arguments": {"values": list(column.allowed)}}})
    if tests:
        entry["data_tests"] = tests
    return entry


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


def dbt_yaml(content: dict[str, Any]) -> str:
    """Properties of dbt as YAML."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
