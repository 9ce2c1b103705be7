"""What a proposal says: words of a contract, each beside what shows it and what a person has to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Word:
    """A word of a contract with its value as YAML, or with words of its own below it."""

    name: str
    value: str = ""
    why: str = ""
    """What shows it; a proposal shows no cell, so counts and places."""
    ask: str = ""
    """What the samples cannot tell."""
    below: Sequence[Word] = field(default_factory=tuple)
