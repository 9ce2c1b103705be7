"""XML read event by event, of files that nobody vouches for: a document type, and with it every entity, is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

_PART = 1 << 20


def parse(
    file: IO[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Tell of each element where it starts and ends, by its name without a prefix, and of the text in it.

    Raises:
        ExpatError: it is not well-formed, or has a document type.
    """
    parser = ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    names: dict[str, str] = {}

    def local(name: str) -> str:
        return names.setdefault(name, name.rpartition(":")[2])

    def refuse(*_: object) -> None:
        raise ExpatError("a document type")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(local(name), attributes)
    if end is not None:
        ended = end
        parser.EndElementHandler = lambda name: ended(local(name))
    if text is not None:
        parser.CharacterDataHandler = text
    while part := file.read(_PART):
        parser.Parse(part)
    parser.Parse(b"", True)


def attribute(attributes: dict[str, str], name: str) -> str | None:
    """An attribute by its name without a prefix."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), None)
