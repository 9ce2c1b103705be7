"""What the names of files tell: the period, which version it is, and what the files are called apart from that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loader.errors import UsageError
from loader.text import listed

_PERIODS = (  # the finest first
    ("day", r"\d{4}-\d{2}-\d{2}"),
    ("quarter", r"\d{4}-Q[1-4]"),
    ("month", r"\d{4}-\d{2}"),
    ("year", r"\d{4}"),
)
_ORDER = r"(?:[ _-]?(?:v|ver|version|rev)\.?(?P<order>\d{1,3}))?"
_VERSION = re.compile(r"[ _-]?(?:v|ver|version|rev)\.?\d{1,3}(?=\.[A-Za-z]|$)", re.IGNORECASE)


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


def read_names(paths: Sequence[Path]) -> FileNames:
    """What the names of these files have in common.

    Raises:
        UsageError: they are not called alike.
    """
    told = [_tell(path.name) for path in paths]
    shapes = {(grain, before.casefold(), after.casefold()) for grain, _, before, after in told}
    called = listed(path.name for path in paths)
    if len(shapes) > 1:
        raise UsageError(
            f"the names of these files differ in more than a period: {called}; propose from those of one dataset"
        )
    grain, _, before, after = told[0]
    has_version = any(_VERSION.search(path.name) for path in paths)
    order = _ORDER if has_version else ""
    stem = re.sub(r"\.\w{1,5}(?:\.gz)?$", "", before + " " + after if grain else before + after)
    if not grain:
        if len(paths) > 1:
            raise UsageError(
                f"the names of these files tell no period: {called}; propose from one of them, and say in 'file_name' "
                "where the period stands"
            )
        name, dot, extension = after.partition(".") if after.startswith(".") else (after, "", "")
        file_name = f"{_escaped(before + name)}_(?P<period>\\d{{4}}-\\d{{2}}){_escaped(dot + extension)}"
        ask = (
            "the name contains no period, or none that this proposal knows; where does it stand, and what is the grain?"
        )
        return FileNames(stem, file_name, "month", "", (ask,))
    pattern = dict(_PERIODS)[grain]
    file_name = f"{_escaped(before)}(?P<period>{pattern}){_with_order(after, order)}"
    return FileNames(
        stem, file_name, grain, f"{told[0][1]} is a {grain}", (), tuple(period for _, period, _, _ in told)
    )


def _tell(name: str) -> tuple[str, str, str, str]:
    """Grain and period of a file name, and what stands before and after it; both empty when there is none."""
    bare = _VERSION.sub("", name)
    for grain, pattern in _PERIODS:
        found = re.search(rf"(?<!\d){pattern}(?!\d)", bare)
        if found:
            return grain, found[0], bare[: found.start()], bare[found.end() :]
    dot = bare.find(".")
    return "", "", bare[:dot] if dot > 0 else bare, bare[dot:] if dot > 0 else ""


def _with_order(after: str, order: str) -> str:
    stem, dot, extension = after.rpartition(".") if not after.endswith(".gz") else after.partition(".")
    return f"{_escaped(stem)}{order}{_escaped(dot + extension)}"


def _escaped(text: str) -> str:
    """A regular expression for the text; a blank and a hyphen mean nothing in one."""
    return re.escape(text).replace("\\-", "-").replace("\\ ", " ")
