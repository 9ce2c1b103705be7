"""How numbers are written as text: signs of decimals and groups, money, percent, what marks a negative."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from loader.codegen.propose.common_words import MONEY
from loader.contracts import ColumnType, Notation
from loader.validation.conversion import convert

_MONEY = re.compile("|".join(sorted(map(re.escape, MONEY), key=len, reverse=True)))
_SIGNS = (
    (".", "", "thousands"),
    (",", "", "thousands"),
    (".", ",", "thousands"),
    (",", ".", "thousands"),
    (".", " ", "thousands"),
    (",", " ", "thousands"),
    (".", "'", "thousands"),
    (",", "'", "thousands"),
    (".", ",", "indian"),
)
_BLANKS = re.compile("[ \u00a0\u2009\u202f]")
_EXACT, _ANY = ColumnType.parse("decimal(38,10)"), ColumnType.parse("double")


@dataclass(frozen=True)
class Reading:
    """One way to read all texts of a column as numbers."""

    notation: Notation
    values: pa.Array
    count: int
    """Texts that have a sign which says something: a point, a comma, a blank or an apostrophe."""

    @property
    def decimal(self) -> str:
        """The sign before the decimals that the column shows; empty where it shows none."""
        if not self.count:
            return ""
        if self.notation.thousands in (",", "."):
            return "." if self.notation.thousands == "," else ","
        return self.notation.decimal if self._has_decimals else ""

    @property
    def _has_decimals(self) -> bool:
        return self.notation.thousands == "" and self.count > 0


def readings(texts: pa.StringArray) -> list[Reading]:
    """The ways to read these texts, all different and filled, as numbers; those of the same numbers count once.

    Empty when they are no numbers; with more than one, a person has to say which is meant.
    """
    written = texts.to_pylist()
    if not written or not all(re.search("[0-9]", text) for text in written[:100]):
        return []
    base = _base(written)
    if base is None:
        return []
    joined = "".join(written)
    has = {
        " ": bool(_BLANKS.search(joined)),
        "'": "'" in joined or "\u2019" in joined,
        ",": "," in joined,
        ".": "." in joined,
    }
    count = sum(
        bool(re.search(r"[0-9][., \u00a0\u2009\u202f'\u2019][0-9]|(?:^|\D)[.,][0-9]", text)) for text in written
    )
    found: list[Reading] = []
    for decimal, thousands, grouping in _SIGNS:
        if (thousands or decimal == ",") and not has[thousands or ","]:
            continue
        notation = replace(base, decimal=decimal, thousands=thousands, grouping=grouping)
        values = _values(texts, notation)
        if values is not None and not any(values.equals(other.values) for other in found):
            found.append(Reading(notation, values, count))
    return found


def _values(texts: pa.StringArray, notation: Notation) -> Any:
    for declared in (_EXACT, _ANY):
        head = convert(texts.slice(0, 100), declared, notation)
        if not head.null_count:
            values = convert(texts, declared, notation)
            if not values.null_count:
                return values
    return None


def _base(written: Iterable[str]) -> Notation | None:
    """What all texts share; None when they do not agree on it."""
    texts = [*written]
    signs = Counter(found[0] for text in texts if (found := _MONEY.search(text)))
    if len(signs) > 1:
        return None
    percents = sum("%" in text for text in texts)
    if percents not in (0, len(texts)):
        return None
    money = next(iter(signs), "")
    bare = [_MONEY.sub("", text).replace("%", "").strip() for text in texts]
    forms = {
        "trailing": any(re.fullmatch(r"[^+-].*-", text) for text in bare),
        "parentheses": any(text.startswith("(") and text.endswith(")") for text in bare),
        "minus_sign": any(text.startswith("\u2212") for text in bare),
    }
    negative = tuple(form for form, is_used in forms.items() if is_used)
    return Notation(currency=money, percent=percents > 0, negative=negative)
