"""What a process changes in a folder, counted in one order by a library in front of libc, that can fail at one point.

The library (`faults.c`) is preloaded into the server that processes of a test are forked from, and does nothing in a
process that was not told to. It needs Linux and a C compiler.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.run import made_once

VARIABLE = "FAULT"
_SOURCE = Path(__file__).with_name("faults.c")


def unavailable() -> str | None:
    """Why there is no such library here; None when there is."""
    if sys.platform != "linux":
        return "only Linux takes a library in front of libc"
    return None if _compiler() else "there is no C compiler"


@cache
def library() -> Path | None:
    """The library, compiled once in a test run; None where it cannot be."""
    if unavailable():
        return None

    def compile_it(path: Path) -> None:
        subprocess.run([str(_compiler()), "-O1", "-shared", "-fPIC", "-o", path, _SOURCE, "-lpthread"], check=True)

    return made_once("faults.so", compile_it)


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


@dataclass(frozen=True)
class Fault:
    """What is to happen to a process, as a variable of its environment."""

    folder: Path
    at: int = 0
    """Number of the point; 0 for none."""
    answer: str = " "
    """`K` for a kill, `E` for EIO once, `F` for a disk that is full from then on."""
    journal: Path | None = None

    def as_variable(self) -> dict[str, str]:
        """The variable that `arm` reads."""
        told = [str(self.folder.resolve()), self.at, self.answer, str(self.journal or "")]
        return {VARIABLE: json.dumps(told)}


def arm() -> None:
    """Do what the environment of this process says of faults."""
    told = os.environ.pop(VARIABLE, None)
    if told is not None:
        folder, at, answer, journal = json.loads(told)
        ctypes.CDLL(None).arm(folder.encode(), ctypes.c_long(at), ctypes.c_char(answer.encode()), journal.encode())


@dataclass(frozen=True)
class Change:
    """One point that a process has passed."""

    sign: str
    """`w`rite, `o`pen, `r`ename, `u`nlink, `t`runcate, `m`kdir or `s`ync; `p`rinted is no point."""
    path: str
    other: str
    """The new name; of an open `new`, `emptied` or nothing."""
    offset: int
    data: bytes


def changes(journal: Path) -> Iterator[Change]:
    """What a journal tells, in its order."""
    with journal.open("rb") as file:
        while line := file.readline():
            sign, offset, length, names = line.decode().removesuffix("\n").split(" ", 3)
            path, _, other = names.partition("\t")
            yield Change(sign, path, other, int(offset), file.read(int(length)))
