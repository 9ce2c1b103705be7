"""How a sender writes values as text: what can be said of it for all columns of a file, and for one of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from loader.contracts.model import Mistake
from loader.contracts.names import INVISIBLE

DecimalSign = Literal[".", ","]
ThousandsSign = Literal["", ",", ".", " ", "'"]
Grouping = Literal["thousands", "indian"]
NegativeForm = Literal["trailing", "parentheses", "minus_sign"]

_PART_OF_NUMBER = re.compile("[0-9+,'()\u2019\u2212-]")


def _cell_text(value: str) -> str:
    """A text that a cell can hold: its blanks at the ends are gone, its characters composed, and it is not empty."""
    ends = INVISIBLE.sub(" ", value[:1] + value[-1:])
    if not value or ends != ends.strip():
        raise ValueError(f"'{value}' is empty or has a blank at one end; no cell is compared so")
    if unicodedata.normalize("NFC", value) != value:
        raise ValueError(f"'{value}' has decomposed characters; write it in Unicode NFC")
    return value


def _currency(value: str) -> str:
    if value == "%":
        raise ValueError("currency '%' is no money; write 'percent: true' in the column")
    if value and (value.strip() != value or _PART_OF_NUMBER.search(value)):
        raise ValueError(f"currency '{value}' could be read as part of a number; write it like $, € or CHF")
    return value


def _zone(value: str) -> str:
    zone_of(value)
    return value


def zone_of(name: str) -> tzinfo:
    """The time zone of that name in the IANA database.

    Raises:
        ValueError: there is none.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"zone '{name}' is unknown; write it like Europe/Berlin, or UTC") from None


CellText = Annotated[str, AfterValidator(_cell_text)]
Currency = Annotated[str, Field(max_length=5), AfterValidator(_currency)]
Zone = Annotated[str, AfterValidator(_zone)]


@dataclass(frozen=True)
class Notation:
    """How the values of one column are written: its own words, where it has none those of the format."""

    decimal: str = "."
    thousands: str = ""
    grouping: str = "thousands"
    negative: tuple[str, ...] = ()
    currency: str = ""
    percent: bool = False
    dates: tuple[str, ...] = ("%Y-%m-%d",)
    zone: str = "UTC"
    null_values: tuple[str, ...] = ()
    true_values: tuple[str, ...] = ("true", "t", "yes", "y", "1")
    false_values: tuple[str, ...] = ("false", "f", "no", "n", "0")
    map: tuple[tuple[str, Any], ...] = ()
    """Texts that stand for a value of the column's type."""

    def mistakes(self) -> Iterator[Mistake]:
        """Words that contradict each other."""
        if self.thousands == self.decimal:
            yield Mistake(f"'decimal' and 'thousands' are both '{self.decimal}'", ("thousands",))
        if self.grouping != "thousands" and not self.thousands:
            yield Mistake(f"'grouping: {self.grouping}' needs 'thousands', the sign between the groups", ("grouping",))
        false = {word.lower() for word in self.false_values}
        for word in self.true_values:
            if word.lower() in false:
                yield Mistake(f"'{word}' is among both true_values and false_values", ("true_values",))
