"""Which types a column may change to. One rule for stage, for the archive and for what is compared with it."""

from __future__ import annotations

from loader.contracts.columns import ColumnType

_WHOLE_DIGITS = {"integer": 10, "bigint": 19}
"""How many digits a value may have."""


def may_become(was: ColumnType, wanted: ColumnType, *, is_key: bool = False) -> bool:
    """Whether every value of a type is, unchanged, one of another: the same type, or one with more room.

    Of a key column (`is_key`) its text has to stay the same too, since history hashes it: 7 and 7.00 are two texts.
    A `varchar` without a length is one of which the engine does not keep it.
    """
    if was.name == wanted.name == "varchar":
        return was.length is None or wanted.length is None or was.length <= wanted.length
    before, after = _digits(was), _digits(wanted)
    if before is None or after is None:
        return was == wanted
    if is_key and before[1] != after[1]:
        return False
    fits = before[0] <= after[0] and before[1] <= after[1]
    return fits and (wanted.name == "decimal" or was.name != "decimal")


def _digits(declared: ColumnType) -> tuple[int, int] | None:
    """The digits before and behind the point; None for what is not an exact number."""
    if declared.name in _WHOLE_DIGITS:
        return _WHOLE_DIGITS[declared.name], 0
    if declared.name == "decimal" and declared.precision is not None and declared.scale is not None:
        return declared.precision - declared.scale, declared.scale
    return None
