"""The dialects through which the loader and Great Expectations use DuckDB, on top of duckdb-engine.

`duckdb+almanac` opens files as `duckdb_open` does. `duckdb+gate` is for Great Expectations: it fetches results after it
has closed their connection, reflects columns through the catalog of PostgreSQL, and knows no regular expressions for
DuckDB. Each is answered here.
"""

from __future__ import annotations

import atexit
import sys
from functools import cache
from typing import Any

from duckdb_engine import Dialect, DuckDBIdentifierPreparer
from sqlalchemy import Connection, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.types import NullType

from loader.computing import in_memory
from loader.warehouse.engines.duckdb_open import MEMORY, open_file, open_in_memory

DRIVER = "duckdb+almanac"
GATE_DRIVER = "duckdb+gate"

registry.register(DRIVER.replace("+", "."), __name__, "AttachedDuckDB")
registry.register(GATE_DRIVER.replace("+", "."), __name__, "BufferedDuckDB")


class _Preparer(DuckDBIdentifierPreparer):
    """Knows the reserved words without asking DuckDB for each dialect anew."""

    def __init__(self, dialect: Any, **kwargs: Any) -> None:
        super(DuckDBIdentifierPreparer, self).__init__(dialect, **kwargs)
        self.reserved_words = self.reserved_words | _reserved_words()


@cache
def _reserved_words() -> frozenset[str]:
    with in_memory() as connection:
        query = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        return frozenset(name for (name,) in connection.execute(query).fetchall())


class AttachedDuckDB(Dialect):
    """DuckDB, whose files are opened quickly."""

    preparer = _Preparer
    supports_statement_cache = False

    def connect(self, *, database: str, url_config: dict[str, str], **_: Any) -> Any:
        if database.startswith(MEMORY):
            return open_in_memory(database.removeprefix(MEMORY))
        return open_file(database, read_only=url_config.get("access_mode") == "read_only")


class _BufferedContext(PGExecutionContext_psycopg2):
    """Takes all rows of a result at once."""

    def post_exec(self) -> None:
        if self.cursor.description:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, alternate_description=self.cursor.description
            )


class BufferedDuckDB(AttachedDuckDB):
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
                "select column_name, data_type from duckdb_columns() where database_name = current_database() "
                "and schema_name = :schema and table_name = :name order by column_index"
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
