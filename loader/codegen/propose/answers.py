"""Columns of few texts: answers, which are booleans, and sets of which nobody knows whether they are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from loader.codegen.propose.common_words import MARKS, NO, YES, YES_AND_NO

if TYPE_CHECKING:
    from loader.codegen.propose.columns import Found, Looked

_MOST_ANSWERS = 8
_MOST_IN_SET, _TIMES = 12, 8
"""A set of at most so many texts may be closed, when each stands so often at an average."""
_FEWEST_CELLS = 50


def pair_of_answers(texts: pa.StringArray) -> tuple[str, str] | None:
    """The words for true and false that a column consists of; both have to be there."""
    if len(texts) > 4:
        return None
    found = {text.casefold() for text in texts.to_pylist()}
    return next((pair for pair in YES_AND_NO if found == set(pair)), None)


def answers(texts: pa.StringArray) -> dict[str, bool]:
    """What each text of a column means that consists of words for yes and no; empty when it does not.

    Both have to be there, and more than 0 and 1.
    """
    if len(texts) > _MOST_ANSWERS:
        return {}
    found = {text: _meaning(text.casefold()) for text in sorted(texts.to_pylist())}
    said = {text: meaning for text, meaning in found.items() if meaning is not None}
    is_more = any(not text.isdigit() for text in said)
    return said if said.keys() == found.keys() and len({*said.values()}) == 2 and is_more else {}


def _meaning(text: str) -> bool | None:
    return True if text in YES else False if text in NO else None


def is_mark(texts: pa.StringArray) -> bool:
    """Whether the texts of a column are but one mark, in capitals or not."""
    found = {text.casefold() for text in texts.to_pylist()}
    return len(found) == 1 and found <= MARKS


def closed_set(looked: Looked, found: Found) -> list[str]:
    """What is to be asked of a column of few different texts; none are shown."""
    distinct = len(looked.texts)
    if not found.type.startswith("varchar") or not 1 < distinct <= _MOST_IN_SET or looked.dates or looked.numbers:
        return []
    if looked.count < max(_FEWEST_CELLS, _TIMES * distinct):
        return []
    return [f"{distinct} different texts in {looked.count:,} cells; 'allowed' lists them if no other may come"]
