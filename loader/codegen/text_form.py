"""How a text file is written, found out from how it begins: its encoding, what stands between and around cells.

What is found is proposed to a person, beside what shows it; no file is loaded by it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loader.contracts import CsvFormat

SAMPLE = 65536
"""Bytes that are looked at."""


@dataclass(frozen=True)
class TextForm:
    """How a text file is written, in words of a contract."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    trailing_delimiter: bool = False
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What shows it, by word of the contract: "splits 40 of 40 rows into 7 cells"."""
    rivals: tuple[str, ...] = ()
    """What the file could be as well, a line each; empty when nothing comes close."""

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
        )


def text_form(source: Path | bytes) -> TextForm:
    """How a text file is written, or a text that begins with these bytes.

    Raises:
        RefusedError: it is no text file, or damaged.
    """
    if isinstance(source, Path):
        from loader.readers.csv_file import first_bytes

        source = first_bytes(source, SAMPLE)
    encoding = next(name for name in ("utf-8", "cp1252", "latin-1") if _decodes(source, name))
    try:
        delimiter = csv.Sniffer().sniff(source.decode(encoding, "ignore"), delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    return TextForm(encoding=encoding, delimiter=delimiter)


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw[: max(len(raw) - 4, 0)].decode(encoding)
    except UnicodeDecodeError as error:
        return error.end >= len(raw) - 4
    return True
