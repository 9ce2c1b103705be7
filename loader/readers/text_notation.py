"""A sender's notation of text files, brought to the one that Arrow and Python read.

Arrow knows one ASCII character between cells, and quotes that stand twice within quotes. Whatever else a sender writes
is replaced by a control character before the text is split, and put back in the cells afterwards; a file that holds
such a control character itself is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from loader.contracts import CsvFormat
from loader.errors import RefusedError

_DELIMITER = "\x1f"
"""Stands for a delimiter that Arrow does not know."""
_ESCAPED = "\x1e", "\x1d", "\x1c"
"""Stand for a quote, a delimiter and an escape behind an escape."""
_TEXT_FORMULA = '^="((?:[^"]|"")*)"$'


@dataclass(frozen=True)
class TextNotation:
    """What Arrow and Python are told of a file, and what stands for what."""

    name: str
    """Of the file."""
    delimiter: str
    """One ASCII character."""
    quote: str
    """One ASCII character, or nothing."""
    signs: dict[str, str]
    """What each control character stands for."""
    tokens: dict[bytes, bytes]
    """What the sender writes, and the control character that stands for it."""
    comment: str
    """How lines begin that are no rows; empty when there are none."""
    text_formulas: bool
    """Whether `="1"` is the text 1."""

    @classmethod
    def of(cls, name: str, fmt: CsvFormat) -> TextNotation:
        """The notation of a contract."""
        signs: dict[str, str] = {}
        tokens: dict[bytes, bytes] = {}
        delimiter = fmt.delimiter
        if fmt.escape:
            escaped = zip(_ESCAPED, (fmt.quote, fmt.delimiter, fmt.escape), strict=True)
            signs |= {sign: letter for sign, letter in escaped if letter}
            tokens |= {f"{fmt.escape}{letter}".encode(): sign.encode() for sign, letter in signs.items()}
        if len(delimiter) > 1 or not delimiter.isascii():
            signs[_DELIMITER] = delimiter
            tokens[delimiter.encode()] = _DELIMITER.encode()
            delimiter = _DELIMITER
        return cls(name, delimiter, fmt.quote, signs, tokens, fmt.comment, fmt.text_formulas)

    def signed(self, text: bytes) -> bytes:
        """Whole lines with control characters in their places.

        Raises:
            RefusedError: the text holds one of them.
        """
        if not self.tokens:
            return text
        for sign in self.signs:
            if sign.encode() in text:
                raise RefusedError(
                    f"{self.name}: the file holds the control character U+{ord(sign):04X}, which a file with this "
                    "delimiter or escape cannot have; ask the sender to leave it out"
                )
        if len(self.tokens) == 1:
            [(token, sign_of_it)] = self.tokens.items()
            return text.replace(token, sign_of_it)
        pattern = re.compile(b"|".join(map(re.escape, self.tokens)))
        return pattern.sub(lambda found: self.tokens[found[0]], text)

    def plain(self, cell: str) -> str:
        """A cell as the sender meant it."""
        for sign, meant in self.signs.items():
            cell = cell.replace(sign, meant)
        found = re.fullmatch(_TEXT_FORMULA, cell) if self.text_formulas else None
        return found[1].replace('""', '"') if found else cell

    def plain_cells(self, cells: pa.StringArray) -> pa.StringArray:
        """A column as the sender meant it."""
        for sign, meant in self.signs.items():
            if pc.any(pc.match_substring(cells, sign)).as_py():
                cells = pc.replace_substring(cells, sign, meant)
        if self.text_formulas:
            is_formula = pc.match_substring_regex(cells, _TEXT_FORMULA)
            if pc.any(is_formula).as_py():
                texts = pc.replace_substring(pc.utf8_slice_codeunits(cells, 2, -1), '""', '"')
                cells = pc.if_else(is_formula, texts, cells)
        return cells
