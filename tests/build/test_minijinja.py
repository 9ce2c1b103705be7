"""What dbt 2.0 would render Jinja with reads the project's templates too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

TEMPLATES = sorted((REPOSITORY / "dbt_project").rglob("*.sql"))
OF_DBT = re.compile(r"(\{%-?\s*)(end)?(?:snapshot|test)\b")
"""Statements that dbt adds to Jinja; like macros, they have a name and a body."""


def test_every_template_is_one_for_minijinja() -> None:
    minijinja = pytest.importorskip("minijinja")
    environment = minijinja.Environment()
    for path in TEMPLATES:
        text = OF_DBT.sub(r"\1\2macro", path.read_text(encoding="utf-8"))
        text = re.sub(r"(\{%-?\s*macro \w+)(\s*-?%\})", r"\1()\2", text)  # a snapshot has no parameters
        environment.add_template(path.name, text)


def test_the_one_method_that_minijinja_lacks() -> None:
    """As docs/use/dbt-versions.md says; of texts it has those of `pycompat` alone."""
    lacking = re.compile(
        r"\.(encode|decode|partition|rpartition|casefold|translate|isidentifier|swapcase|center|ljust)\("
    )

    def found(path: Path) -> list[str]:
        return lacking.findall(path.read_text(encoding="utf-8"))

    assert {path.name: found(path) for path in TEMPLATES if found(path)} == {"sqlserver.sql": ["encode"]}
