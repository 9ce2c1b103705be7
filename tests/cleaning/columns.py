"""Columns for the tests of cleaning rules."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from loader.cleaning import Cleaned, parse_rules

ARROW_STRING = pd.ArrowDtype(pa.string())


def column(values: Sequence[str | None]) -> pd.Series:
    """A column of Arrow-backed strings, its index not the default one."""
    index = pd.Index(range(100, 100 + len(values)))
    return pd.Series(values, index=index, name="a_column", dtype=ARROW_STRING)


def clean(rule: Any, values: Sequence[str | None]) -> Cleaned:
    """What one rule, written as in a contract, makes of these values."""
    return parse_rules([rule])[0].apply(column(values))


def cleaned_value(rule: Any, value: str) -> str | None:
    """One value by a rule that must accept it."""
    values, invalid = clean(rule, [value])
    assert invalid is None or not invalid.any(), f"{rule} rejected {value!r}"
    return None if pd.isna(values.iloc[0]) else values.iloc[0]


def is_rejected(rule: Any, value: str) -> bool:
    """Whether a rule rejects a value, which it must then leave as it came."""
    values, invalid = clean(rule, [value])
    assert invalid is not None
    if invalid.iloc[0]:
        assert values.iloc[0] == value
    return bool(invalid.iloc[0])
