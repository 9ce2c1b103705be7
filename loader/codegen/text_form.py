"""How a text file is written, found out from how it begins: its encoding, what stands between and around cells.

What is found is proposed to a person, beside what shows it and what comes close; no file is loaded by it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loader.codegen.text_splits import COMMENT, COMMON, Sample, Split
from loader.contracts import CsvFormat
from loader.readers.quotes import named_delimiter
from loader.readers.text_encoding import encoding_of
from loader.text import plural

_ENCODED = 1 << 20
"""Bytes that are looked at for the encoding."""
_SPLIT = 1 << 16
"""Characters that are split."""
_LEAST = 0.2
"""The score below which a split is no table."""
_HARDLY = 0.3
"""The score below which a split is told to be doubtful."""
_CLOSE = 0.7
"""Of the best score, what another split has when it could be the right one."""
_NAMED = "the first line names it to Excel"
_FORMULA = re.compile('="[^"]*"')
_NAMES = {"\t": "a tab", " ": "a blank"}
_Words = dict[str, tuple[Any, str]]
"""Words of the contract, each with its value and what shows it."""


@dataclass(frozen=True)
class TextForm:
    """How a text file is written, in words of a contract."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    trailing_delimiter: bool = False
    text_formulas: bool = False
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What shows it, by word of the contract; of cells it says how many, never what they hold."""
    rivals: Mapping[str, str] = field(default_factory=dict)
    """What the file could be as well, by word of the contract; empty when nothing comes close."""

    def format(self) -> CsvFormat:
        """The format of a contract that reads such a file."""
        return CsvFormat(
            type="csv",
            encoding=self.encoding,
            delimiter=self.delimiter,
            quote=self.quote,
            escape=self.escape,
            comment=self.comment,
            trailing_delimiter=self.trailing_delimiter,
            text_formulas=self.text_formulas,
        )


def text_form(source: Path | bytes) -> TextForm:
    """How a text file is written, or a text that begins with these bytes.

    Raises:
        RefusedError: it is no text file, or damaged.
    """
    if isinstance(source, Path):
        from loader.readers.csv_file import first_bytes

        source = first_bytes(source, _ENCODED)
    encoding = encoding_of(source, is_whole=len(source) < _ENCODED)
    evidence, rivals = {"encoding": encoding.evidence}, {"encoding": encoding.rivals}
    text = codecs.getincrementaldecoder(encoding.name)("replace").decode(source[: 5 * _SPLIT]).removeprefix("\ufeff")
    first, line_break, below = re.split("(\r\n|\r|\n|\\Z)", text, maxsplit=1)
    named = named_delimiter(first) if line_break else None
    sample = Sample(_whole_lines(below if named else text))
    splits = [*sample.splits([named] if named else [])]
    best = max(splits, key=lambda split: split.score, default=None)
    if best is None or (best.score < _LEAST and not named):
        evidence["delimiter"] = _NAMED if named else "nothing splits its rows into cells"
        rivals["delimiter"] = "" if named else _doubts(sample)
        return TextForm(encoding.name, named or ",", evidence=evidence, rivals=_said(rivals))
    evidence["delimiter"] = _NAMED if named else _gives(best)
    rivals["delimiter"] = _doubts(sample) if best.score < _HARDLY and not named else _close_to(best, splits)
    comment, rivals["comment"] = _comment(best, sample)
    words = _quoted(best, sample) | comment | _marks(best)
    return TextForm(
        encoding.name,
        best.delimiter,
        evidence=evidence | {word: shown for word, (_, shown) in words.items()},
        rivals=_said(rivals | _blanks(best, sample)),
        **{word: value for word, (value, _) in words.items()},
    )


def _said(rivals: Mapping[str, str]) -> dict[str, str]:
    return {word: text for word, text in rivals.items() if text}


def _whole_lines(text: str) -> str:
    """The lines that are split, the last one whole."""
    start = text[:_SPLIT]
    if len(text) > len(start):
        start = start[: max(start.rfind("\n"), start.rfind("\r")) + 1] or start
    return start


def _gives(split: Split) -> str:
    return f"splits {len(split.fitting):,} of {plural(len(split.rows), 'row')} into {plural(split.width, 'cell')}"


def _quoted(split: Split, sample: Sample) -> _Words:
    """Quote and escape."""
    quotes = sample.quotes(split.delimiter, split.quote, split.escape)
    if not quotes.total:
        return {}
    quote = split.quote
    if not quote and sample.rows(split.delimiter, '"', "") == split.rows:
        quote = '"'  # within unquoted cells it is a letter
    words: _Words = {
        "quote": (quote, f"{quotes.beside:,} of {plural(quotes.total, 'quote')} stand at the border of a cell")
    }
    if split.escape:
        times = sample.text.count(split.escape + split.quote)
        words["escape"] = split.escape, f"stands {times:,} times before a quote"
    return words


def _comment(split: Split, sample: Sample) -> tuple[_Words, str]:
    """The comment, and what else its lines could be."""
    if not sample.has_comments:
        return {}, ""
    rows = sample.rows(split.delimiter, split.quote, split.escape, comments=True)
    beginning = [row for row in rows if row[0].startswith(COMMENT)]
    alike = sum(len(row) == split.width for row in beginning)
    if not beginning or (len(beginning) == alike == 1 and beginning[0] is rows[0]):  # a header, such as `#id;name`
        return {}, ""
    rival = f"{alike:,} of {plural(len(beginning), 'row')} with {COMMENT} in front have as many cells as others"
    if alike > len(beginning) / 2:
        return {}, rival
    return {"comment": (COMMENT, f"{plural(len(beginning), 'row')} begin with it")}, rival if alike else ""


def _marks(split: Split) -> _Words:
    """Whether rows end with a delimiter, and cells are formulas of texts."""
    words: _Words = {}
    *_, before, last = zip(*split.fitting, strict=True)
    first = len(split.rows[0])
    if any(map(str.strip, before)) and not any(map(str.strip, last)) and first in (split.width, split.width - 1):
        words["trailing_delimiter"] = True, f"each of {plural(len(split.fitting), 'row')} ends with one"
    formulas = sum(bool(_FORMULA.fullmatch(cell)) for row in split.rows for cell in row)
    if formulas:
        words["text_formulas"] = True, f'{plural(formulas, "cell")} are written as ="…"'
    return words


def _doubts(sample: Sample) -> str:
    if all(len(row) < 2 for sign in COMMON if sign in sample.text for row in sample.rows(sign, '"', "")):
        return ""
    return "nothing gives rows of one width with cells that look like cells; see whether it is a table"


def _close_to(best: Split, splits: Sequence[Split]) -> str:
    """The other delimiters that come close."""
    found: dict[str, Split] = {}
    for split in sorted(splits, key=lambda split: -split.score):
        if split.score >= _CLOSE * best.score and split.delimiter != best.delimiter:
            found.setdefault(split.delimiter, split)
    return "; ".join(f"{_name(sign)} {_gives(split)}" for sign, split in found.items())


def _blanks(split: Split, sample: Sample) -> dict[str, str]:
    """What blanks are in the way of a reader, by word."""
    before_quotes = len(re.findall(f"{re.escape(split.delimiter)} +{split.quote}", sample.text)) if split.quote else 0
    if split.delimiter != " " and before_quotes > sample.quotes(split.delimiter, split.quote).total / 4:
        return {"quote": f"a blank stands before {before_quotes:,} of them, which no reader takes for quotes then"}
    if split.delimiter == " " and re.search(r"\S {2,}\S", sample.text):
        return {"delimiter": "cells stand below each other with several blanks between, which no contract can say"}
    return {}


def _name(delimiter: str) -> str:
    return _NAMES.get(delimiter, f"'{delimiter}'" if delimiter.isprintable() else f"U+{ord(delimiter[0]):04X}")
