"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module", ["loader.cleaning", "loader.codegen.cell_shapes", "loader.contracts.names", "loader.contracts.periods"]
)
def test_examples_of_docstrings(module: str) -> None:
    examples = doctest.testmod(importlib.import_module(module))
    assert examples.attempted
    assert not examples.failed
