"""The rules that a cell, a row or a file can break, and their names in the rejects file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a rule is about; the value is its name in the rejects file, around the rule's own detail."""

    FILL_DOWN = "fill down"
    """Of an empty cell that stands for one above it, which nobody knows."""
    ERROR_CELL = "error cell"
    DIGITS = "number of 2^53 and more"
    """Of a whole number in a workbook, which keeps no more than 15 digits of it."""
    CLEAN = "clean {}"
    """The detail is the name of the cleaning rule."""
    TYPE = "type {}"
    REQUIRED = "required"
    LENGTH = "length {}"
    NUL = "NUL character"
    FINITE = "finite"
    ALLOWED = "allowed values"
    PATTERN = "pattern"
    MIN = "min {}"
    MAX = "max {}"
    ROW_RULE = "{}"
    """A rule of the contract across columns; the detail is its own name."""
    CELLS = "{} cells expected"
    """Of a row that has more or fewer cells than the header."""
    UNIQUE_KEY = "unique key"


@dataclass(frozen=True)
class Rule:
    """A rule of one kind; its text is its name in the rejects file and in `meta.validation_log`."""

    kind: Kind
    detail: object = ""

    def __str__(self) -> str:
        return self.kind.value.format(self.detail)


UNIQUE_KEY = Rule(Kind.UNIQUE_KEY)


def cells_expected(number: int) -> Rule:
    """The rule that a row has as many cells as the header."""
    return Rule(Kind.CELLS, number)


def is_about_cells(name: str) -> bool:
    """Whether a name in the rejects file is that of a row of the wrong length."""
    return name.endswith(Kind.CELLS.value.format(""))
