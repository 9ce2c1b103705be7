"""All that a project holds, so that two courses can be compared: what each run numbers or times anew is left out."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl

from tests.conftest import Project
from tests.support.deliveries import files_below

Digest = dict[str, list[str]]


def digest(project: Project) -> Digest:
    """All rows of all tables, and all files, sorted; what each run numbers or times anew goes by other names.

    What changes in one transaction is one entry: the rows of a period in stage and its versions; a table of core or
    mart and what the ledger says of it.
    """
    tables = all_rows(project)
    versions = {row["load_id"]: row for row in tables.get("meta.dataset_version", [])}
    files = {row["file_id"]: f"{row['file_name']} {row['sha256']}" for row in tables.get("meta.ingestion_log", [])}
    loads = {load_id: f"{row['data_period']} v{row['version_no']}" for load_id, row in versions.items()}
    entries: Digest = {}
    for table, rows in tables.items():
        entries.setdefault(table, [])
        for row in rows:
            cells = {name: value for name, value in row.items() if name not in ANEW}
            for name in cells.keys() & {"load_id", "_load_id"}:
                cells[name] = loads[cells[name]]
            for name in cells.keys() & {"file_id", "_source_file_id"}:
                cells[name] = files[cells[name]]
            if "_loaded_at" in row:
                cells["_loaded_at"] = row["_loaded_at"] == versions[row["_load_id"]]["loaded_at"]
            entries.setdefault(entry_of(table, row), []).append(f"{table} {cells}")
    entries["files"] = [
        f"{name} {content_of(project.root / name)}"
        for name in files_below(project.root)
        if not name.startswith(PASSED_OVER)
    ]
    return {entry: sorted(lines) for entry, lines in entries.items()}


def content_of(path: Path) -> str:
    """A hash of a file; the cells of a workbook, which holds the time of its making."""
    if path.suffix == ".xlsx" and path.read_bytes()[:2] == b"PK":
        return repr([list(sheet.values) for sheet in openpyxl.load_workbook(path).worksheets])
    return hashlib.sha256(path.read_bytes()).hexdigest()


ANEW = {"run_id", "ingested_at", "loaded_at", "state_changed_at", "purged_at", "event_id", "happened_at"}
PASSED_OVER = ("data/logs/", "data/warehouse.duckdb", "target/")
DIARIES = {"meta.etl_audit", "meta.validation_log", "meta.build_mark", "meta.gate_pass"}
"""They tell of each attempt."""


def entry_of(table: str, row: dict[str, Any]) -> str:
    match table:
        case "core.applied_load":
            return str(row["consumer"])
        case "meta.dataset_version" | "meta.version_event":
            return f"period {row['data_period']}"
        case _ if table.startswith("stage."):
            return f"period {row['_data_period']}"
        case _:
            return table


def all_rows(project: Project) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table but the diaries, by schema and name."""
    columns: dict[str, list[str]] = defaultdict(list)
    with closing(project.engine.connect(project.profile_output)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(
            "select concat(table_schema, '.', table_name), column_name from information_schema.columns "
            "where table_schema in ('meta', 'stage', 'core', 'mart') order by 1, ordinal_position"
        )
        for table, column in cursor.fetchall():
            columns[table].append(column)
        found = {}
        for table, names in columns.items():
            if table not in DIARIES:
                cursor.execute(f"select * from {table}")
                found[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found


def difference(found: Digest, expected: Digest) -> list[str]:
    """Lines that only one of the two has."""
    lines = []
    for entry in sorted(found.keys() | expected.keys()):
        more, less = Counter(found.get(entry, ["no entry"])), Counter(expected.get(entry, ["no entry"]))
        lines += [f"too much: {line}" for line in more - less] + [f"missing: {line}" for line in less - more]
    return lines
