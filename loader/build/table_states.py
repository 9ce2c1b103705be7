"""The state of each table with a suite, as a hash: builds with the same state of a table make the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loader.build.inputs import Inputs, hash_of
from loader.files import sha256_of
from loader.gates import suite_files
from loader.project import Project
from loader.warehouse.layers import LAYERS, META, STAGE
from loader.warehouse.ledger import Applied, applied_load
from loader.warehouse.meta import dataset_version
from loader.warehouse.profile import DBT_PROJECT_FILE

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_LOADER_TABLES = re.compile(rf"\b(?:{META}\.\w|{applied_load.name}\b)")
"""In a query of a suite: what is no part of a state."""
_RELATION = re.compile(r"""\b(stage|core|mart)\b["\]\\]*\.["\[\\]*(\w+)""", re.IGNORECASE)
"""In a query of a suite: a table that it reads besides its own."""


@dataclass(frozen=True)
class TableStates:
    """Tells states apart by all that a table and its suite are made of: definitions, loads, what the ledger says."""

    project: Project
    manifest: Manifest
    inputs: Inputs
    _suites: dict[tuple[str, str], dict[Path, str]] = field(init=False)
    """The files of each table's suite, with their texts: as they are before a gate reads them."""

    def __post_init__(self) -> None:
        root = self.project.root
        suites = {
            (layer, table): {path.relative_to(root): path.read_text(encoding="utf-8") for path in paths}
            for layer in LAYERS
            for table, paths in suite_files(root, layer).items()
        }
        object.__setattr__(self, "_suites", suites)

    def of(self, layer: str, table: str, applied: Applied) -> str | None:
        """The state of a table; None when it may change whatever the hashes say, so that its gate is always asked."""
        suite = self._suites[layer, table]
        text = "".join(suite.values())
        if any(map(self._asks_for_today, suite)) or _LOADER_TABLES.search(text):
            return None
        read = {(layer, table), *((schema.lower(), name.lower()) for schema, name in _RELATION.findall(text))}
        parts = [self._part(*one, applied) for one in sorted(read)]
        if any(part is None for part in parts):
            return None
        return hash_of([self.inputs.hashes["versions"], text, parts])

    def has_foreign_sources(self) -> bool:
        """Whether models or histories read tables that are filled by somebody else."""
        return any(_is_foreign(self._node(one)) for node in self._by_relation.values() for one in _parents(node))

    def _part(self, layer: str, table: str, applied: Applied) -> Any:
        """What a table is made of, as JSON can hold it; None when nobody knows."""
        contract = next((one for one in self.project.contracts if layer == STAGE and one.name == table), None)
        if contract is not None:
            return [contract.fingerprint, applied.loads.get(table)]
        node = self._by_relation.get((layer, table))
        if node is None or self._asks_beside_nodes:
            return None
        made_of = [self._node(one) for one in sorted(self._ancestors(node.unique_id))]
        if any(_is_foreign(one) or self._asks_for_today(Path(one.original_file_path)) for one in made_of):
            return None
        return [self._common, [self._definition(one) for one in made_of], [_data(one, applied) for one in made_of]]

    @cached_property
    def _common(self) -> list[Any]:
        """What any node may be made of."""
        hashes = {name: found for name, found in self.inputs.hashes.items() if name != "files"}
        macros = {name: macro.macro_sql for name, macro in self.manifest.macros.items()}
        return [hashes, hash_of(macros), sha256_of(self.project.root / DBT_PROJECT_FILE)]

    @cached_property
    def _by_relation(self) -> dict[tuple[str, str], Any]:
        """The nodes that make a table or a view, by its schema and name."""
        made = ("model", "snapshot", "seed")
        return {
            (node.schema, node.alias): node
            for node in self.manifest.nodes.values()
            if node.resource_type in made and node.config.materialized != "ephemeral"
        }

    @cached_property
    def _asks_beside_nodes(self) -> bool:
        """Whether a macro or a configuration asks for the date or the time: any node may use it."""
        of_nodes = {Path(node.original_file_path).as_posix() for node in self.manifest.nodes.values()}
        return any(not path.startswith("gx/") for path in self.inputs.asking_for_today - of_nodes)

    def _asks_for_today(self, path: Path) -> bool:
        return path.as_posix() in self.inputs.asking_for_today

    def _node(self, unique_id: str) -> Any:
        return self.manifest.sources.get(unique_id) or self.manifest.nodes[unique_id]

    def _ancestors(self, unique_id: str) -> set[str]:
        """A node and all that it is made of."""
        found: set[str] = set()
        waiting = [unique_id]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += _parents(self._node(one))
        return found

    def _definition(self, node: Any) -> Any:
        columns = {name: column.data_type for name, column in node.columns.items()}
        is_source = node.resource_type == "source"
        return [
            node.unique_id,
            node.relation_name,
            node.config.to_dict(omit_none=False),
            columns,
            [node.meta, node.source_meta] if is_source else node.checksum.checksum,
        ]


def _parents(node: Any) -> Iterator[str]:
    return iter(() if node.resource_type == "source" else node.depends_on_nodes)


def _is_foreign(node: Any) -> bool:
    """Whether a source is filled by somebody else than the loader and the build."""
    if node.resource_type != "source":
        return False
    return node.schema != STAGE and (node.schema, node.identifier) not in {
        (META, dataset_version.name),
        (applied_load.schema, applied_load.name),
    }


def _data(node: Any, applied: Applied) -> Any:
    """What is staged for a source, and what the ledger says of a consumer."""
    if node.resource_type != "source":
        return applied.ledger.get(f"{node.schema}.{node.alias}")
    if node.schema == STAGE:
        return applied.loads.get(node.identifier)
    return dict(applied.loads if node.schema == META else applied.ledger)
