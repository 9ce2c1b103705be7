"""What a person reads while the loader works; colours and progress bars only where somebody watches."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from loader.disclosure import without_credentials

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_WIDTH_UNWATCHED = 140
_IN_ASCII = {"\u2192": "->", "\u2026": "...", "\u2013": "-", "\u2212": "-", "\u201c": '"', "\u201d": '"', "\u00d7": "x"}
"""Arrow, ellipsis, dash, minus, quotes and the sign of multiplication."""
_FOLDED = 20
"""Characters that a text in a table has at least, before it is folded."""
_CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: control characters, invisible ones, halves of a character, and line ends."""

QUIET = ContextVar("quiet", default=False)
"""Nothing is said but errors, for `--json`."""
DEBUG = ContextVar("debug", default=False)
"""Tracebacks come through. Both are those of one command: a new thread starts without; `contextvars.copy_context` hands
them over."""


@cache
def _console(stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_UNWATCHED
    return console


def out() -> Console:
    """Where results go. Made anew when standard output was replaced (tests, notebooks)."""
    console = _console(False)
    console.file = sys.stdout
    return console


def err() -> Console:
    """Where errors and notes go."""
    console = _console(True)
    console.file = sys.stderr
    return console


def speaks_unicode(stream: Any) -> bool:
    """Whether every character can be written to it."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def spell_out() -> None:
    """Write `->` for an arrow, and an escape for any other character that the standard streams cannot take."""
    codecs.register_error("spelled_out", _spelled_out)
    for stream in (sys.stdout, sys.stderr):
        if not speaks_unicode(stream) and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spelled_out")


def _spelled_out(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(one) or _escaped(one) for one in lost), error.end


def say(text: str = "", style: str | None = None) -> None:
    """One line of result or progress."""
    if not QUIET.get():
        out().print(printable(text), style=style, markup=False)


def show(made: Table, leave_out: Sequence[str] = ()) -> None:
    """A table. Where it is too wide, columns that may be left out go one after the other, and a note says which."""
    if QUIET.get():
        return
    console, gone = out(), []
    for name in leave_out:
        if _least_width(console, made) <= console.width:
            break
        gone += [column for column in made.columns if str(column.header) == name]
        left = [column for column in made.columns if str(column.header) != name]
        # a column knows its place, by which it is padded
        made.columns = [replace(column, _index=at) for at, column in enumerate(left)]
    console.print(made, soft_wrap=False)
    if gone:
        names = ", ".join(str(column.header) for column in gone)
        note(f"too narrow for {names}; in a wider window they are shown")


def _least_width(console: Console, made: Table) -> int:
    """How wide a table is whose numbers are whole and whose texts are folded to a few characters a line."""
    from rich.measure import Measurement

    widths = []
    for column in made.columns:
        most = max(Measurement.get(console, console.options, cell).maximum for cell in (column.header, *column.cells))
        widths.append(most if column.no_wrap else min(most, _FOLDED))
    return sum(widths) + 3 * len(widths) - 1


def table(**options: Any) -> Table:
    """A table in the form that all commands share; its columns are still to be added."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)


def plain(text: str) -> Text:
    """A cell of a table in which nothing is markup and nothing moves the cursor."""
    from rich.text import Text

    return Text(printable(text))


def note(text: str) -> None:
    """Something worth knowing that is not an error."""
    if not QUIET.get():
        err().print(printable(f"note: {text}"), style="yellow", markup=False)


def error(text: str) -> None:
    """An error line; mistakes in a contract are a line each."""
    for line in text.split("\n"):
        err().print(printable(line), style="bold red", markup=False)


def ask_for_attention(text: str) -> None:
    """A refusal: the data is at fault, not the run."""
    err().print(printable(text), style="red", markup=False)


def printable(text: str) -> str:
    """A text as one line that does nothing to the terminal and tells no credentials; names may hold controls."""
    return "".join(
        character if unicodedata.category(character) not in _CONTROLS else _escaped(character)
        for character in without_credentials(text)
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


@contextmanager
def progress(title: str, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """A live counter for long work; nothing at all when nobody watches."""
    if QUIET.get() or not out().is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} " + unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out(), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done: bar.update(task, completed=done)
