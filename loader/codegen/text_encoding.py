"""In which encoding a text is, as far as its bytes tell."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from loader.readers.encodings import marked
from loader.text import listed, plural

_USUAL = "cp1252"
_LEGACY = (
    *(_USUAL, "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "mac_roman", "cp437", "cp850", "cp852"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
)
"""Encodings of tables that are none of Unicode."""
_LOOKED_AT, _SEARCHED = 4096, 1 << 16
"""Bytes of lines with letters beyond ASCII, and those among which they are looked for."""
_LEAST = 5
"""Different letters beyond ASCII that tell another encoding than the usual one."""
_SLIPS = 10
"""Letters of UTF-8 for one wrong byte, in a text that is UTF-8 with slips."""


@dataclass(frozen=True)
class Encoding:
    """An encoding, with what shows it."""

    name: str
    """As a contract has it."""
    evidence: str
    rivals: str = ""
    """What else is possible."""


def encoding_of(raw: bytes, *, is_whole: bool) -> Encoding:
    """The encoding of a text that begins with these bytes, and ends with them if it is whole."""
    if marks := marked(raw):
        return Encoding(marks[0], f"the file begins with the byte order mark of {marks[0]}")
    if (wide := _without_mark(raw[:_LOOKED_AT])) is not None:
        return Encoding(wide, "every other byte is zero")
    if raw.isascii():
        return Encoding("utf-8", f"only ASCII in the first {plural(len(raw), 'byte')}, which others read alike")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=is_whole)
    except UnicodeDecodeError as error:
        return _legacy(raw, error.start)
    return Encoding("utf-8", f"every letter is one of UTF-8 in the first {plural(len(raw), 'byte')}")


def _without_mark(start: bytes) -> str | None:
    for name, zeros, letters in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros.count(0) > len(zeros) / 2 and letters.count(0) < len(letters) / 20:
            return name
    return None


def _legacy(raw: bytes, first: int) -> Encoding:
    """The encoding of a text that is no UTF-8; `first` is the first byte that shows it."""
    lenient = raw.decode("utf-8", "replace")
    wrong = lenient.count("\ufffd")
    right = len(lenient) - len(lenient.encode("ascii", "ignore")) - wrong
    if right > _SLIPS * wrong:
        return Encoding(
            "utf-8", f"{plural(right, 'letter')} beyond ASCII", f"{plural(wrong, 'byte')} of the text cannot be UTF-8"
        )
    from charset_normalizer import from_bytes  # not before it is needed

    searched = re.split(b"[\r\n]", raw[first : first + _SEARCHED])
    lines = b"\n".join(line for line in searched if not line.isascii())[:_LOOKED_AT]
    best = from_bytes(lines, cp_isolation=[*_LEGACY]).best()
    fitting = [name for name in best.could_be_from_charset if _decodes(raw, name)] if best else []
    is_usual = _decodes(raw, _USUAL)
    name = _USUAL if _USUAL in fitting else next(iter(fitting), _USUAL if is_usual else "latin-1")
    few = len(_beyond_ascii(lines, name, r"[^\W\d_]")) < _LEAST
    if few and is_usual:
        name = _USUAL
    signs = listed(_beyond_ascii(lines, name, r"[^\x80-\x9f]"), 8)
    others = [other for other in fitting if other != name]
    rivals = f"{listed(others)} {'read' if name in fitting else 'can read'} it as well" if others else ""
    if not fitting or (few and name != _USUAL):
        rivals = "its letters are too few, or not those of a text, to tell"
    return Encoding(name, f"it is no UTF-8; as {name}, what it has beyond ASCII is {signs}", rivals)


def _beyond_ascii(lines: bytes, encoding: str, pattern: str) -> list[str]:
    """The different characters of a kind that are beyond ASCII."""
    return [*dict.fromkeys(re.findall(rf"(?![\0-\x7f]){pattern}", lines.decode(encoding, "ignore")))]


def _decodes(raw: bytes, encoding: str) -> bool:
    """Whether an encoding reads a text, whose last letter may be cut."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(raw)
    except UnicodeDecodeError:
        return False
    return True
