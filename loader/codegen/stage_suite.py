"""The stage suites of Great Expectations."""

from __future__ import annotations

from datetime import date
from typing import Any

from loader.codegen.expectations import Expectation, derived_suite, has_columns, is_filled, native, no_rows
from loader.contracts import LINEAGE, Column, Contract, Grain
from loader.text import sql_text, unbound


def stage_suite(contract: Contract) -> str:
    """The suite of Great Expectations for the dataset, the same for the stage table and for one delivery's parquet.

    Column rules that Great Expectations computes in one scan are its own expectations; the others are queries
    for the rows that break them. A query shows no personal column.
    """
    expectations = [
        has_columns("has every column of the contract", [*(column.name for column in contract.columns), *LINEAGE]),
        *(found for column in contract.columns for found in _column_expectations(contract, column)),
        _unique_key(contract),
        *(
            no_rows(f"{rule.name}: {rule.description}", _select(contract, f"not ({_as_it_is(rule.check)})"))
            for rule in contract.row_rules
        ),
    ]
    return derived_suite(f"stage.{contract.name}", expectations)


def _column_expectations(contract: Contract, column: Column) -> list[Expectation]:
    name = column.name
    found: list[Expectation] = []
    if column.required and column.exists_where:
        bounds = (("since", column.since), ("until", column.until))
        when = " ".join(f"{word} {period}" for word, period in bounds if period is not None)
        where = f"{name} is null and {column.exists_where}"
        found.append(no_rows(f"{name} is filled {when}", _select(contract, where)))
    elif column.required:
        found.append(is_filled(name))
    if column.allowed is not None:
        kwargs = {"column": name, "value_set": list(column.allowed)}
        check = f"{name} is one of {', '.join(column.allowed)}"
        found.append(native("expect_column_values_to_be_in_set", check, kwargs))
    low, high = (_bound(column.min), _bound(column.max))
    limits = {word: bound for word, bound in (("min_value", low), ("max_value", high)) if bound is not None}
    if limits:
        words = {"min_value": "at least", "max_value": "at most"}
        check = f"{name} is {' and '.join(f'{words[word]} {bound}' for word, bound in limits.items())}"
        found.append(native("expect_column_values_to_be_between", check, {"column": name, **limits}))
    if column.max == "period_end" and contract.grain in _PERIOD_OF_DAY:
        where = f"{_period_of(contract.grain, name)} > {_last_of(contract.grain)}"
        found.append(no_rows(f"{name} is not after its period", _select(contract, where, name)))
    if column.pattern is not None:
        where = f"not regexp_like({name}, {_as_it_is(sql_text(column.pattern))})"
        found.append(no_rows(f"{name} matches {column.pattern}", _select(contract, where, name)))
    return found


def _bound(bound: Any) -> Any:
    if bound == "period_end":
        return None
    if isinstance(bound, date):
        return bound.isoformat()
    return bound if isinstance(bound, str | int | float | None) else float(bound)


_PERIOD_OF_DAY = {Grain.YEAR: 4, Grain.QUARTER: 7, Grain.MONTH: 7, Grain.DAY: 10}
"""Leading characters of an ISO date to compare with a period's name. The end of a week, of a fiscal period and of a
window is no prefix of a date; there the loader's own check of the delivery has to do."""


def _period_of(grain: Grain, column: str) -> str:
    return f"substring(cast({column} as varchar(30)), 1, {_PERIOD_OF_DAY[grain]})"


def _last_of(grain: Grain) -> str:
    if grain is Grain.QUARTER:
        months = (
            "case substring(_data_period, 7, 1) when '1' then '03' when '2' then '06' when '3' then '09' else '12' end"
        )
        return f"concat(substring(_data_period, 1, 5), {months})"
    return "_data_period"


def _unique_key(contract: Contract) -> Expectation:
    key = ", ".join(["_data_period", *contract.key])
    query = f"select {key}, count(*) as _copies from {{batch}} group by {key} having count(*) > 1"
    return no_rows(f"{' + '.join(contract.key)} is unique in its period", query)


def _select(contract: Contract, where: str, *columns: str) -> str:
    """A query for bad rows that shows the period, the key, the columns in question and the row in the file."""
    shown = [name for name in dict.fromkeys([*contract.key, *columns]) if not contract.column(name).personal]
    return f"select {', '.join(['_data_period', *shown, '_source_row'])} from {{batch}} where {where}"


def _as_it_is(sql: str) -> str:
    """SQL that Great Expectations passes on as it is: it fills in {names}, and SQLAlchemy binds :names."""
    return unbound(sql.replace("{", "{{").replace("}", "}}"))
