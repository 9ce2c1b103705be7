"""What is asked of the cells of one batch: tidy, clean, convert, then the rules of the contract. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import compress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loader.archive.parquet import SOURCE_ROW, arrow_type
from loader.computing import in_memory
from loader.contracts import Column, ColumnType, Contract, Format, Period, Scalar
from loader.readers.table import DAY_ZERO, Batch, CellKind, Cells
from loader.validation.conversion import arrow_value
from loader.validation.rules import Kind, Rule
from loader.validation.texts import tidy
from loader.validation.typed_cells import has_too_many_digits, values_of

_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#ERROR!")
"""Those of Excel, as they stand in text files."""


@dataclass
class Checked:
    """What the checks found in one batch."""

    rows: pa.Table
    """The valid rows, typed, with `_source_row`."""
    invalid: list[Invalid]
    rejected_keys: pa.Table
    """The keys of rejected rows that can be read, typed, with `_source_row`."""
    unreadable: pa.Int64Array
    """The rejected rows whose key breaks a rule of its columns, by their number in the file."""

    @property
    def rejected(self) -> int:
        """The number of rejected rows."""
        return int(self.rejected_keys.num_rows) + len(self.unreadable)

    def where(self, is_in: Callable[[pa.Array], pa.BooleanArray]) -> Checked:
        """What was found in the part of the batch whose rows are those that `is_in`."""
        rows = self.rows.filter(is_in(self.rows[SOURCE_ROW]))
        invalid = [part for one in self.invalid if (part := one.where(is_in)).source_rows]
        keys = self.rejected_keys.filter(is_in(self.rejected_keys[SOURCE_ROW]))
        return Checked(rows, invalid, keys, self.unreadable.filter(is_in(self.unreadable)))


@dataclass(frozen=True)
class Invalid:
    """Cells of one column that break one rule; a rule across columns has an empty `column` and no cells."""

    column: str
    rule: Rule
    source_rows: list[int]
    cells: list[str | None]
    is_first: bool = True
    """False for rules that cells break besides the one that had them rejected."""

    def where(self, is_in: Callable[[pa.Array], pa.BooleanArray]) -> Invalid:
        """The cells in the rows that `is_in`."""
        kept = is_in(pa.array(self.source_rows, pa.int64())).to_pylist()
        return replace(self, source_rows=[*compress(self.source_rows, kept)], cells=[*compress(self.cells, kept)])


def check_batch(
    batch: Batch, positions: dict[str, int], contract: Contract, period: Period, day_zero: date = DAY_ZERO
) -> Checked:
    """Tidy, clean, convert and check the cells of one batch.

    `positions` says where each column is in the file, `day_zero` from which day a workbook counts.
    """
    typed: list[pa.Array] = []
    sieve, unreadable = _Sieve(batch.source_rows), _none()
    for column in contract.columns:
        if column.name not in positions:
            typed.append(pa.nulls(len(batch.source_rows), arrow_type(column.type)))
            continue
        given = batch.column(positions[column.name])
        cells = values = given.text
        doubtful = batch.doubtful.get(positions[column.name])
        unread = sieve.set_aside(column.name, Rule(Kind.FILL_DOWN), doubtful, cells, _none(), _none())
        for rule, values, bad in readings(given, column, contract.format, day_zero):  # noqa: B007
            unread = sieve.set_aside(column.name, rule, bad, cells, unread, unread)
        known_bad = unread
        for rule, bad in _value_rules(values, column, period):
            known_bad = sieve.set_aside(column.name, rule, bad, cells, known_bad, unread)
        typed.append(values)
        if column.name in contract.key:
            unreadable = pc.or_(unreadable, known_bad)
    names = [*(column.name for column in contract.columns), SOURCE_ROW]
    rows = pa.table([*typed, batch.source_rows], names=names)
    unread = sieve.bad
    for row_rule, breaks in zip(contract.row_rules, _breaks(rows, contract), strict=True):
        sieve.set_aside("", Rule(Kind.ROW_RULE, row_rule.name), breaks, None, sieve.bad, unread)
    keys = rows.select([*contract.key, SOURCE_ROW])
    if sieve.bad is _none():
        return Checked(rows, sieve.invalid, keys.slice(0, 0), batch.source_rows.slice(0, 0))
    no_key = batch.source_rows.filter(pc.and_(sieve.bad, unreadable))
    kept, keys = rows.filter(pc.invert(sieve.bad)), keys.filter(pc.and_not(sieve.bad, unreadable))
    return Checked(kept, sieve.invalid, keys, no_key)


@cache
def _none() -> pa.BooleanScalar:
    """No row at all; combines with masks of any length. Not made on import: it would import pandas."""
    return pa.scalar(False)


class _Sieve:
    """Collects the invalid cells of a batch, and the mask of the rows that hold any."""

    def __init__(self, source_rows: pa.Int64Array) -> None:
        self.source_rows = source_rows
        self.bad = _none()
        self.invalid: list[Invalid] = []

    def set_aside(self, column: str, rule: Rule, bad: Any, cells: pa.Array | None, known: Any, unread: Any) -> Any:
        """Set aside the rows of the mask `bad` (None for no row) but those `known` before; returns both together.

        Of the rows known before, those are noted again that have a value to judge: all but the `unread` ones.
        """
        if bad is None:
            return known
        bad = pc.fill_null(bad, False)
        if not pc.any(bad).as_py():
            return known
        again = pc.and_not(pc.and_(bad, known), unread)
        for rows, is_first in ((pc.and_not(bad, known), True), (again, False)):
            if pc.any(rows).as_py():
                at = self.source_rows.filter(rows).to_pylist()
                values: list[str | None] = [None] * len(at) if cells is None else cells.filter(rows).to_pylist()
                self.invalid.append(Invalid(column, rule, at, values, is_first))
        self.bad = pc.or_(self.bad, bad)
        return pc.or_(known, bad)


_TEXT = Column(name="text", type=ColumnType(name="varchar", length=4000), description="What cleaning rules work on.")
_Reading = tuple[Rule, pa.Array, pa.BooleanArray | None]


def readings(cells: Cells, column: Column, fmt: Format, day_zero: date = DAY_ZERO) -> Iterator[_Reading]:
    """How the values of a column are read, in order: the rule, the values after it, and which cells break it."""
    text, kinds = tidy(cells.text), cells.kinds
    notation = column.notation(fmt)
    if notation.null_values:
        text = pc.if_else(pc.is_in(text, pa.array(notation.null_values)), pa.scalar(None, pa.string()), text)
    errors = pc.is_in(text, pa.array(_ERRORS))
    yield Rule(Kind.ERROR_CELL), text, errors if kinds is None else pc.or_(errors, cells.is_a(CellKind.ERROR))
    yield Rule(Kind.DIGITS), text, has_too_many_digits(Cells(text, kinds), column.type)

    if column.rules and kinds is not None:  # they clean texts
        of_cells = text
        text, kinds = values_of(Cells(text, kinds), _TEXT, fmt.notation), None
        yield Rule(Kind.TYPE, column.type), text, pc.and_(pc.is_valid(of_cells), pc.is_null(text))
    for rule in column.rules:
        text, unfit = _clean(text, rule)
        yield Rule(Kind.CLEAN, rule.name), text, unfit

    values = values_of(Cells(text, kinds), column, notation, day_zero)
    if values is not text:
        yield Rule(Kind.TYPE, column.type), values, pc.and_(pc.is_valid(text), pc.is_null(values))
    if column.required:
        yield Rule(Kind.REQUIRED), values, pc.is_null(text) if text.null_count else None


def _value_rules(values: pa.Array, column: Column, period: Period) -> Iterator[tuple[Rule, pa.BooleanArray]]:
    """The rules of the contract for typed values, and which values break them."""
    if column.type.name == "varchar":
        yield Rule(Kind.LENGTH, column.type.length), pc.greater(pc.utf8_length(values), column.type.length)
        yield Rule(Kind.NUL), pc.match_substring(values, "\0")
    if column.type.name == "double":
        yield Rule(Kind.FINITE), pc.invert(pc.is_finite(values))
    if column.allowed is not None:
        known = pc.is_in(values, pa.array(column.allowed))
        yield Rule(Kind.ALLOWED), pc.and_(pc.is_valid(values), pc.invert(known))
    if column.pattern is not None:
        yield Rule(Kind.PATTERN), pc.invert(pc.match_substring_regex(values, column.pattern))
    for kind, bound, breaks in ((Kind.MIN, column.min, pc.less), (Kind.MAX, column.max, pc.greater)):
        if bound is not None:
            yield Rule(kind, bound), breaks(values, pa.scalar(_bound(bound, values.type, period), values.type))


def _bound(bound: Scalar, declared: pa.DataType, period: Period) -> Any:
    """A bound as Arrow takes it; `period_end` stands for the last moment of the period."""
    if bound == "period_end":
        return period.end - timedelta(microseconds=1)
    return arrow_value(bound, declared)


def _clean(text: pa.StringArray, rule: Any) -> tuple[pa.StringArray, pa.BooleanArray | None]:
    import pandas as pd

    cleaned = rule.apply(pd.Series(text, dtype=pd.ArrowDtype(pa.string())))
    values = pa.array(cleaned.values, pa.string())
    unfit = None if cleaned.invalid is None else pa.array(cleaned.invalid, pa.bool_())
    return values, unfit


def _breaks(rows: pa.Table, contract: Contract) -> list[pa.BooleanArray]:
    """The rows for which each condition across columns is false (unknown is not false)."""
    if not contract.row_rules:
        return []
    asked = ", ".join(f"coalesce(not ({rule.check}), false)" for rule in contract.row_rules)
    with in_memory() as connection:
        connection.register("rows", rows)
        answer = connection.sql(f"select {asked} from rows").to_arrow_table()
    return [column.combine_chunks() for column in answer.columns]
