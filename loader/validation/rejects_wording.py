"""Why a cell or a row was rejected, in plain words for a sender who has never heard of Almanac.

The words are built from the rule that is broken and from what the contract says of the column; they never quote the
cell itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from loader.contracts import Column, Contract, Notation, Period
from loader.text import listed, plural
from loader.validation.rules import Kind, Rule

_SAMPLE = datetime(2024, 12, 31, 14, 30)
_MOST_VALUES = 30
_MOST_ROWS = 5

_CLEANING = {
    "email": "must be one e-mail address, such as name@example.org",
    "phone": "must be a phone number that can be dialled, from {region} or with its country code",
    "postal_code": "must be a postal code as it is written in {country}",
}
"""Of the cleaning rules that may reject a value."""


def of_cell(rule: Rule, column: Column, contract: Contract, period: Period) -> str:
    """Why a cell of `column` was rejected."""
    notation = column.notation(contract.format)
    match rule.kind:
        case Kind.TYPE:
            reason = f"must be {_typed(column, notation)}"
        case Kind.ALLOWED:
            reason = f"must be one of {listed(column.allowed or (), _MOST_VALUES)}"
        case Kind.LENGTH:
            reason = f"must not be longer than {column.type.length} characters"
        case Kind.PATTERN:
            reason = f"does not have the agreed form: {column.description.rstrip('.')} (pattern {column.pattern})"
        case Kind.MIN:
            reason = _beyond(column.min, "before", "less", notation, period)
        case Kind.MAX:
            reason = _beyond(column.max, "after", "more", notation, period)
        case Kind.CLEAN:
            reason = _uncleaned(rule, column)
        case kind:
            reason = _PLAIN[kind]
    return reason


_PLAIN = {
    Kind.REQUIRED: "must not be empty",
    Kind.FILL_DOWN: "is empty, and in the rows above it nobody can tell the value that it stands for",
    Kind.DIGITS: "is a number of which the workbook has lost digits (it keeps 15): write it as text",
    Kind.ERROR_CELL: "is an error of the spreadsheet program, not a value",
    Kind.NUL: "holds an invisible character (NUL), which must go",
    Kind.FINITE: "is too large for a number",
}


def of_row(rule: Rule, contract: Contract) -> str:
    """Why a row was rejected whose cells do not go together."""
    description = next(row_rule.description for row_rule in contract.row_rules if row_rule.name == rule.detail)
    return f"the cells of this row contradict each other: {description}"


def of_length(expected: int, found: int | None) -> str:
    """Why a row was rejected that has not as many cells as the header; `found` is None where many are spoken of."""
    has = f"this row has {plural(found, 'cell')}" if found else "the row has more or fewer cells"
    return (
        f"{has}, the header has {expected}; usually a separator is missing, or stands inside a text that is not "
        "in quotes"
    )


def of_quotes(rule: Rule) -> str:
    """Why a row was rejected whose cells nobody can tell apart."""
    if rule.kind is Kind.DELIMITER:
        return (
            "a quote stands within a cell: either it belongs to the text, or a separator before it is missing; put the "
            "cell in quotes, and write a quote within it twice"
        )
    return "the quotes of this row do not match; within quotes, a quote is written twice"


def of_key(headers: Sequence[str], rows: Sequence[int] = ()) -> str:
    """Why rows that share a key were rejected; `rows` are all that have it, none when that is not to be told."""
    what = "this value" if len(headers) == 1 else f"this combination of {' and '.join(headers)}"
    shown = f" (in rows {listed(rows, _MOST_ROWS)})" if rows else ""
    return f"{what} is used {'twice' if len(rows) == 2 else 'more than once'} in the file{shown}; it may be there once"


def of_duplicate(headers: Sequence[str], rows: Sequence[int] = ()) -> str:
    """Why a row was dropped; `rows` is the one that was taken, none when that is not to be told."""
    what = "this value" if len(headers) == 1 else f"this combination of {' and '.join(headers)}"
    taken = f"row {rows[0]}, which was taken" if rows else "another row, which was taken"
    return f"{what} is used in {taken}; this row was left out"


def _typed(column: Column, notation: Notation) -> str:
    """What a column's type asks for, with an example in the sender's own notation."""
    declared = column.type
    if notation.percent:
        return f"a percentage, such as 15{notation.decimal}5 %"
    if declared.name == "decimal":
        return _decimal(declared.precision or 0, declared.scale or 0, notation.decimal)
    if declared.name in ("date", "timestamp"):
        forms = " or ".join(dict.fromkeys(_SAMPLE.strftime(form) for form in notation.dates))
        once = f"; with an offset, in an hour that occurs once in {notation.zone}" if notation.zone != "UTC" else ""
        return f"a date that exists, written like {forms}{once}"
    if notation.true_values != Notation.true_values or notation.false_values != Notation.false_values:
        return f"one of {listed([*notation.true_values, *notation.false_values])}"
    return {
        "varchar": "a text; for times and durations, choose the format Text and write them again",
        "time": "a time of day, written like 14:30 or 14:30:00",
        "integer": "a whole number",
        "bigint": "a whole number",
        "double": f"a number, such as 1{notation.decimal}5",
        "boolean": "yes or no (true or false, 1 or 0)",
    }[declared.name]


def _decimal(precision: int, scale: int, point: str) -> str:
    before = precision - scale
    if not scale:
        return f"a whole number of at most {plural(before, 'digit')}"
    example = f"{'1' * min(before, 4) or '0'}{point}{'5' * scale}"
    return f"a number with at most {plural(before, 'digit')} before and {scale} after the '{point}', such as {example}"


def _beyond(bound: Any, in_time: str, in_number: str, notation: Notation, period: Period) -> str:
    if bound == "period_end":
        last = period.end - timedelta(microseconds=1)
        return f"must not be after {_day(last, notation)}, the end of the period {period}"
    if isinstance(bound, date):
        return f"must not be {in_time} {_day(bound, notation)}"
    return f"must not be {in_number} than {bound}"


def _day(moment: date, notation: Notation) -> str:
    return moment.strftime(notation.dates[0])


def _uncleaned(rule: Rule, column: Column) -> str:
    cleaning = next(cleaning for cleaning in column.rules if cleaning.name == rule.detail)
    return _CLEANING[cleaning.name].format(**cleaning.options)
