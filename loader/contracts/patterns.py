"""What is known of a regular expression before any text is there."""

from __future__ import annotations

import re

from loader.contracts.sql import answer_to


def can_fit(pattern: str, length: int) -> bool:
    """Whether the pattern can be found in a text of at most `length` characters; when in doubt it can.

    >>> can_fit("^[0-9]{9}$", 4)
    False
    """
    if "[:" in pattern:  # a class such as [[:alpha:]] is one of RE2 alone
        return True
    shortest, _ = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined] # noqa: SLF001 - nothing public tells
    return bool(shortest <= length)


def unmatched(pattern: str, text: str) -> bool:
    """Whether RE2, which will judge the cells, does not find the pattern in a text."""
    return answer_to("select not regexp_matches(?, ?)", text, pattern) is True
