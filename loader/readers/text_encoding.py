"""In which encoding a text is, as far as its bytes tell."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from loader.text import listed, plural

_MARKS = {  # the longer ones first
    codecs.BOM_UTF32_LE: ("utf-32", "utf-32-le"),
    codecs.BOM_UTF32_BE: ("utf-32", "utf-32-be"),
    codecs.BOM_UTF8: ("utf-8", "utf-8-sig"),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
}
"""Byte order marks, and the encodings that they may stand before, as Python calls them."""
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
_WITHIN_WORDS = "\u2018\u2019\u2010\u2013\u2014"
"""Apostrophes and hyphens, which stand amid words."""
_SLIPS = 10
"""Letters of UTF-8 for one wrong byte, in a text that is UTF-8 with slips."""


def marked(start: bytes) -> tuple[str, ...]:
    """The encodings whose byte order mark a text begins with; none when it begins with none."""
    return next((encodings for mark, encodings in _MARKS.items() if start.startswith(mark)), ())


@dataclass(frozen=True)
class Encoding:
    """An encoding, with what shows it."""

    name: str
    """As a contract has it."""
    evidence: str
    rivals: str = ""
    """What else is possible."""
    letters: str = ""
    """What a text that is no UTF-8 has beyond ASCII in this encoding, the first ones."""
    is_likely: bool = True
    """Whether it gives words that a text may have, and enough of them to tell."""


def encoding_of(raw: bytes, *, is_whole: bool) -> Encoding:
    """The encoding of a text that begins with these bytes, and ends with them if it is whole."""
    if marks := marked(raw):
        return Encoding(marks[0], f"the file begins with the byte order mark of {marks[0]}")
    if (wide := without_mark(raw[:_LOOKED_AT])) is not None:
        return Encoding(wide, "every other byte is zero")
    if raw.isascii():
        return Encoding("utf-8", f"only ASCII in the first {plural(len(raw), 'byte')}, which others read alike")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=is_whole)
    except UnicodeDecodeError as error:
        return _legacy(raw, error.start)
    return Encoding("utf-8", f"every letter is one of UTF-8 in the first {plural(len(raw), 'byte')}")


def without_mark(start: bytes) -> str | None:
    """The encoding of two bytes a letter in which a text of letters beginning so is; None for none."""
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
    if is_one_byte(name) and (found := _soundest(raw, lines, name)) != name:
        name, fitting = found, [other for other in fitting if _oddities(lines, other) <= _oddities(lines, found)]
    signs = listed(sorted(_beyond_ascii(lines, name, r"[^\x80-\x9f]")), 8)  # in their order they could be a name
    others = [other for other in fitting if other != name]
    rivals = f"{listed(others)} {'read' if name in fitting else 'can read'} it as well" if others else ""
    if not fitting or (few and name != _USUAL):
        rivals = "its letters are too few, or not those of a text, to tell"
    evidence = f"it is no UTF-8; as {name}, what it has beyond ASCII is {signs}"
    is_sound = name in fitting if not is_one_byte(name) else not _oddities(lines, name)
    return Encoding(name, evidence, rivals, signs, is_likely=is_sound and (name == _USUAL or not few))


def is_one_byte(encoding: str) -> bool:
    """Whether an encoding has one byte for each letter."""
    return len(bytes(range(256)).decode(encoding, "replace")) == 256


def _soundest(raw: bytes, lines: bytes, name: str) -> str:
    """The encoding of one byte a letter, `name` or another one, that makes the fewest odd words of lines."""
    others = (other for other in _LEGACY if other != name and is_one_byte(other) and _decodes(raw, other))
    return min((name, *others), key=lambda encoding: _oddities(lines, encoding))


def _oddities(lines: bytes, encoding: str) -> int:
    """How many characters beyond ASCII stand where none does: a paragraph sign amid a word, Greek beside Latin."""
    text = f" {lines.decode(encoding, 'ignore')} "
    return sum(_is_odd(*text[at - 1 : at + 2]) for at, character in enumerate(text) if not character.isascii())


def _is_odd(before: str, character: str, after: str) -> bool:
    if not character.isalpha():
        is_amid = before.isalpha() and after.isalpha() and character not in _WITHIN_WORDS
        return is_amid or unicodedata.category(character) == "Cc"
    if character.isupper() and (before.islower() or (before.isalpha() and after.islower())):
        return True
    is_latin = unicodedata.name(character, "").startswith("LATIN")
    return not is_latin and any(beside.isascii() and beside.isalpha() for beside in (before, after))


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
