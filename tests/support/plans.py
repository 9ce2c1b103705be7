"""What the statements of a build read, by the engine's own plans: each is run as `explain analyze` in its place."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

_COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
_EXPLAINED = re.compile(r"(?i)(create temporary table|insert|delete)")
_ASKED = re.compile(r"(?is)(with|select)\b.*\b(core|stage|mart)\b")


class Plans:
    """Rows of the tables of stage, core and mart, by node of dbt: given out by scans, and read by them."""

    def __init__(self) -> None:
        self.given_out: Counter[str] = Counter()
        self.read: Counter[str] = Counter()

    def run(self, cursor: Any, execute: Any, sql: str, explain: str) -> None:
        """Execute SQL, its statements one by one."""
        node = re.search(r'"node_id": "(\w+)\.\w+\.(\w+)"', sql)
        if not node or node[1] not in ("snapshot", "model"):
            execute(sql)
            return
        for statement in (part.strip() for part in _COMMENT.sub("", sql).split(";")):
            is_query = bool(_ASKED.match(statement)) and "as unsound" not in statement  # which is a test
            if is_query or _EXPLAINED.match(statement):
                execute(f"explain ({explain}) {statement}")
                self._count(node[2], cursor.fetchone())
            if statement and (is_query or not _EXPLAINED.match(statement)):
                execute(statement)

    def _count(self, node: str, answer: Any) -> None:
        plan = answer[-1]
        for scan in _nodes(json.loads(plan) if isinstance(plan, str) else plan):
            rows, thrown_away = _rows(scan)
            self.given_out[node] += rows
            self.read[node] += rows + thrown_away


def _with_filter(node: dict[str, Any]) -> dict[str, Any]:
    """DuckDB: a filter that stands right above a scan is its own."""
    below = node.get("children") or [{}]
    if node.get("type") == "FILTER" and below[0].get("type") == "TABLE_SCAN":
        return {**below[0], "intermediate_rows": node["intermediate_rows"]}
    return node


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, list):
        for part in plan:
            yield from _nodes(part)
    elif isinstance(plan, dict):
        plan = _with_filter(plan)
        yield plan
        for part in plan.values():
            yield from _nodes(part)


def _rows(node: dict[str, Any]) -> tuple[int, int]:
    """What a scan of a table of history gives out, and what its filter throws away; nothing of other nodes."""
    if node.get("type") == "TABLE_SCAN":
        _, schema, name = node["extra_info"].get("Table", "..").split(".")
        is_history = schema in ("stage", "core", "mart") and name != "applied_load"
        return (node["intermediate_rows"], node["rows_scanned"] - node["intermediate_rows"]) if is_history else (0, 0)
    if node.get("Schema") not in ("stage", "core", "mart") or node.get("Relation Name") == "applied_load":
        return 0, 0
    if "Scan" not in node["Node Type"]:
        return 0, 0
    loops = node["Actual Loops"]
    thrown = [value for key, value in node.items() if key.startswith("Rows Removed by")]
    return round(node["Actual Rows"] * loops), round(sum(thrown) * loops)


def planned(engine: str, patch: pytest.MonkeyPatch) -> Plans:
    """The plans of what dbt does from now on in this process."""
    plans = Plans()
    if engine == "duckdb":
        from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

        def execute(self: Any, sql: str, bindings: Any = None) -> Any:
            plans.run(self._cursor, self._cursor.execute, sql, "analyze, format json")
            return self._cursor

        patch.setattr(DuckDBCursorWrapper, "execute", execute)
        return plans

    import psycopg2
    from psycopg2.extensions import cursor as plain_cursor

    class Cursor(plain_cursor):
        def execute(self, sql: Any, parameters: Any = None) -> None:
            plans.run(self, super().execute, str(sql), "analyze, verbose, format json, timing off")

    connect = psycopg2.connect
    patch.setattr("psycopg2.connect", lambda **options: connect(cursor_factory=Cursor, **options))
    return plans
