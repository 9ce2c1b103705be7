"""The dialect through which Great Expectations reads DuckDB: `duckdb+almanac`, on top of duckdb-engine.

Great Expectations fetches results after it has closed their connection, reflects columns through the catalog of
PostgreSQL, and knows no regular expressions for DuckDB. Each is answered here.
"""

from __future__ import annotations

import atexit
import sys
from typing import Any

from duckdb_engine import Dialect
from sqlalchemy import Connection, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.types import NullType

DRIVER = "duckdb+almanac"

registry.register(DRIVER.replace("+", "."), __name__, "BufferedDuckDB")


class _BufferedContext(PGExecutionContext_psycopg2):
    """Takes all rows of a result at once."""

    def post_exec(self) -> None:
        if self.cursor.description:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, alternate_description=self.cursor.description
            )


class BufferedDuckDB(Dialect):
    """DuckDB as Great Expectations needs it."""

    execution_ctx_cls = _BufferedContext
    supports_statement_cache = False

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        connection = super().connect(*args, **kwargs)
        # the name under which PostgreSQL, SQL Server and Spark have it, so that suites are portable
        connection.execute("create or replace temp macro regexp_like(t, pattern) as regexp_matches(t, pattern)")
        return connection

    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedColumn]:
        found = connection.execute(
            text(
                "select column_name, data_type from information_schema.columns "
                "where table_schema = :schema and table_name = :name order by ordinal_position"
            ),
            {"schema": schema or "main", "name": str(table_name)},
        )
        return [
            {"name": str(name), "type": self._type_of(str(declared)), "nullable": True, "default": None}
            for name, declared in found
        ]

    def _type_of(self, declared: str) -> Any:
        return self.ischema_names.get(declared.partition("(")[0].lower(), NullType)()

    def get_pk_constraint(self, *_: Any, **__: Any) -> ReflectedPrimaryKeyConstraint:
        return {"constrained_columns": [], "name": None}


@atexit.register
def _let_go() -> None:
    """Let DuckDB's binding end quietly.

    Great Expectations imports a package (rpds) that keeps Python objects alive past the end of the interpreter,
    SQLAlchemy's dialects among them; DuckDB's binding then prints pages about leaked objects.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "duckdb_engine":
            vars(module).clear()
