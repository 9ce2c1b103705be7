"""How values are written, said once for the file where its columns agree, and in a column where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.columns import Found, Looked, Sign
from loader.codegen.propose.dates import MONTH_FIRST
from loader.codegen.propose.evidence import Word
from loader.codegen.propose.writing import listed_text, quoted
from loader.contracts import Notation
from loader.text import listed

_USUAL = Notation()
Column = tuple[str, Looked, Found]
"""Its name, and what was found of it."""


def sign_of_decimals(looked: Sequence[Looked], delimiter: str) -> Sign:
    """The sign before decimals of the columns that can be read in one way only; empty when they do not agree.

    Where none shows it, commas between cells make a point likely, since a comma in a number would need quotes.
    """
    signs = {sign for one in looked if len(one.numbers) == 1 and (sign := one.numbers[0].decimal)}
    if signs:
        return Sign(signs.pop() if len(signs) == 1 else "")
    return Sign(".", is_shown=False) if delimiter == "," else Sign()


def has_month_first(looked: Sequence[Looked]) -> bool | None:
    """Whether dates begin with the month in columns that can be read in one way only; None when they do not agree."""
    orders = {
        one.dates[0].order.startswith(MONTH_FIRST)
        for one in looked
        if len(one.dates) == 1
        and one.dates[0].order.endswith(("slashes", "hyphens"))
        and not one.dates[0].order.startswith("year")
    }
    return orders.pop() if len(orders) == 1 else None


def format_words(columns: Sequence[Column]) -> tuple[list[Word], dict[str, list[Word]]]:
    """Words of the format, and by column those in which it differs."""
    own: dict[str, list[Word]] = {name: [] for name, _, _ in columns}
    words = [*_numbers(columns, own), *_dates(columns, own), *_nulls(columns, own), *_booleans(columns, own)]
    for name, _, found in columns:
        notation = found.notation
        if notation.grouping != _USUAL.grouping:
            own[name].append(Word("grouping", notation.grouping))
        if notation.negative:
            own[name].append(Word("negative", f"[{', '.join(notation.negative)}]", "negative numbers are marked so"))
        if notation.currency:
            own[name].append(Word("currency", quoted(notation.currency), "stands beside the numbers"))
        if notation.map:
            pairs = ", ".join(f"{quoted(text)}: {str(value).lower()}" for text, value in notation.map)
            own[name].append(Word("map", f"{{{pairs}}}"))
        if notation.percent:
            own[name].append(Word("percent", "true", "each number has the sign; 15 % is 0.15"))
    return words, own


def _numbers(columns: Sequence[Column], own: dict[str, list[Word]]) -> list[Word]:
    signed = [
        (name, found.notation)
        for name, looked, found in columns
        if looked.numbers
        and looked.numbers[0].count
        and found.type.startswith(("integer", "bigint", "decimal", "double"))
    ]
    if not signed:
        return []
    decimal = Counter(notation.decimal for _, notation in signed).most_common(1)[0][0]
    agreeing = [(name, notation) for name, notation in signed if notation.decimal == decimal]
    groups = Counter(notation.thousands for _, notation in agreeing if notation.thousands).most_common(1)
    thousands = groups[0][0] if groups else ""
    for name, notation in signed:
        if notation.decimal != decimal or notation.thousands not in ("", thousands):
            own[name] += [Word("decimal", f"'{notation.decimal}'"), Word("thousands", quoted(notation.thousands))]
    where = listed((name for name, _ in agreeing), 3)
    words = [Word("decimal", f"'{decimal}'", f"as {where} can be read")] if decimal != _USUAL.decimal else []
    if thousands:
        grouped = listed((name for name, notation in agreeing if notation.thousands == thousands), 3)
        words.append(Word("thousands", quoted(thousands), f"groups of digits in {grouped}"))
    return words


def _dates(columns: Sequence[Column], own: dict[str, list[Word]]) -> list[Word]:
    dated = [(name, looked, found) for name, looked, found in columns if found.notation.dates != _USUAL.dates]
    orders = {
        next(one.order for one in looked.dates if one.forms == found.notation.dates) for _, looked, found in dated
    }
    if len(orders) == 1:
        forms = [*dict.fromkeys(form for _, _, found in dated for form in found.notation.dates)]
        return [Word("dates", listed_text(forms), f"{orders.pop()}, in {listed((name for name, _, _ in dated), 3)}")]
    for name, _, found in dated:
        own[name].append(Word("dates", listed_text(found.notation.dates)))
    return []


def _nulls(columns: Sequence[Column], own: dict[str, list[Word]]) -> list[Word]:
    having = [(name, found.notation.null_values) for name, _, found in columns if found.notation.null_values]
    if not having:
        return []
    words = sorted({word for _, nulls in having for word in nulls})
    values = pa.array(words, pa.string())
    if not any(pc.any(pc.is_in(looked.texts, values)).as_py() for _, looked, _ in columns):
        return [
            Word("null_values", listed_text(words), f"stand for nothing in {listed((name for name, _ in having), 3)}")
        ]
    for name, nulls in having:
        own[name].append(Word("null_values", listed_text(nulls), "no numbers or dates; texts elsewhere in the file"))
    return []


def _booleans(columns: Sequence[Column], own: dict[str, list[Word]]) -> list[Word]:
    unusual = [(name, found.notation) for name, _, found in columns if found.notation.true_values != _USUAL.true_values]
    pairs = {(notation.true_values, notation.false_values) for _, notation in unusual}
    usual = any(found.type == "boolean" and found.notation.true_values == _USUAL.true_values for _, _, found in columns)
    if len(pairs) == 1 and not usual:
        true, false = pairs.pop()
        return [Word("true_values", listed_text(true)), Word("false_values", listed_text(false))]
    for name, notation in unusual:
        own[name] += [
            Word("true_values", listed_text(notation.true_values)),
            Word("false_values", listed_text(notation.false_values)),
        ]
    return []
