"""Which types a column may change to: where each value stays what it is."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from loader.archive.parquet import arrow_type
from loader.contracts import ColumnType, may_become

NUMBERS = [
    "integer",
    "bigint",
    *(f"decimal({digits},{scale})" for digits in (2, 9, 10, 11, 12, 18, 19, 20, 38) for scale in (0, 1, 2)),
]
OTHERS = ["varchar(5)", "varchar(6)", "double", "boolean", "date", "timestamp"]


def extremes(declared: ColumnType) -> pa.Array:
    """The largest value of a type, and the smallest step."""
    most = {"integer": "2147483647", "bigint": "9223372036854775807"}.get(
        declared.name, "9" * (declared.precision or 0)
    )
    values = [Decimal((0, tuple(map(int, digits)), -(declared.scale or 0))) for digits in (most, "1")]
    return pa.array([int(value) if not declared.scale else value for value in values], arrow_type(declared))


def keeps_values(was: ColumnType, wanted: ColumnType) -> bool:
    """What Arrow says, whose casts are exact or refused; a decimal does not become a whole number."""
    if wanted.name != "decimal":
        return was.name != "decimal" and (was.name, wanted.name) != ("bigint", "integer")
    try:
        return bool(extremes(was).cast(arrow_type(wanted)).validate(full=True) is None)
    except pa.ArrowInvalid:
        return False


@pytest.mark.parametrize("was", NUMBERS)
def test_a_number_becomes_what_has_room_for_it(was: str) -> None:
    for wanted in NUMBERS:
        before, after = ColumnType.parse(was), ColumnType.parse(wanted)
        assert may_become(before, after) == keeps_values(before, after), wanted


def test_others_become_nothing_but_a_longer_text() -> None:
    for was in [*OTHERS, *NUMBERS[:3]]:
        for wanted in [*OTHERS, *NUMBERS[:3]]:
            if was in OTHERS or wanted in OTHERS:
                expected = was == wanted or (was, wanted) == ("varchar(5)", "varchar(6)")
                assert may_become(ColumnType.parse(was), ColumnType.parse(wanted)) == expected, (was, wanted)


@pytest.mark.parametrize(
    ("was", "wanted", "may"),
    [
        ("varchar(5)", "varchar(6)", True),
        ("integer", "bigint", True),
        ("integer", "decimal(10,0)", True),
        ("integer", "decimal(12,2)", False),
        ("decimal(6,2)", "decimal(9,2)", True),
        ("decimal(6,2)", "decimal(9,3)", False),
    ],
)
def test_a_key_keeps_its_text(was: str, wanted: str, may: bool) -> None:
    assert may_become(ColumnType.parse(was), ColumnType.parse(wanted), is_key=True) == may
    assert may_become(ColumnType.parse(was), ColumnType.parse(wanted))
