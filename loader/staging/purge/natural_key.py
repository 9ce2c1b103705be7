"""The natural key of one row, as somebody names it; finds the rows that have it, wherever they are.

A key is looked for as today's contract reads it, and as it was written: older files were read by older rules.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, and_, cast, column

from loader.contracts import Column, Contract
from loader.errors import UsageError
from loader.readers.table import DAY_ZERO, Cells
from loader.validation.checks import readings
from loader.validation.texts import tidy
from loader.warehouse import Engine
from loader.warehouse.engines.types import words


@dataclass(frozen=True)
class NaturalKey:
    """The values of the key columns; they are shown nowhere."""

    contract: Contract
    texts: tuple[frozenset[str], ...]
    """Of each part the texts that stand for it."""

    @classmethod
    def parse(cls, contract: Contract, text: str, engine: Engine) -> NaturalKey:
        """A key with its parts separated by commas; a part that holds one is put in double quotes.

        `engine` has the tables in which it is looked for.

        Raises:
            UsageError: it has not as many parts as the key, or a part is no value of its column. Shows no value.
        """
        parts = [text] if len(contract.key) == 1 else next(csv.reader([text], skipinitialspace=True), [])
        if len(parts) != len(contract.key):
            raise UsageError(
                f"--key: the key of {contract.name} has {len(contract.key)} parts ({', '.join(contract.key)}); "
                "name each, separated by commas"
            )
        columns = [contract.column(name) for name in contract.key]
        return cls(
            contract, tuple(_texts(part, one, contract, engine) for part, one in zip(parts, columns, strict=True))
        )

    def __repr__(self) -> str:
        return f"NaturalKey({self.contract.name})"

    def rows_of(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        """Which rows have the key; the columns are typed, in whatever way."""
        found: Any = None
        for name, texts in zip(self.contract.key, self.texts, strict=True):
            same = pc.is_in(_as_text(columns[name]), pa.array(sorted(texts)))
            found = same if found is None else pc.and_(found, same)
        return found

    def may_be_in(self, cells: Sequence[str]) -> bool:
        """Whether a row in which nobody knows the columns has every part in some cell, or in its one line."""
        if len(cells) == 1:
            return all(any(text in cells[0] for text in texts) for texts in self.texts)
        tidied = {cell.strip() for cell in cells}
        return all(texts & tidied for texts in self.texts)

    def condition(self) -> ColumnElement[bool]:
        """The same in SQL, for a table that has the key columns."""
        parts = zip(self.contract.key, self.texts, strict=True)
        return and_(*(cast(column(name), words()).in_(sorted(texts)) for name, texts in parts))


def key_cells(cells: Mapping[str, Cells], contract: Contract, day_zero: date = DAY_ZERO) -> dict[str, pa.Array]:
    """The key columns of delivered rows, as today's contract reads them; null where a cell cannot be read."""
    return {name: _read(cells[name], contract.column(name), contract, day_zero) for name in contract.key}


def _read(cells: Cells, declared: Column, contract: Contract, day_zero: date) -> pa.Array:
    values, unread = cells.text, pa.scalar(False)
    for _, values, bad in readings(cells, declared, contract.format, day_zero):  # noqa: B007
        unread = unread if bad is None else pc.or_(unread, pc.fill_null(bad, False))
    return pc.if_else(unread, pa.scalar(None, values.type), values)


def _texts(part: str, declared: Column, contract: Contract, engine: Engine) -> frozenset[str]:
    cells = pa.array([part], pa.string())
    value = _read(Cells(cells), declared, contract, DAY_ZERO)
    if value.null_count:
        raise UsageError(f"--key: the part for {declared.name} is not a valid {declared.type} as the contract reads it")
    one = value[0].as_py()
    forms = [*_as_text(value).to_pylist(), str(one), *engine.other_texts(one), *tidy(cells).to_pylist()]
    return frozenset(filter(None, forms))


def _as_text(values: pa.Array) -> pa.StringArray:
    """Values as engines cast them to text."""
    if not pa.types.is_timestamp(values.type):
        return pc.cast(values, pa.string())
    text = pc.strftime(values, "%Y-%m-%d %H:%M:%S")
    return pc.replace_substring_regex(text, r"\.?0*$", "")
