"""Texts to numbers, in the notation of their sender.

What is no number, does not fit the type or would lose digits is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import Notation
from loader.readers.table import BLANKS
from loader.validation.texts import by_distinct

_NEGATIVE = {"trailing": "^([^+-].*)-$", "parentheses": r"^\(([^+-].*)\)$", "minus_sign": "^\u2212(.+)$"}
_GROUPED = {
    "thousands": "[1-9][0-9]{{0,2}}(?:{0}[0-9]{{3}})+",
    "indian": "[1-9][0-9]?(?:{0}[0-9]{{2}})*{0}[0-9]{{3}}",
}
_VARIANTS = {" ": "[\u00a0\u2009\u202f]", "'": "\u2019"}
"""Other characters that stand for a thousands separator."""
_MANY_DIGITS = Context(prec=80)


def as_numbers(cells: pa.StringArray, target: pa.DataType, notation: Notation) -> pa.Array:
    """Tidy cells as numbers of a type; null where the cell is null or invalid."""
    plain = _plain(cells, notation)
    # Arrow reads 0x1f and nan, nobody else; as a decimal, more than 38 digits overflow without a word, and an exponent
    # such as e-999999999 ends the process
    strange = "[xXnN]" if pa.types.is_floating(target) else "[eExXnN]|.{39}"
    if not pc.any(pc.match_substring_regex(plain, strange)).as_py():
        try:
            return _without_vanished(pc.cast(plain, target), plain)
        except pa.ArrowInvalid:
            pass
    return by_distinct(plain, target, lambda text: _number(text, target))


def _without_vanished(values: pa.Array, plain: pa.StringArray) -> pa.Array:
    """Null where a number is so near to zero that no double but 0 is as near."""
    if not pa.types.is_floating(values.type):
        return values
    zero = pc.equal(values, 0)
    if not pc.any(zero).as_py():
        return values
    vanished = pc.and_(zero, pc.match_substring_regex(plain, "^[^eE]*[1-9]"))
    return pc.if_else(vanished, pa.scalar(None, values.type), values)


def _plain(cells: pa.StringArray, notation: Notation) -> pa.StringArray:
    """Numbers in the sender's notation with a point and a sign before them, nothing else; null where invalid."""
    if notation.percent:
        signed = pc.fill_null(pc.match_substring(cells, "%"), False)
        cells = pc.if_else(signed, _without_sign(cells, "%"), pa.scalar(None, pa.string()))
    if notation.currency:
        money = notation.currency
        cells = _where(pc.match_substring(cells, money), cells, lambda found: _without_sign(found, money))
    for form in notation.negative:
        cells = pc.replace_substring_regex(cells, _NEGATIVE[form], r"-\1")
    if notation.thousands:
        if notation.thousands in _VARIANTS:
            cells = pc.replace_substring_regex(cells, _VARIANTS[notation.thousands], notation.thousands)
        grouped = pc.match_substring(cells, notation.thousands)
        cells = _where(grouped, cells, lambda found: _ungrouped(found, notation))
    if notation.decimal == ",":
        pointed = pc.match_substring(cells, ".")
        cells = pc.if_else(pointed, pa.scalar(None, pa.string()), pc.replace_substring(cells, ",", "."))
    return pc.binary_join_element_wise(cells, "e-2", "") if notation.percent else cells


def _where(mask: pa.BooleanArray, cells: pa.StringArray, change: Callable[[Any], pa.StringArray]) -> pa.StringArray:
    """The cells with those of the mask changed; regular expressions cost by the cell, and few cells need them."""
    mask = pc.fill_null(mask, False)
    return pc.replace_with_mask(cells, mask, change(cells.filter(mask))) if pc.any(mask).as_py() else cells


def _without_sign(cells: pa.StringArray, sign: str) -> pa.StringArray:
    """Without the sign of money or percent, which stands once and on either side, within the mark of a negative."""
    sign, blanks = re.escape(sign), f"[{BLANKS}]*"
    before, after = rf"^([+(\x{{2212}}-]?){blanks}{sign}{blanks}", rf"^(.*?){blanks}{sign}([)-]?)$"
    return pc.if_else(
        pc.match_substring_regex(cells, before),
        pc.replace_substring_regex(cells, before, r"\1"),
        pc.replace_substring_regex(cells, after, r"\1\2"),
    )


def _ungrouped(cells: pa.StringArray, notation: Notation) -> pa.StringArray:
    """Without thousands separators where they are in place: in `12,34` the sender, or the contract, is wrong."""
    thousands, decimal = re.escape(notation.thousands), re.escape(notation.decimal)
    whole = _GROUPED[notation.grouping].format(thousands)
    grouped = pc.match_substring_regex(cells, rf"^[+-]?{whole}(?:{decimal}[0-9]*)?$")
    return pc.if_else(grouped, pc.replace_substring(cells, notation.thousands, ""), cells)


def _number(text: str, target: pa.DataType) -> int | float | Decimal | None:
    """One plain number; None when it is not a number, does not match the type or would lose digits."""
    # 1e3 is a code more likely than a count
    exponent = "" if pa.types.is_integer(target) else "eE"
    if text.strip(f"+-.0123456789{exponent}"):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if pa.types.is_floating(target):
        nearest = float(number)
        return nearest if nearest or not number else None
    scale = target.scale if pa.types.is_decimal(target) else 0
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=_MANY_DIGITS) if number.adjusted() < 40 else None
    if rounded is None or rounded != number:
        return None
    if pa.types.is_decimal(target):
        return rounded if rounded.copy_abs() < Decimal(10) ** (target.precision - scale) else None
    bits = target.bit_width - 1
    return int(rounded) if -(2**bits) <= rounded < 2**bits else None
