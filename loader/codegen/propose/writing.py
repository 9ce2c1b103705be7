"""A proposal as YAML: each word with what shows it as a comment, and what is to be decided in a line above."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import yaml

from loader.codegen.propose.evidence import Word

_WIDTH = 118
DECIDE = "# decide: "


def contract_yaml(dataset: str, words: Sequence[Word], above: Sequence[str]) -> str:
    """A contract as it stands below `datasets:`, with lines of comment above it."""
    lines = [*(f"# {line}" for line in above), f"  {quoted(dataset)}:", *_lines(words, 4)]
    return "\n".join(lines) + "\n"


def _lines(words: Sequence[Word], indent: int) -> Iterator[str]:
    blank = " " * indent
    for word in words:
        if word.ask:
            yield f"{blank}{DECIDE}{word.ask}"
        line = f"{blank}{quoted(word.name)}:{f' {word.value}' if word.value else ''}"
        if word.why and len(line) + len(word.why) + 4 > _WIDTH:
            yield f"{blank}# {word.why}"
        elif word.why:
            line = f"{line}  # {word.why}"
        yield line
        yield from _lines(word.below, indent + 2)


def decisions(dataset: str, words: Sequence[Word]) -> list[str]:
    """What a person has to decide, each with its place in the contract."""
    return [f"{place}: {ask}" for place, ask in _asks(dataset, words)]


def _asks(place: str, words: Sequence[Word]) -> Iterator[tuple[str, str]]:
    for word in words:
        here = f"{place}.{word.name}"
        if word.ask:
            yield here, word.ask
        yield from _asks(here, word.below)


def quoted(text: str) -> str:
    """Text as YAML, in quotes where it could be taken for something else (`No`, `null`), in one line."""
    plain = re.fullmatch(r"[A-Za-z][\w ./-]*", text) and yaml.safe_load(text) == text
    if plain:
        return text
    if not text.isprintable():
        return str(yaml.safe_dump(text, default_style='"', allow_unicode=False, width=10_000)).strip()
    return "'" + text.replace("'", "''") + "'"


def listed_text(texts: Sequence[str]) -> str:
    """Texts as a list of YAML in one line."""
    return f"[{', '.join(map(_always_quoted, texts))}]"


def _always_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
