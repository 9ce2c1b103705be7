"""The suites of a layer, as their files say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loader.errors import UsageError
from loader.warehouse.layers import LAYERS


@dataclass(frozen=True)
class Suite:
    """The expectations of one table."""

    table: str
    expectations: list[dict[str, Any]]
    personal: frozenset[str]
    """Columns of which no value is shown, as `meta: {personal: […]}` says, besides those of which it is known."""


def suite_files(project_dir: Path, layer: str) -> dict[str, list[Path]]:
    """The files that make up each table's suite, by the name of the table, sorted.

    A derived file lies in the folder of the layer, others may lie in a folder of their subject.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(_folder(project_dir, layer).rglob("*.json"), key=lambda path: (path.stem, path)):
        files.setdefault(path.stem, []).append(path)
    return files


def read_suites(project_dir: Path, layer: str, tables: Iterable[str] | None) -> list[Suite]:
    """The suites of a layer, or of some of its tables.

    Raises:
        UsageError: there is no such layer or suite, or a suite is not readable.
    """
    if layer not in LAYERS:
        raise UsageError(f"'{layer}' is not a valid layer; layers are {', '.join(LAYERS)}")
    files = suite_files(project_dir, layer)
    wanted = list(files) if tables is None else list(tables)
    missing = [table for table in wanted if table not in files]
    if missing or not wanted:
        folder, what = _folder(project_dir, layer), ", ".join(missing) or "any table"
        raise UsageError(f"{folder}: no suite for {what}; stage suites are made by `loader derive`")
    return [_read_suite(table, files[table]) for table in wanted]


def _folder(project_dir: Path, layer: str) -> Path:
    return project_dir / "gx" / "expectations" / layer


def _read_suite(table: str, paths: Iterable[Path]) -> Suite:
    expectations: list[dict[str, Any]] = []
    personal: frozenset[str] = frozenset()
    for path in paths:
        try:
            parsed = json.loads(path.read_text(encoding="utf-8"))
            expectations += map(_with_query_in_one, parsed["expectations"])
            personal = personal.union(parsed.get("meta", {}).get("personal", ()))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: is not a valid suite ({type(error).__name__}: {error})") from None
    return Suite(table, expectations, personal)


def _with_query_in_one(expectation: dict[str, Any]) -> dict[str, Any]:
    """A query may be written as a list of lines."""
    kwargs = dict(expectation.get("kwargs", {}))
    query = kwargs.get("unexpected_rows_query")
    if isinstance(query, list):
        kwargs["unexpected_rows_query"] = "\n".join(query)
    return {**expectation, "kwargs": kwargs}


def has_pattern(expectation: dict[str, Any]) -> bool:
    """Whether an expectation compares with a regular expression, which not every engine has."""
    return "regexp_like(" in str(expectation.get("kwargs", {}).get("unexpected_rows_query", ""))


def without_patterns(suite: Suite) -> Suite:
    """A suite for an engine without regular expressions."""
    return replace(suite, expectations=[one for one in suite.expectations if not has_pattern(one)])
