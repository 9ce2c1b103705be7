"""What the names of files tell: the period, which version it is, and what the files are called apart from that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loader.codegen.propose.evidence import Word
from loader.codegen.propose.period_texts import FORMS, PeriodText, find_period
from loader.contracts import Grain
from loader.errors import UsageError
from loader.text import listed

_FOLDERS = 2
"""Folders above a file that may tell its period."""
_VERSION = re.compile(r"[ _-]?(?:v|ver|version|rev)\.?\d{1,3}(?=\.[A-Za-z]|$)", re.IGNORECASE)
_ORDER = r"(?:[ _-]?(?:v|ver|version|rev)\.?(?P<order>\d{1,3}))?"
_LONG_NUMBER = re.compile(r"\d{5,}")
"""Digits beside the period that are rather a time or a count than part of a name."""
_BESIDE = re.compile(r"(?:[-_.T ]?[0-9]+)+(?=[^0-9A-Za-z]|$)")
"""Numbers that follow the period."""
_OF_FISCAL_YEAR = re.compile(r"(?<![a-z])(?:FY|GJ)[-_. ]?$", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:\.\w{1,5})?\.\w{1,5}$")


@dataclass(frozen=True)
class FileNames:
    """What the names of files tell, in words of a contract."""

    stem: str
    """What they are called without period, version and extension."""
    file_name: str
    grain: str
    why: str
    asks: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    """The period of each file; none when the names tell none."""
    language: str = ""
    """That of the names of months."""
    century: int | None = None
    """Where years have two digits."""
    within: Word | None = None
    """Where in a file its period stands, when its name does not tell it."""
    asks_of_grain: tuple[str, ...] = ()


def read_names(paths: Sequence[Path]) -> FileNames:
    """What the names of these files have in common, with their folders where only these tell the period.

    Raises:
        UsageError: they are not called alike.
    """
    for folders in range(_FOLDERS + 1):
        names = ["/".join(path.absolute().parts[-folders - 1 :]) for path in paths]
        bare = [_VERSION.sub("", name) for name in names]
        for form in FORMS:
            found = find_period(form, bare)
            if found is not None and _is_within(found, bare, folders):
                return _told(names, bare, found)
    called = listed(path.name for path in paths)
    if len(paths) > 1:
        raise UsageError(
            f"the names of these files tell no period, or differ in more than that: {called}; propose from one of them"
        )
    return _untold(paths[0].name)


def _is_within(found: Sequence[PeriodText], names: Sequence[str], folders: int) -> bool:
    """Whether the period begins in the outermost of the folders, and the names are alike apart from it."""
    outermost = all(one.spans[0][0] <= name.find("/") for one, name in zip(found, names, strict=True))
    return (folders == 0 or outermost) and len({_skeleton(*pair) for pair in zip(found, names, strict=True)}) == 1


def _skeleton(found: PeriodText, name: str) -> str:
    """A name without its period and with any number in place of its others."""
    parts = [re.sub(r"\d+", "0", part) for part in _between(found, name)]
    return "\0".join(parts).casefold()


def _between(found: PeriodText, name: str) -> list[str]:
    """What stands before, between and behind the parts of the period."""
    ends = [0, *(end for _, end in found.spans)]
    starts = [*(start for start, _ in found.spans), len(name)]
    return [name[end:start] for end, start in zip(ends, starts, strict=True)]


def _told(names: Sequence[str], bare: Sequence[str], found: Sequence[PeriodText]) -> FileNames:
    first = found[0]
    asks = [*first.asks]
    literal = [[*_between(*pair)] for pair in zip(found, bare, strict=True)]
    beside = _BESIDE.match(literal[0][-1])
    if first.grain in (Grain.YEAR, Grain.QUARTER) and _OF_FISCAL_YEAR.search(literal[0][0]):
        asks.append("a fiscal year, as FY before it says? It is read as of the calendar; 'grain: fiscal' has others")
    texts = [_same(parts, asks) for parts in zip(*(parts[:-1] if beside else parts for parts in literal), strict=True)]
    if beside:
        asks.append(f"{beside[0]} stands beside the period: a time of day, or is the period another one?")
        texts.append(re.sub(r"[0-9]+", r"\\d+", _escaped(beside[0])) + _same([literal[0][-1][beside.end() :]], asks))
    if any(_VERSION.search(name) for name in names):
        extension = _escaped(_extension(literal[0][-1]))
        texts[-1] = f"{texts[-1].removesuffix(extension)}{_ORDER}{extension}"
    groups = first.groups([one.texts for one in found])
    pattern = texts[0] + "".join(group + text for group, text in zip(groups, texts[1:], strict=True))
    before, after = literal[0][0].rpartition("/")[2], _EXTENSION.sub("", literal[0][-1])
    shown = bare[0][first.spans[0][0] : first.spans[-1][1]]
    return FileNames(
        _LONG_NUMBER.sub(" ", f"{before} {_BESIDE.sub(' ', after)}"),
        pattern,
        first.grain,
        f"{shown} is the {first.grain} {first.period}" if shown != first.period else f"{shown} is a {first.grain}",
        tuple(dict.fromkeys(asks)),
        tuple(one.period for one in found),
        first.language,
        first.century,
    )


def _same(parts: Sequence[str], asks: list[str]) -> str:
    """A regular expression for a part of the names that is the same in all, but for its numbers."""
    pieces = [re.split(r"(\d+)", part) for part in parts]
    pattern = ""
    for at, piece in enumerate(pieces[0]):
        if at % 2 and (any(other[at] != piece for other in pieces) or _LONG_NUMBER.fullmatch(piece)):
            asks.append(f"{piece} is taken for a number that differs by file")
            pattern += r"\d+"
        else:
            pattern += _escaped(piece)
    return pattern


def _extension(name: str) -> str:
    found = _EXTENSION.search(name)
    return found[0] if found else ""


def _untold(name: str) -> FileNames:
    extension = _extension(name)
    stem = name.removesuffix(extension)
    ask = "the name tells no period that is known; where does it stand, and what is the grain?"
    pattern = f"{_escaped(stem)}_(?P<period>\\d{{4}}-\\d{{2}}){_escaped(extension)}"
    return FileNames(stem, pattern, "month", "", (ask,))


def _escaped(text: str) -> str:
    """A regular expression for the text; a blank and a hyphen mean nothing in one."""
    return re.escape(text).replace("\\-", "-").replace("\\ ", " ")


def named_alike(name: str) -> str:
    """A regular expression for the names of files that are called so, whatever numbers they have."""
    return re.sub(r"[0-9]+", r"\\d+", _escaped(name))


def by_period(names: FileNames) -> Iterator[int]:
    """The positions of the files in the order of their periods."""
    yield from sorted(range(len(names.periods)), key=lambda at: names.periods[at]) if names.periods else [0]
