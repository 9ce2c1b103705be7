"""How much a piece of text looks like one cell of a table.

Under the right delimiter most cells are of a known kind (a number, a date, an address, some words, nothing), under a
wrong one they are pieces of cells, or heaps of them: so van den Burg et al., "Wrangling messy CSV files by detecting
row and type patterns", Data Mining and Knowledge Discovery 33, 2019.
"""

from __future__ import annotations

import re

_MONEY = "$€£¥"
_NUMBER = (
    rf"[-+(]?\s?(?:[{_MONEY}]\s?)?"
    r"(?:\d{1,3}(?:[ '\u2019\u00a0.]\d{3})+|\d{1,3}(?:,\d{3})+|\d*)(?:[.,]?\d+|\d[.,])(?:[eE][-+]?\d+)?"
    rf"\s?(?:[%){_MONEY}]|-)?"
)
_DAY = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\.?|\d{1,2}[-. ]?[A-Za-z]{3,9}[-. ,]{0,2}\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|[-+]\d{2}:?\d{2}))?"
_ADDRESS = r"[a-z][a-z0-9+.-]*://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[\w.-]*(?:/[\w.%~-]+)+/?|[A-Z]:\\[^,;|]*"
_NUMBERED = r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_WORDS = r"(?=.{1,60}\Z)(?!.*  )[^\W_][\w .&'\u2019()/+-]*|[-?.*]|\\N"
_CELL = re.compile(f"{_NUMBER}|(?:{_DAY})(?:[T ](?:{_TIME}))?|{_TIME}|{_ADDRESS}|{_NUMBERED}|{_WORDS}")
_SEVERAL = re.compile(r"[\t|]|[;,:=](?!\s)")
"""Signs between cells; after some of them stands a blank when they are of a sentence."""
_MOST = 200
"""Characters of a cell of a known kind; a longer one is prose."""


def likeness(text: str) -> float:
    """How much a text looks like one cell, from 0 to 1.

    >>> likeness("1.234,50"), likeness("2025-01-31 10:15"), likeness("Ann Miller"), likeness("")
    (1.0, 1.0, 1.0, 1.0)
    >>> likeness("'Miller'"), likeness("7;8"), likeness("Sold, not delivered; see the list.")
    (0.0, 0.3, 0.6)
    """
    text = text.strip()
    if not text or (len(text) <= _MOST and _CELL.fullmatch(text)):
        return 1.0
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return 0.0
    return 0.3 if _SEVERAL.search(text) else 0.6
