"""What is told of a text that is not in the encoding of its contract: where that shows, and what it likely is in."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from loader.errors import RefusedError
from loader.readers.encodings import advice
from loader.readers.text_encoding import encoding_of, is_one_byte

_BLOCK = 1 << 16
_CHANCE = 20
"""In a text of one byte a letter, bytes that are no UTF-8 for one letter that is, by chance."""


def not_decodable(name: str, read: Callable[[int], bytes], encoding: str) -> RefusedError:
    """The refusal of a text that is not in this encoding; `read` gives its next bytes, at most as many."""
    found = _first_wrong(read, encoding)
    if found is None:
        return RefusedError(f"{name}: the text is not {encoding}; correct 'encoding' in the contract, or the file")
    what = f"{name}, line {found.line}: the text is not {encoding}"
    likely = encoding_of(found.text, is_whole=False)
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    if is_utf8 and _is_mixed(found, likely.name):
        return RefusedError(
            f"{what}, though letters in other places are: it is damaged, or put together from texts of two encodings; "
            "ask the sender to deliver it again"
        )
    is_other = codecs.lookup(likely.name) != codecs.lookup(encoding) and not (is_utf8 and _has_half_pairs(found.text))
    if not (likely.is_likely and is_other):
        return RefusedError(f"{what}; correct 'encoding' in the contract, or the file")
    shown = f", in which its letters beyond ASCII are {likely.letters}" if likely.letters else ""
    return RefusedError(f"{what}, but likely {likely.name}{shown}; {advice(likely.name)}")


@dataclass(frozen=True)
class _Wrong:
    """The first place that is not in an encoding."""

    line: int
    """From 1."""
    letters: int
    """Letters beyond ASCII above it."""
    text: bytes
    """From its line on; of an encoding whose bytes are no ASCII, from the beginning on."""


def _first_wrong(read: Callable[[int], bytes], encoding: str) -> _Wrong | None:
    decoder, has_ascii = codecs.getincrementaldecoder(encoding)(), b"id".decode(encoding, "replace") == "id"
    feeds = returns = letters = 0
    start = b""
    try:
        while True:
            block = read(_BLOCK)
            start = start or block
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                wrong, at = error.object, error.start
                text, line_start = wrong[:at].decode(encoding, "replace"), _last_line(wrong[:at])
                line = 1 + (feeds + text.count("\n") or returns + text.count("\r"))
                rest = wrong[line_start:] + read(_BLOCK) if has_ascii else start
                return _Wrong(line, letters + _beyond_ascii(text), rest)
            except UnicodeError:  # utf-16 without a byte order mark
                return _Wrong(1, 0, start)
            if not block:
                return None
            feeds += text.count("\n")
            returns += text.count("\r")
            letters += _beyond_ascii(text)
    except (EOFError, zlib.error, OSError):  # a packed file that is damaged further down
        return None


def _is_mixed(found: _Wrong, likely: str) -> bool:
    """Whether a text has so many letters of UTF-8 that it is not one of `likely`, with one byte a letter."""
    if likely != "utf-8" and not is_one_byte(likely):
        return False
    text = found.text.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return (found.letters + _beyond_ascii(text) - wrong) * _CHANCE > wrong


def _last_line(text: bytes) -> int:
    """Where the last line begins."""
    return max(text.rfind(b"\n"), text.rfind(b"\r")) + 1


def _has_half_pairs(text: bytes) -> bool:
    """Whether all that makes a text no UTF-8 are halves of surrogate pairs, which programs write by mistake."""
    try:
        codecs.getincrementaldecoder("utf-8")("surrogatepass").decode(text)
    except UnicodeDecodeError:
        return False
    return True


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else len(text) - len(text.encode("ascii", "ignore"))
