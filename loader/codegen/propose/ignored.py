"""Headers that a program wrote and that hold nothing of the sender's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.common_words import OF_PROGRAMS
from loader.codegen.propose.evidence import Word
from loader.codegen.propose.family import FamilyColumn
from loader.codegen.propose.writing import listed_text
from loader.contracts.acceptance import literal


def without_ignored(columns: Sequence[FamilyColumn]) -> tuple[list[FamilyColumn], list[Word]]:
    """The columns of the dataset, and the word that names the headers of the others."""
    empty = [one for one in columns if _is_of_program(one) and not one.filled]
    index = [one for one in columns if _is_of_program(one) and _counts_rows(one)]
    left = [one for one in columns if one not in empty and one not in index]
    if not left or not (empty or index):
        return [*columns], []
    said = [
        *(["no cell is filled below headers that a program wrote"] if empty else []),
        *(["a program wrote the number of each row"] if index else []),
    ]
    ask = "what is named here is never read; may later files have values there?"
    headers = [literal(one.header) for one in (*empty, *index)]
    return left, [Word("ignore", listed_text(headers), "; ".join(said), ask)]


def _is_of_program(column: FamilyColumn) -> bool:
    return OF_PROGRAMS.fullmatch(column.header) is not None


def _counts_rows(column: FamilyColumn) -> bool:
    """Whether it numbers the rows of each file from 0 or 1."""
    parts = [part.text for part in column.parts if part is not None]
    return any(all(len(text) > 1 and text.equals(_count(first, len(text))) for text in parts) for first in (0, 1))


def _count(first: int, length: int) -> pa.StringArray:
    return pc.cast(pa.array(np.arange(first, first + length)), pa.string())
