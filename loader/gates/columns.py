"""Columns of tables and of queries, and whether they may hold personal values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class UntraceableError(Exception):
    """Why a query cannot be traced to the columns of its tables."""


@dataclass(frozen=True)
class Output:
    """A column of a table or of the result of a query."""

    name: str
    """In lower case; empty where the database makes up a name."""
    personal: bool


@dataclass(frozen=True)
class Outputs:
    """The columns of a query."""

    columns: tuple[Output, ...]
    ordered: bool = True
    """Whether the result has just these columns in this order; a join may merge some of them."""

    def hidden(self, result: Sequence[str]) -> set[str]:
        """The names of `result`, the columns as the database answered, whose values may be personal."""
        if self.ordered and len(result) == len(self.columns):
            pairs = zip(result, self.columns, strict=True)
            return {name for name, column in pairs if column.personal or column.name not in ("", name.lower())}
        return {name for name in result if is_personal(self.columns, name.lower())}


def is_personal(columns: Iterable[Output], name: str) -> bool:
    """Whether a column may hold personal values; it does so too when there is none of the name."""
    found = [column.personal for column in columns if column.name == name]
    return any(found) if found else True
