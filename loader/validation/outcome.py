"""What validation found in a delivery, and whether its contract allows that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from loader.contracts import Contract
from loader.errors import RefusedError
from loader.readers.table import CellKind
from loader.text import plural

_ENOUGH_ROWS = 20
"""A file of fewer rows shows nothing about a contract."""
_NEARLY_ALL = 0.95
_MOST_SHOWN = 40
"""Characters of a cell in a message."""


@dataclass
class Outcome:
    """What validation found in one delivery."""

    rows_read: int = 0
    rows_rejected: int = 0
    rows_dropped: int = 0
    """Rows for which another row with their key stands."""
    summary: Counter[str] = field(default_factory=Counter)
    """Invalid cells by `column: rule`."""
    notes: Counter[str] = field(default_factory=Counter)
    """What is told of the delivery beside its rejected rows, and how often: remarks by their name."""
    unknown_keys: int = 0
    """Keys that only rejected rows have, where the contract has them unknown."""
    unreadable_keys: int = 0
    """Rejected rows whose key cannot be read: above 0, the delivery is incomplete."""
    dates: dict[str, Counter[CellKind]] = field(default_factory=dict)
    """By column of dates in a workbook how many of its cells are dates, and how many are texts."""
    examples: dict[str, str] = field(default_factory=dict)
    """A cell that is invalid, as it was delivered, by `column: rule`."""

    @property
    def rows_valid(self) -> int:
        """Rows that went to the parquet file."""
        return self.rows_read - self.rows_rejected - self.rows_dropped

    @property
    def rows_listed(self) -> int:
        """Rows that the rejects list."""
        return self.rows_rejected + self.rows_dropped

    @property
    def mixed_dates(self) -> list[str]:
        """What is to be said of columns in which some dates are date cells and others are texts."""
        return [
            f"{column} has {counts[CellKind.DATE]:,} date cells and {counts[CellKind.TEXT]:,} of text"
            for column, counts in self.dates.items()
            if counts[CellKind.DATE] and counts[CellKind.TEXT]
        ]

    def join(self, later: Outcome) -> None:
        """Add what was found in later rows."""
        self.rows_read += later.rows_read
        self.rows_rejected += later.rows_rejected
        self.unreadable_keys += later.unreadable_keys
        self.summary += later.summary
        self.examples = {**later.examples, **self.examples}
        self.notes += later.notes

    @property
    def noted(self) -> str:
        """The remarks in a line; empty when there is none."""
        return ", ".join(f"{note} ({count:,})" for note, count in self.notes.most_common())


def judge_rows(path: Path, contract: Contract, outcome: Outcome, rejects: str) -> None:
    """Raise RefusedError when a delivery has more invalid rows than its contract allows, or one without a key."""
    if outcome.unreadable_keys and contract.unreadable_keys == "refuse":
        raise RefusedError(
            f"{path.name}: the key of {plural(outcome.unreadable_keys, 'rejected row')} cannot be read, so nobody can "
            f"tell which keys have ended, and the contract says 'unreadable_keys: refuse'. Every bad cell is listed in "
            f"{rejects}"
        )
    rule = contract.invalid_rows
    share = outcome.rows_rejected / outcome.rows_read if outcome.rows_read else 0.0
    allowed = rule.max_share if rule.action == "reject_rows" else 0.0
    if share <= allowed:
        return
    worst = "; ".join(f"{what} ({count:,})" for what, count in outcome.summary.most_common(3))
    limit = f"at most {allowed:.1%} is allowed" if allowed else "none is allowed"
    raise RefusedError(
        f"{path.name}: {outcome.rows_rejected:,} of {outcome.rows_read:,} rows are invalid ({share:.1%}; {limit}): "
        f"{worst}. Every bad cell is listed in {rejects}{_likelier_cause(contract, outcome)}"
    )


def _likelier_cause(contract: Contract, outcome: Outcome) -> str:
    """What is said of a rule that nearly every row breaks."""
    ((what, count),) = outcome.summary.most_common(1) or [("", 0)]
    if outcome.rows_read < _ENOUGH_ROWS or count < _NEARLY_ALL * outcome.rows_read:
        return ""
    column = what.partition(": ")[0]
    example = outcome.examples.get(what)
    may_show = any(one.name == column and not one.personal for one in contract.columns)
    shown = f", such as '{example[:_MOST_SHOWN]}'," if example and may_show else ""
    return f". Nearly every row{shown} breaks '{what}': the contract is the likelier cause, look at it first"
