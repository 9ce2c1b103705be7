"""One column: its type and how its values are written, from all of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.answers import answers, is_mark, pair_of_answers
from loader.codegen.propose.common_words import ASKED_NULLS_OF_TEXTS, NULLS, NULLS_OF_TEXTS
from loader.codegen.propose.dates import MONTH_FIRST, DateReading, date_readings
from loader.codegen.propose.meanings import digits_of_codes, is_amount, is_code
from loader.codegen.propose.numbers import Reading, readings
from loader.contracts import Column, ColumnType, Notation
from loader.readers.table import CellKind, Cells
from loader.text import plural
from loader.validation.typed_cells import values_of

WIDTHS = (1, 2, 3, 5, 10, 20, 40, 60, 100, 200, 500, 1000, 2000, 4000)
_MOST_DISTINCT = 5_000
"""Texts of a column from which its notation is found out; all of its cells are tried with it."""
_FEW = 0.02
"""Share of the cells up to which they may be slips in a column of numbers or dates."""


@dataclass(frozen=True)
class Found:
    """What was found out of a column."""

    type: str
    why: str
    notation: Notation = field(default_factory=Notation)
    asks: tuple[str, ...] = ()
    serials: bool = False


class Sign(NamedTuple):
    """The sign before decimals in a file."""

    sign: str = ""
    """Empty when nothing tells it."""
    is_shown: bool = True
    """Whether a column shows it; else it is only likely."""


@dataclass(frozen=True)
class Looked:
    """A column at which was looked: what its texts can be, before the others of the file were asked."""

    header: str
    cells: Cells
    texts: pa.StringArray
    """The different texts, without words for nothing."""
    nulls: tuple[str, ...]
    """Words for nothing among them."""
    numbers: Sequence[Reading]
    dates: Sequence[DateReading]

    @property
    def count(self) -> int:
        """Filled cells."""
        return len(self.cells.text) - int(self.cells.text.null_count)


def look_at(header: str, cells: Cells) -> Looked:
    """What the texts of a column can be."""
    texts = cells.text
    if cells.kinds is not None:
        texts = texts.filter(pc.fill_null(cells.is_a(CellKind.TEXT), False))
    distinct = pc.unique(texts.drop_null())
    is_null = pc.is_in(distinct, pa.array(NULLS, pa.string()))
    rest = distinct.filter(pc.invert(is_null))
    head = rest.slice(0, _MOST_DISTINCT)
    others = cells.kinds is not None and len(texts) < len(cells.text)
    numbers, dates = readings(head), date_readings(head.to_pylist())
    is_typed = bool(numbers or dates or pair_of_answers(rest) or answers(rest) or (others and not len(rest)))
    nulls = distinct.filter(is_null).to_pylist() if is_typed else []
    if not is_typed:
        nulls = [word for word in distinct.to_pylist() if word in NULLS_OF_TEXTS]
    kept = distinct.filter(pc.invert(pc.is_in(distinct, pa.array(nulls, pa.string()))))
    return Looked(header, cells, kept, tuple(sorted(nulls)), numbers, dates)


def decide(column: Looked, decimal: Sign, month_first: bool | None) -> Found:
    """The type of a column, when the others of its file have that sign before decimals and that order of dates.

    `month_first` is None when they do not tell.
    """
    base = Notation(null_values=column.nulls)
    cells = _without(column.cells, column.nulls)
    if not cells.text.null_count < len(cells.text):
        ask = "no cell is filled; which type has it? A header in 'ignore' is not read"
        return Found("varchar(1)" if not column.nulls else "varchar(10)", "", base, (ask,))
    for attempt in (_boolean, _moment, _time, _number):
        found = attempt(column, cells, base, decimal, month_first)
        if found is not None:
            return found
    return _text(column, cells, base)


def _without(cells: Cells, words: Sequence[str]) -> Cells:
    if not words:
        return cells
    is_word = pc.is_in(cells.text, pa.array(words, pa.string()))
    return Cells(pc.if_else(is_word, pa.scalar(None, pa.string()), cells.text), cells.kinds)


def fits(cells: Cells, declared: str, notation: Notation) -> bool:
    """Whether every filled cell is a value of the type."""
    column = Column(name="sample", type=ColumnType.parse(declared), description="A column of the sample.")
    for part in (Cells(cells.text.slice(0, 1000), cells.kinds and cells.kinds.slice(0, 1000)), cells):
        if values_of(part, column, notation).null_count > part.text.null_count:
            return False
    return True


def _boolean(column: Looked, cells: Cells, base: Notation, *_: object) -> Found | None:
    if cells.kinds is not None and fits(cells, "boolean", base) and _all_are(cells, CellKind.BOOLEAN):
        return Found("boolean", f"{plural(column.count, 'boolean cell')}", base)
    if cells.kinds is not None and not _all_are(cells, CellKind.TEXT):
        return None
    words = pair_of_answers(column.texts)
    if words is None:
        return _mapped(column, base)
    true, false = words
    usual = Notation()
    if true not in usual.true_values or false not in usual.false_values:
        base = replace(base, true_values=(true,), false_values=(false,))
    return Found("boolean", f"its only texts are {true} and {false}", base)


def _mapped(column: Looked, base: Notation) -> Found | None:
    """Answers in several words, or a mark that stands where the answer is yes."""
    said = answers(column.texts)
    if said:
        notation = replace(base, map=tuple(said.items()))
        return Found("boolean", "its only texts are words for yes and no, in several ways", notation)
    if column.cells.text.null_count and is_mark(column.texts):
        notation = replace(base, map=tuple((text, True) for text in sorted(column.texts.to_pylist())))
        ask = "a mark or nothing: where no mark is, it is NULL, neither true nor false"
        return Found("boolean", f"its only text is a mark, in {plural(column.count, 'cell')}", notation, (ask,))
    return None


def _moment(column: Looked, cells: Cells, base: Notation, _: Sign, month_first: bool | None) -> Found | None:
    is_date_cells = cells.kinds is not None and _some_are(cells, CellKind.DATE)
    if not column.dates and not (is_date_cells and not len(column.texts)):
        return None
    if not column.dates:
        for declared in ("date", "timestamp"):
            if fits(cells, declared, base):
                return Found(declared, f"date cells{', all at midnight' if declared == 'date' else ''}", base)
        return None
    reading, asks = column.dates[0], []
    if len(column.dates) > 1:
        wanted = [one for one in column.dates if one.order.startswith(MONTH_FIRST) == month_first]
        if month_first is None or not wanted:
            orders = " or ".join(f"dates: {_listed(one.forms)}" for one in column.dates)
            found = _text(column, cells, base)
            ask = f"type: date, with {orders}: no day is above 12, and no other column tells; text until then"
            return replace(found, asks=(ask,))
        reading = wanted[0]
        asks.append(f"no day is above 12; the order, {reading.order}, is that of the other dates")
    notation = replace(base, dates=reading.forms or base.dates)
    declared = "timestamp" if reading.has_times or reading.has_offsets else "date"
    if not fits(cells, declared, notation):
        return None
    if reading.two_digits:
        asks.append("years of two digits: 69 to 99 are read as 1969 to 1999, 00 to 68 as 2000 to 2068")
    if reading.has_offsets:
        asks.append("times with an offset become UTC; 'zone' says another one")
    why = f"{reading.order or 'ISO 8601'}, in {plural(column.count, 'cell')}"
    return Found(declared, why + ("" if declared == "timestamp" else _midnight(reading)), notation, tuple(asks))


def _midnight(reading: DateReading) -> str:
    return ", all at midnight" if any("%H" in form or "%I" in form for form in reading.forms) else ""


def _time(column: Looked, cells: Cells, base: Notation, *_: object) -> Found | None:
    return Found("time", f"times of day in {plural(column.count, 'cell')}", base) if fits(cells, "time", base) else None


def _number(column: Looked, cells: Cells, base: Notation, decimal: Sign, _: bool | None) -> Found | None:
    if not column.numbers and len(column.texts):
        return None
    present = cells.text.drop_null()
    why_code = _why_code(column, present)
    if why_code:
        return replace(_text(column, cells, base), why=why_code)
    reading = column.numbers[0] if column.numbers else Reading(Notation(), present, 0)
    asks: list[str] = []
    if len(column.numbers) > 1:
        wanted = [one for one in column.numbers if decimal.sign and one.decimal in ("", decimal.sign)]
        if len(wanted) == 1 and not decimal.is_shown:
            asks.append(
                f"{_signs(wanted[0].notation)}, as a file with commas between its cells writes; no column shows it"
            )
        if len(wanted) != 1:
            signs = " or ".join(_signs(one.notation) for one in column.numbers)
            ask = f"a number with {signs}: each reads all cells, and no other column tells; text until then"
            return replace(_text(column, cells, base), asks=(ask,))
        reading = wanted[0]
    notation = replace(reading.notation, null_values=base.null_values)
    declared = _number_type(column.header, cells, notation)
    if declared is None:
        return None
    if pc.all(pc.is_in(present, pa.array(["0", "1"]))).as_py() and pc.count_distinct(present).as_py() == 2:
        asks.append("only 0 and 1: 'boolean' if they are no and yes")
    if _are_days(present):
        asks.append("all are days as YYYYMMDD: 'type: date' reads them, as ISO 8601")
    return Found(declared, _why_number(column, cells, notation, declared), notation, tuple(asks))


def _are_days(present: pa.StringArray) -> bool:
    days = pc.match_substring_regex(present, "^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$")
    return bool(pc.all(days).as_py()) and fits(Cells(present), "date", Notation())


def _why_code(column: Looked, present: pa.StringArray) -> str:
    """Why numbers are rather codes; empty when they are numbers."""
    if pc.any(pc.match_substring_regex(present, r"^[+-]?0[0-9]")).as_py():
        return "numbers with leading zeros are codes"
    is_whole = bool(pc.all(pc.match_substring_regex(present, r"^\+?[0-9][0-9 ]*$")).as_py())
    if is_whole and is_code(column.header, pc.max(pc.utf8_length(present)).as_py()):
        return "codes, as the header says; nobody computes with them"
    if is_whole and pc.any(pc.match_substring_regex(present, "^[0-9]{16}")).as_py():
        return "16 digits and more: codes, or numbers that spreadsheets cannot hold"
    if is_whole:
        kind = digits_of_codes(pc.unique(present).slice(0, 2000).to_pylist())
        return f"all have the check digit of {kind}" if kind else ""
    return ""


def _number_type(header: str, cells: Cells, notation: Notation) -> str | None:
    """The smallest type with room: ten times as large a number fits in."""
    if notation.percent:
        return next((one for one in ("decimal(18,6)", "double") if fits(cells, one, notation)), None)
    if is_amount(header) or notation.currency:
        whole: tuple[str, ...] = ()
    else:
        whole = ("integer", "bigint") if fits(cells, "decimal(8,0)", notation) else ("bigint",)
    return next(
        (one for one in (*whole, "decimal(18,2)", "decimal(18,6)", "double") if fits(cells, one, notation)), None
    )


def _why_number(column: Looked, cells: Cells, notation: Notation, declared: str) -> str:
    amount = declared == "decimal(18,2)" and is_amount(column.header) and fits(cells, "decimal(38,0)", notation)
    whole = f"{plural(column.count, 'number')}"
    if amount:
        return f"{whole}, all whole; an amount may have decimals"
    if declared == "double":
        return f"{whole}, some with more than six decimals; double rounds to about 15 digits"
    return f"{whole}{'' if declared in ('integer', 'bigint') else ', with decimals'}"


def _text(column: Looked, cells: Cells, base: Notation) -> Found:
    lengths = pc.utf8_length(cells.text.drop_null())
    longest, shortest = max(pc.max(lengths).as_py(), 1), pc.min(lengths).as_py()
    is_fixed = longest == shortest and longest <= 20 and len(lengths) > 1 and not _has_blanks(cells)
    width = longest if is_fixed else next((size for size in WIDTHS if size >= longest * 1.3), WIDTHS[-1])
    why = f"all of {plural(longest, 'character')}" if is_fixed else f"up to {plural(longest, 'character')}"
    asks = _slips(column, cells, base)
    if longest > WIDTHS[-1]:
        asks.append(f"a cell has {longest:,} characters; 4,000 is the most")
    words = [word for word in ASKED_NULLS_OF_TEXTS if pc.any(pc.equal(column.texts, word)).as_py()]
    if words:
        asks.append(f"null_values: {_listed(words)} if they stand for nothing here")
    return Found(f"varchar({min(width, WIDTHS[-1])})", why, base, tuple(asks))


def _has_blanks(cells: Cells) -> bool:
    return bool(pc.any(pc.match_substring(cells.text, " ")).as_py())


def _slips(column: Looked, cells: Cells, base: Notation) -> list[str]:
    """What is to be asked of a column of which nearly all cells are numbers or dates."""
    texts = column.texts
    if len(texts) < 20 or column.numbers or column.dates or cells.kinds is not None:
        return []
    for declared in ("decimal(38,10)", "timestamp"):
        of_sample = Column(name="sample", type=ColumnType.parse(declared), description="A column of the sample.")
        read = values_of(cells, of_sample, base)
        bad = read.null_count - cells.text.null_count
        if 0 < bad <= _FEW * column.count:
            what = "numbers" if declared.startswith("decimal") else "dates"
            return [f"all but {bad:,} of {column.count:,} cells are {what}; as such, these {bad:,} would be rejected"]
    return []


def _all_are(cells: Cells, kind: CellKind) -> bool:
    present = cells.is_a(kind)
    return bool(len(cells.text) - cells.text.null_count == (pc.sum(present).as_py() or 0))


def _some_are(cells: Cells, kind: CellKind) -> bool:
    return bool(pc.any(cells.is_a(kind)).as_py())


def _signs(notation: Notation) -> str:
    groups = f", thousands '{notation.thousands}'" if notation.thousands else ""
    return f"decimal '{notation.decimal}'{groups}"


def _listed(forms: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{form}'" for form in forms) + "]"
