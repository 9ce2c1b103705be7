"""Expectations of Great Expectations, as suites have them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from loader.codegen.header import DERIVED

Expectation = dict[str, Any]


def derived_suite(table: str, expectations: Iterable[Expectation]) -> str:
    """The text of a suite's file; `table` with its schema."""
    suite = {"meta": {"derived": DERIVED}, "name": table, "expectations": list(expectations)}
    return json.dumps(suite, indent=2, ensure_ascii=False) + "\n"


def native(kind: str, check: str, kwargs: dict[str, Any]) -> Expectation:
    """An expectation that Great Expectations computes itself."""
    return {"type": kind, "description": check, "kwargs": kwargs}


def has_columns(check: str, names: Iterable[str]) -> Expectation:
    """The table has these columns, and may have others."""
    return native("expect_table_columns_to_match_set", check, {"column_set": list(names), "exact_match": False})


def is_filled(column: str) -> Expectation:
    """A column is never NULL."""
    return native("expect_column_values_to_not_be_null", f"{column} is filled", {"column": column})


def no_rows(check: str, *query: str) -> Expectation:
    """A query for bad rows, in one line or several, finds none."""
    lines: str | list[str] = query[0] if len(query) == 1 else list(query)
    return native("unexpected_rows_expectation", check, {"unexpected_rows_query": lines})
