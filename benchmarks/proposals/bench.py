"""Proposed contracts, held against the schemas that publishers state: data packages of Frictionless, and CSVW metadata.

A folder of checkouts, each with a `datapackage.json` or a `…-metadata.json` that names its tables, their columns with a
type, and perhaps a primary key. Up to `MOST_TABLES` tables of each are proposed; a table that is not in the checkout is
left out. A type counts by its kind: number, date, time, boolean, text. A table is loaded whole when its contract would
refuse no row of it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Line

MOST_TABLES = 12
KINDS = {
    **dict.fromkeys(("integer", "number", "year", "decimal", "float", "double"), "number"),
    **dict.fromkeys(("bigint", "nonNegativeInteger"), "number"),
    **dict.fromkeys(("date", "datetime", "timestamp"), "date"),
    **dict.fromkeys(("boolean", "time"), ""),
}
"""The kind of a type, published or proposed; an empty one is called as the type, all others are texts."""


@dataclass(frozen=True)
class Published:
    """A table, and what its publisher says of it."""

    path: Path
    columns: dict[str, str]
    """The kind of each column by its header."""
    key: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """A proposal beside what is published."""

    right: int
    """Columns of the published kind."""
    columns: int
    key: bool | None
    """Whether the key is the published one; None when none is published."""
    is_proven: bool
    """Whether the key is unique in the table, and each row loaded."""
    asks: int
    """What is asked of types, of the columns that are of another kind than published."""
    seconds: float


def proposals(folder: Path, scale: float = 1.0) -> list[Line]:
    """The lines of the benchmark; `scale` takes a part of the tables."""
    tables = published(folder)[:: max(1, round(1 / scale))]
    compared = [one for table in tables if (one := compare(table)) is not None]
    right, columns = sum(one.right for one in compared), sum(one.columns for one in compared)
    asks = sum(one.asks for one in compared)
    keys = Counter(one.key for one in compared if one.key is not None)
    proven = sum(one.is_proven for one in compared)
    return [
        Line("types as published", note=f"{right} of {columns} columns in {len(compared)} tables"),
        Line("  of the others: asked", note=f"{asks} of {columns - right}"),
        Line("keys as published", note=f"{keys[True]} of {keys.total()}"),
        Line("a key proven, each row loaded", note=f"{proven} of {len(compared)}"),
        Line("refused", note=f"{len(tables) - len(compared)} of {len(tables)}"),
        Line("processor seconds of the slowest table", max((one.seconds for one in compared), default=None)),
    ]


def published(folder: Path) -> list[Published]:
    """The tables in the checkouts below a folder, up to `MOST_TABLES` of each."""
    found: list[Published] = []
    for checkout in sorted(path for path in folder.iterdir() if path.is_dir()):
        described = sorted([*checkout.rglob("datapackage.json"), *checkout.rglob("*-metadata.json")])
        tables = (table for path in described for table in _tables(path))
        found += [table for table in tables if table.path.is_file()][:MOST_TABLES]
    return found


def _tables(path: Path) -> Iterator[Published]:
    package = json.loads(path.read_text(encoding="utf-8"))
    for entry in package.get("resources", package.get("tables", [])):
        schema = entry.get("schema") or entry.get("tableSchema") or {}
        fields = schema.get("fields", schema.get("columns", [])) if isinstance(schema, dict) else []
        where = entry.get("path", entry.get("url"))
        if isinstance(where, str) and where.endswith((".csv", ".tsv")) and fields:
            key = schema.get("primaryKey") or []
            columns = {_plain(field["name"]): _kind(field) for field in fields}
            yield Published(path.parent / where, columns, tuple(map(_plain, [key] if isinstance(key, str) else key)))


def _kind(field: dict[str, Any]) -> str:
    """The kind of a published column; one that holds a list is a text."""
    stated = field.get("type", field.get("datatype", "string"))
    name = stated.get("base", "string") if isinstance(stated, dict) else stated
    return "text" if field.get("separator") else KINDS.get(name, "text") or name


def compare(table: Published) -> Compared | None:
    """A proposal for a table; None when it is refused."""
    from loader.codegen.propose import propose
    from loader.errors import AlmanacError

    began = time.process_time()
    try:
        proposal = propose([table.path])
    except AlmanacError:
        return None
    contract, (tried,) = proposal.contract, proposal.tried
    headers = {
        column.name: [_plain(one.header) for one in column.header] or [column.name] for column in contract.columns
    }
    kinds = {
        header: KINDS.get(column.type.name, "text") or column.type.name
        for column in contract.columns
        for header in headers[column.name]
    }
    wrong = [header for header, kind in table.columns.items() if header in kinds and kinds[header] != kind]
    asked = {what.split(":")[0].rpartition(".")[2] for what in proposal.decisions}
    names = {header: name for name, of_column in headers.items() for header in of_column}
    key = sorted(header for name in contract.key for header in headers[name])
    is_asked = any(".key: no " in what for what in proposal.decisions)
    return Compared(
        sum(header in kinds for header in table.columns) - len(wrong),
        sum(header in kinds for header in table.columns),
        key == sorted(table.key) if table.key else None,
        not (is_asked or tried.refusal or tried.outcome.rows_rejected),
        sum(names[header] in asked for header in wrong),
        time.process_time() - began,
    )


def _plain(header: str) -> str:
    from loader.contracts import plain_header

    return plain_header(header)
