"""The core suites of Great Expectations: what every history has to keep, whatever it is about."""

from __future__ import annotations

from loader.codegen.expectations import Expectation, derived_suite, has_columns, is_filled, no_rows
from loader.contracts import Contract, Grain

_VERSION = ["dbt_scd_id", "dbt_valid_from", "dbt_valid_to"]
_START = {Grain.YEAR: "01-01 00:00:00", Grain.MONTH: "01 00:00:00", Grain.DAY: "00:00:00"}
"""How the text of a timestamp ends where a period starts. A quarter has four ways, a week, a fiscal period and a
window any."""


def core_suite(contract: Contract) -> str:
    """The suite of the dataset's history. It has no check of values: write those beside it, in a folder of the subject.

    A query shows no personal column.
    """
    key = list(contract.key)
    named = [name for name in key if not contract.column(name).personal]
    shown = ", ".join([*named, "dbt_valid_from", "dbt_valid_to"])
    by_key = ", ".join(key)
    expectations = [
        has_columns("has the columns of a history", [*key, *contract.tracked, *_VERSION]),
        *(is_filled(name) for name in (*key, "dbt_scd_id", "dbt_valid_from")),
        no_rows(
            "dbt_scd_id identifies a version",
            "select dbt_scd_id, count(*) as _copies",
            "from {batch}",
            "group by dbt_scd_id",
            "having count(*) > 1",
        ),
        no_rows(
            "a key has at most one current version",
            f"select {', '.join([*named, 'count(*) as _current_versions'])}",
            "from {batch}",
            "where dbt_valid_to is null",
            f"group by {by_key}",
            "having count(*) > 1",
        ),
        no_rows(
            "a version ends after it begins",
            f"select {shown}",
            "from {batch}",
            "where dbt_valid_to <= dbt_valid_from",
        ),
        no_rows(
            "versions of a key do not overlap",
            f"select {shown}, _next_valid_from",
            "from (",
            f"  select {shown},",
            "    lead(dbt_valid_from) over (",
            f"      partition by {by_key} order by dbt_valid_from, dbt_scd_id",
            "    ) as _next_valid_from",
            "  from {batch}",
            ") as versions",
            "where _next_valid_from is not null and (dbt_valid_to is null or _next_valid_from < dbt_valid_to)",
        ),
        *_start_with_periods(contract.grain, shown),
    ]
    return derived_suite(f"core.{contract.name}", expectations)


def _start_with_periods(grain: Grain, shown: str) -> list[Expectation]:
    if grain not in _START:
        return []
    start = _START[grain]
    first, escaped = len("2025-01-01 00:00:00") - len(start) + 1, start.replace(":", r"\:")
    ends = (f"substring(cast({name} as varchar(30)), {first}, {len(start)})" for name in _VERSION[1:])
    where = [f"{word} {end} <> '{escaped}'" for word, end in zip(("where", "  or"), ends, strict=True)]
    return [no_rows(f"versions begin and end where a {grain} begins", f"select {shown}", "from {batch}", *where)]
