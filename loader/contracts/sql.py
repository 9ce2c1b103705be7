"""What DuckDB, which will judge the rows, says of conditions and patterns."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from loader.text import first_line

if TYPE_CHECKING:
    import duckdb


def objection_to(query: str, *parameters: str) -> str | None:
    """The first line of its objection to a query; None when it understands it."""
    import duckdb

    with _database().cursor() as connection:
        try:
            connection.execute(query, parameters)
        except duckdb.Error as error:
            return first_line(error)
    return None


def answer_to(query: str, *parameters: str) -> Any:
    """The one value that a query returns."""
    with _database().cursor() as connection:
        return (connection.execute(query, parameters).fetchone() or (None,))[0]


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """An empty database; opened once, since that takes longer than all questions of a project."""
    import duckdb

    return duckdb.connect()
