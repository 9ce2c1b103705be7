"""Along which dimensions a measure adds up, as the mart's descriptions say.

A column of a model with `meta: {additive_over: […]}` adds up along these dimensions (their roles, or columns of the
table) and no others: a population along places, not along months. Without the word a measure adds up along all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from loader.errors import UsageError

Additive = Mapping[str, frozenset[str]]
"""By measure the dimensions along which it adds up; measures that add up along all of them are left out."""

_WORD = "additive_over"


def additive_measures(project_dir: Path) -> dict[str, Additive]:
    """What the descriptions of each model say.

    Raises:
        UsageError: a description is not readable, or the word is not followed by a list of names.
    """
    found: dict[str, Additive] = {}
    for path in sorted((project_dir / "dbt_project" / "models").rglob("*.y*ml")):
        try:
            described = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UsageError(f"{path}: is not readable ({type(error).__name__})") from None
        for model in _of(described, "models"):
            measures = dict(_measures(path, model))
            if measures:
                found[str(model.get("name"))] = measures
    return found


def _measures(path: Path, model: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    for column in _of(model, "columns"):
        meta = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
        if _WORD not in meta:
            continue
        names = meta[_WORD]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"{path}: additive_over of '{column.get('name')}' is not a list of dimensions")
        yield str(column.get("name")), frozenset(names)


def _of(described: Any, word: str) -> Iterable[Any]:
    listed = described.get(word) if isinstance(described, Mapping) else None
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
