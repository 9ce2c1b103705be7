"""Values that a contract itself states: bounds, and what a text stands for. Each is tried against its column's type."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from loader.contracts.columns import ColumnType

_BITS = {"integer": 31, "bigint": 63}
_MANY_DIGITS = Context(prec=400)
"""For the digits of any double."""


def _one_value(value: Any) -> Any:
    if not isinstance(value, str | int | float | Decimal | date):
        raise ValueError("is one value: a text, a number or a date")  # noqa: TRY004 - answered with its line
    return value


def _bound(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"YAML reads {value!r} there; a bound is a number or a date")  # noqa: TRY004
    return _one_value(value)


Scalar = str | int | float | Decimal | date | datetime
Bound = Annotated[Scalar, BeforeValidator(_bound)]
Value = Annotated[bool | Scalar, BeforeValidator(_one_value)]


def fits(value: Scalar, declared: ColumnType) -> bool:
    """Whether a value of a contract is one of a column's type, to its last digit."""
    match declared.name:
        case "varchar":
            return isinstance(value, str) and 0 < len(value) <= (declared.length or 0)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case "timestamp":
            return isinstance(value, date) and getattr(value, "tzinfo", None) is None
        case _:
            return not isinstance(value, bool | str | date) and _number_fits(value, declared)


def _number_fits(value: float | Decimal, declared: ColumnType) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if declared.name == "double":
        return not isinstance(value, int) or abs(value) <= 2**53
    if declared.name == "decimal":
        precision, scale = declared.precision or 0, declared.scale or 0
        number = Decimal(str(value))
        if number.copy_abs() >= Decimal(10) ** (precision - scale):
            return False
        return number == number.quantize(Decimal(1).scaleb(-scale), context=_MANY_DIGITS)
    beyond = 2 ** _BITS[declared.name] if declared.name in _BITS else 0
    return isinstance(value, int) and -beyond <= value < beyond


def in_order(low: Any, high: Any) -> bool:
    """Whether one bound is not above another; one that is only known with a period is above none."""
    if isinstance(low, str) or isinstance(high, str):
        return True
    return bool(_comparable(low) <= _comparable(high))


def _comparable(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    return datetime.combine(value, time()) if isinstance(value, date) and not isinstance(value, datetime) else value
