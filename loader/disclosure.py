"""What may be told of texts that others wrote: databases and their drivers quote values, and how one logs in to them.

Values of cells are cut off by `without_values`, where a message is about a statement. Credentials are masked in every
message, note, log line and traceback by `without_credentials`: those that profiles.yml holds by what they are, any
other by how it is written: `password=…`, `PWD={…}`, `key_id '…'`, `scheme://user:password@host`, tokens.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import quote, quote_plus

from loader.text import MASK, first_line, sql_text

_VALUE = re.compile(r"""['"(]|(?<![\w.])\d[\w.:,-]*""")
_CLOSING = {"'": "'", '"': '"', "(": ")"}
_PUT_IN_FRONT = re.compile(
    r"""^\([\w.]+\) |^\('\w{5}', ["']|\[(?:Microsoft|unixODBC|FreeTDS|SQL Server|ODBC [^\]]*|[0-9A-Z]{5})\] ?"""
)
"""The class of an error, by SQLAlchemy; its state and who speaks, by drivers of ODBC."""

_SPELLED = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|signature|authorization|"
    r"(?:access|account|api|secret|private|shared|session)[ _-]?(?:access[ _-]?)?key"
)
_APART = r"pass|sig|credentials?|key[ _-]?id|uid|user(?:[ _-]?(?:id|name))?|login"
_CREDENTIALS = (
    # a word of a login and what it is: a pair, an option in quotes, an item of JSON
    re.compile(
        rf"""(?P<kept>(?<![a-z0-9])(?:\w*(?:{_SPELLED})|(?:\w+[_-])?(?:{_APART}))(?:[_-]?(?:id|key|value))?["']?(?:\s*=\s*|\s*:\s+|:(?=["'])|\s+(?=["']))"""
        r"""(?:(?:bearer|basic)\s+)?)"""
        r"""(?P<value>\{(?:[^}]|\}\})*\}?|'(?:[^']|'')*'?|"(?:[^"\\]|\\.)*"?|[^\s;,&)'"]+)""",
        re.IGNORECASE,
    ),
    re.compile(r"""(?P<kept>\b[a-z][a-z0-9+.-]*://)(?P<value>[^\s'"<>]+)(?=@)""", re.IGNORECASE),
    re.compile(r"(?P<kept>\bbearer\s+)(?P<value>[\w.~+/=-]{8,})", re.IGNORECASE),
    re.compile(r"(?P<kept>)(?P<value>\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{10,}\.[\w.-]+))"),
)
_OPENED = {"'": "'", '"': '"', "{": "}"}

_LEAST_KNOWN = 6
"""Characters of a credential that is known by itself."""

_known: list[re.Pattern[str]] = []
"""Credentials of this process."""


def keep_secret(values: Iterable[str]) -> None:
    """Mask these values from now on wherever they are, also as an address or ODBC writes them.

    A shorter one may be any word or number of a message, and is masked only where it is written as a credential.
    """
    for value in (value for value in values if len(value) >= _LEAST_KNOWN):
        forms = {value, quote(value, safe=""), quote_plus(value), value.replace("}", "}}"), sql_text(value)[1:-1]}
        pattern = "|".join(sorted(map(re.escape, forms), key=len, reverse=True))
        found = re.compile(rf"(?<![^\W_])(?:{pattern})(?![^\W_])")
        if found not in _known:
            _known.append(found)


def without_credentials(text: str) -> str:
    """A text in which the mask stands for what one logs in with."""
    for pattern in _known:
        text = pattern.sub(MASK, text)
    for pattern in _CREDENTIALS:
        text = pattern.sub(_masked, text)
    return text


def _masked(found: re.Match[str]) -> str:
    value = found["value"]
    closing = _OPENED.get(value[0], "")
    return f"{found['kept']}{value[0]}{MASK}{closing}" if closing else f"{found['kept']}{MASK}"


def without_values(message: str, names: Collection[str]) -> str:
    """A database's message up to the first thing that may be a value: a number, or a text in quotes or parentheses.

    What is among `names` is none. What SQLAlchemy and drivers put in front is left out.
    """
    kept, rest = "", _PUT_IN_FRONT.sub("", without_credentials(message))
    while (found := _VALUE.search(rest)) is not None:
        value, behind = found[0], rest[found.end() :]
        if value in _CLOSING:
            value, closing, behind = behind.partition(_CLOSING[value])
            value = value if closing else ""
        if value not in names:
            return f"{kept}{rest[: found.start()]}…"
        kept += rest[: len(rest) - len(behind)]
        rest = behind
    return kept + rest


def names_in(*texts: object) -> list[str]:
    """What a message may name of a statement or a path: its words, also with their schemas."""
    text = re.sub(r"""["`\[\]]""", "", " ".join(map(str, texts)))
    return re.findall(r"\w+", text) + re.findall(r"\w+(?:\.\w+)+", text)


def told(error: BaseException, *, is_ours: type[BaseException]) -> str:
    """A traceback without values and credentials: errors of others are cut, `is_ours` say what they have to."""
    return "".join(_lines(error, is_ours, set()))


def _lines(error: BaseException, is_ours: type[BaseException], seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        yield from _lines(cause, is_ours, seen)
        yield "\nand then:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    text = str(error) if isinstance(error, is_ours) else without_values(first_line(error), ())
    yield f"{type(error).__module__}.{type(error).__qualname__}: {without_credentials(text)}\n"
