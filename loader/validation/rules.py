"""The rules that a cell, a row or a file can break, and their names in the rejects file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from loader.readers.table import Fault, ShortRow


class Kind(Enum):
    """What a rule is about; the value is its name in the rejects file, around the rule's own detail."""

    FILL_DOWN = "fill down"
    """Of an empty cell that stands for one above it, which nobody knows."""
    ERROR_CELL = "error cell"
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
    QUOTES = "matching quotes"
    """Of a row whose quotes do not match, so that nobody can tell its cells."""
    DELIMITER = "delimiter before a quote"
    """Of a row with a quote that is a letter, or that begins a cell before which a delimiter was lost."""
    UNIQUE_KEY = "unique key"
    DUPLICATE = "duplicate of row {}"
    """Of a row that is dropped; the detail is the row that stands for it."""


@dataclass(frozen=True)
class Rule:
    """A rule of one kind; its text is its name in the rejects file and in `meta.validation_log`."""

    kind: Kind
    detail: object = ""

    def __str__(self) -> str:
        return self.kind.value.format(self.detail)


UNIQUE_KEY = Rule(Kind.UNIQUE_KEY)


def rule_of(row: ShortRow) -> Rule:
    """The rule that a row breaks whose cells nobody can tell apart, or that has too few or too many."""
    match row.fault:
        case Fault.CELLS:
            return Rule(Kind.CELLS, row.expected)
        case Fault.QUOTES:
            return Rule(Kind.QUOTES)
        case Fault.DELIMITER:
            return Rule(Kind.DELIMITER)


def duplicate_of(row: int) -> Rule:
    """The rule that a key stands once, broken by a row for which another stands."""
    return Rule(Kind.DUPLICATE, row)


def is_about_cells(name: str) -> bool:
    """Whether a name in the rejects file is that of a row in which nobody knows the columns."""
    return name.endswith(Kind.CELLS.value.format("")) or name in (Kind.QUOTES.value, Kind.DELIMITER.value)
