"""Whether the bytes of a text are likely those of another encoding than the contract says.

A one-byte encoding reads any bytes without a word, so that only what they say tells that they are of another one.
"""

from __future__ import annotations

import codecs
import re

from loader.errors import RefusedError
from loader.readers.text_encoding import marked, without_mark

_C1 = bytes(range(0x80, 0xA0))
"""In encodings of ISO 8859, control characters that no text has; in those of Windows, letters and signs."""
_OF_WINDOWS = {
    "iso8859-2": "cp1250",
    "iso8859-4": "cp1257",
    "iso8859-5": "cp1251",
    "iso8859-6": "cp1256",
    "iso8859-7": "cp1253",
    "iso8859-8": "cp1255",
    "iso8859-9": "cp1254",
    "iso8859-13": "cp1257",
}
"""What Windows has for an encoding of ISO 8859; for others cp1252."""


def refuse_start(name: str, start: bytes, encoding: str) -> None:
    """Raise RefusedError when a text begins as one of another encoding: with its byte order mark, or with zeros."""
    encodings = marked(start)
    if encodings and codecs.lookup(encoding).name not in encodings:
        raise _likely(name, f"the text begins with the byte order mark of {encodings[0]}", encodings[0], encoding)
    wide = None if encodings else without_mark(start)
    if wide is not None and start.decode(wide, "replace") != start.decode(encoding, "replace"):
        raise _likely(name, "every other byte of the text is zero", wide, encoding)


class Watch:
    """Looks at the bytes of a text while it is read."""

    def __init__(self, name: str, encoding: str) -> None:
        self._name, self._encoding = name, encoding
        every = bytes(range(256)).decode(encoding, "replace")
        is_watched = len(every) == 256 and every.isascii() is False and every[:128] == bytes(range(128)).decode("ascii")
        self._utf8 = codecs.getincrementaldecoder("utf-8")() if is_watched else None
        """None when the bytes are no UTF-8."""
        self._controls = re.compile(b"[\\x80-\\x9f]") if every[128:160].encode("latin-1", "replace") == _C1 else None
        self._has_letters = self._has_controls = False

    def see(self, block: bytes) -> None:
        """Look at the next bytes, none at the end; raises RefusedError when they are likely of another encoding."""
        ended = not block
        if self._utf8 is not None and not (block.isascii() and block):
            self._has_letters = self._has_letters or not ended
            try:
                self._utf8.decode(block, final=ended)
            except UnicodeDecodeError:
                self._utf8 = None
        if self._controls is not None and not self._has_controls:
            self._has_controls = self._controls.search(block) is not None
        if self._has_controls and self._utf8 is None:
            likely = _OF_WINDOWS.get(codecs.lookup(self._encoding).name, "cp1252")
            raise _likely(self._name, "the text holds control characters in place of letters", likely, self._encoding)
        if ended and self._has_letters and self._utf8 is not None:
            raise _likely(self._name, "every letter of the text is one of utf-8", "utf-8", self._encoding)


def _likely(name: str, why: str, likely: str, encoding: str) -> RefusedError:
    return RefusedError(f"{name}: {why}, so that it is likely {likely}, not {encoding}; {advice(likely)}")


def advice(likely: str) -> str:
    """What to do about a text in another encoding than agreed."""
    return f"write 'encoding: {likely}' into its 'format' in the contract, or correct the file"
