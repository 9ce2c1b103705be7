"""What DuckDB, which will judge the rows, says of conditions and patterns."""

from __future__ import annotations

from typing import Any

from loader.computing import in_memory
from loader.text import first_line


def objection_to(query: str, *parameters: str) -> str | None:
    """The first line of its objection to a query; None when it understands it."""
    import duckdb

    try:
        with in_memory() as connection:
            connection.execute(query, parameters)
    except duckdb.Error as error:
        return first_line(error)
    return None


def answer_to(query: str, *parameters: str) -> Any:
    """The one value that a query returns."""
    with in_memory() as connection:
        return (connection.execute(query, parameters).fetchone() or (None,))[0]
