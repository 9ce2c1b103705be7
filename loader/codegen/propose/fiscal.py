"""A fiscal year that names of files tell of, but not where it begins."""

from __future__ import annotations

from collections.abc import Sequence

from loader.codegen.propose.evidence import Word


def fiscal_year(periods: Sequence[str]) -> Word:
    """The calendar of files of these periods, of which nearly all is to be decided."""
    if any(period.endswith("-P13") for period in periods):
        return Word(
            "fiscal_year",
            below=[
                Word("periods", "13x4", "a file is of period 13", "13 times 4 weeks?"),
                Word("first_month", "1", ask="with which month does the year begin?"),
                Word("ends_on", "saturday", ask="on which day of the week does the year end?"),
                Word("end_is", "last", ask="on the last such day of its last month, or on the one nearest to its end?"),
            ],
        )
    return Word(
        "fiscal_year",
        below=[
            Word("periods", "months", ask="months, or weeks: 4-4-5, 4-5-4, 5-4-4, 13x4?"),
            Word(
                "first_month",
                "1",
                ask="with which month does the year begin? From another than January on, 'named_by' says which "
                "calendar year names it",
            ),
        ],
    )
