"""Where the columns of each table come from: stage by the contracts, core and mart by what dbt has compiled.

A column of the mart is nobody's by its name: a model may call it as it likes. It is traced to stage through the SQL
that dbt compiled last in this folder (`target/manifest.json`, `target/compiled`), and to what the yml of a model or
source says of it: `personal: true` or `personal: false` in its `meta`. A table of which nothing is known has personal
columns only.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from loader.contracts import LINEAGE, Contract
from loader.gates.columns import Output, Outputs, UntraceableError
from loader.warehouse.engines.registry import ENGINES, engine_class
from loader.warehouse.layers import STAGE
from loader.warehouse.ledger import applied_load
from loader.warehouse.meta import metadata
from loader.warehouse.profile import read_dbt_project

_TABLES = ("model", "snapshot", "seed")
"""What dbt makes tables and views of."""

_OF_HISTORY = ("dbt_scd_id", "dbt_valid_from", "dbt_valid_to", "dbt_updated_at", "dbt_is_deleted")
"""What a snapshot adds to the columns of its query."""


class Origins:
    """The columns of the tables of a warehouse, and which of them are personal. Nothing is read before it is asked."""

    def __init__(self, project_dir: Path, grammar: str, contracts: Iterable[Contract], *, doubt: bool = True) -> None:
        """`doubt`: whether what cannot be traced counts as personal."""
        self._root = project_dir
        self._doubt = doubt
        self._grammar = grammar
        self._contracts = {contract.name: contract for contract in contracts}
        self._found: dict[tuple[str, str], Sequence[Output] | None] = {}

    def outputs(self, query: str, schema: str, table: str, personal: Iterable[str]) -> Outputs:
        """The columns of a query; of `schema.table`, those called as in `personal` are personal in any case.

        Raises:
            UntraceableError: it cannot be told which columns it has.
        """
        from loader.gates.lineage import outputs

        def columns(parts: Sequence[str]) -> Sequence[Output] | None:
            found = self._by_parts(parts)
            if found is None or list(parts[-2:]) != [schema.lower(), table.lower()]:
                return found
            return [Output(one.name, one.personal or one.name in names) for one in found]

        names = {name.lower() for name in personal}
        return outputs(query, self._grammar, columns, doubt=self._doubt)

    def columns(self, schema: str, table: str) -> Sequence[Output] | None:
        """The columns of a table; None when nothing is known of it."""
        key = (schema.lower(), table.lower())
        if key not in self._found:
            self._found[key] = None  # while it is asked: of a model that reads itself, that part is not known
            self._found[key] = self._traced(*key)
        return self._found[key]

    @cached_property
    def names(self) -> frozenset[str]:
        """What personal columns of the contracts are called: a column of that name is personal wherever it is."""
        every = (column for contract in self._contracts.values() for column in contract.columns)
        return frozenset(column.name.lower() for column in every if column.personal)

    def unnamed(self, schema: str, table: str, declared: Iterable[str]) -> list[str]:
        """Personal columns of a table that neither a contract nor `declared`, what its suite says, calls so."""
        named = self.names.union(name.lower() for name in declared)
        return [one.name for one in self.columns(schema, table) or () if one.personal and one.name not in named]

    def _by_parts(self, parts: Sequence[str]) -> Sequence[Output] | None:
        if len(parts) == 2 or (len(parts) == 3 and parts[0] in self._databases):
            return self.columns(parts[-2], parts[-1])
        return None

    def _traced(self, schema: str, table: str) -> Sequence[Output] | None:
        if schema == STAGE and table in self._contracts:
            names = [*(column.name for column in self._contracts[table].columns), *LINEAGE]
            return [Output(name.lower(), name.lower() in self.names) for name in names]
        known = next((one for one in _OWN if (one.schema, one.name) == (schema, table)), None)
        if known is not None:
            return [Output(column.name, personal=False) for column in known.columns]
        node = self._nodes.get((schema, table))
        if node is None:
            return None
        found = self._of_node(node)
        said = {name.lower(): _said(column) for name, column in node["columns"].items()}
        return found and [
            Output(one.name, is_said if is_said is not None else one.personal or one.name in self.names)
            for one in found
            for is_said in [said.get(one.name)]
        ]

    def _of_node(self, node: Mapping[str, Any]) -> Sequence[Output] | None:
        """The columns of a model, snapshot, seed or source as it is written."""
        kind = node["resource_type"]
        if kind == "source":
            return [Output(name.lower(), personal=False) for name in node["columns"]]
        if kind == "seed":
            with (self._root / node["original_file_path"]).open(encoding="utf-8-sig", newline="") as file:
                return [Output(name.strip().lower(), personal=False) for name in next(csv.reader(file), [])]
        compiled = self._compiled(node)
        if compiled is None:
            return None
        from loader.gates.lineage import outputs

        try:
            found = outputs(compiled, self._compiled_for, self._by_parts, doubt=self._doubt)
        except UntraceableError:
            return None
        added = _OF_HISTORY if kind == "snapshot" else ()
        return [*found.columns, *(Output(name, personal=False) for name in added)]

    def _compiled(self, node: Mapping[str, Any]) -> str | None:
        if node.get("compiled_code"):
            return str(node["compiled_code"])
        try:
            return compiled_path(self._target, node).read_text(encoding="utf-8")
        except OSError:
            return None

    @cached_property
    def _target(self) -> Path:
        return target_folder(self._root)

    @cached_property
    def _manifest(self) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = json.loads((self._target / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {"metadata": {}, "nodes": {}, "sources": {}}
        return found

    @cached_property
    def _compiled_for(self) -> str:
        """The grammar of what dbt compiled."""
        adapter = self._manifest["metadata"].get("adapter_type")
        return engine_class(adapter).grammar if adapter in ENGINES else ""

    @cached_property
    def _nodes(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What dbt knows, by schema and table."""
        nodes = [one for one in self._manifest["nodes"].values() if one["resource_type"] in _TABLES]
        found = {(one["schema"].lower(), one["alias"].lower()): one for one in nodes}
        sources = self._manifest["sources"].values()
        return {**{(one["schema"].lower(), one["identifier"].lower()): one for one in sources}, **found}

    @cached_property
    def _databases(self) -> frozenset[str]:
        return frozenset(str(node["database"]).lower() for node in self._nodes.values())


_OWN = (*metadata.tables.values(), applied_load)
"""Tables of the loader's own, without personal values."""


def target_folder(project_dir: Path) -> Path:
    """Where dbt puts what it compiles."""
    chosen = os.environ.get("DBT_ENGINE_TARGET_PATH") or os.environ.get("DBT_TARGET_PATH")
    return project_dir / (chosen or read_dbt_project(project_dir).get("target-path") or "target")


def compiled_path(target: Path, node: Mapping[str, Any]) -> Path:
    """The compiled SQL of a node of a manifest."""
    path = Path(target, "compiled", node["package_name"], node["original_file_path"])
    path = path.with_name(f"{node['name']}.sql")
    return path / path.name if path.is_dir() else path  # dbt 1.12 makes a folder of the file of a snapshot


def _said(column: Mapping[str, Any]) -> bool | None:
    """Whether the yml says that a column is personal; None when it says nothing."""
    meta = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
    return bool(meta["personal"]) if "personal" in meta else None
