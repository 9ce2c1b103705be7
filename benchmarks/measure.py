"""One measurement is one process of its own: nothing is warm, and its peak memory is its own."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).parents[1]
REPEAT = int(os.environ.get("REPEAT", "3"))
"""Runs of each measurement."""
APART = os.environ.get("APART", "1") != "0"
"""Whether each has a process of its own. Without, all is quicker, and the figures mean little: for a test."""

PEERS = REPOSITORY / ".venv-bench"
"""An environment for each, made by `make bench`."""
_PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


@dataclass(frozen=True)
class Measured:
    """The median of several runs of one thing."""

    seconds: float
    megabytes: float
    """Peak resident memory of the process, and of those that it started."""
    parts: dict[str, float] = field(default_factory=dict)
    """Seconds of the parts that the run told of."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else the last run told: numbers of rows, versions of packages."""


@dataclass(frozen=True)
class NotMeasured:
    """A peer that is not there, or cannot do it."""

    reason: str


@dataclass(frozen=True)
class Line:
    """One figure, beside the one that it is held against."""

    what: str
    seconds: float | None = None
    megabytes: float | None = None
    against: str = ""
    ratio: float | None = None
    at_most: float | None = None
    """What the ratio may be; of a line without ratio, the seconds."""
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is within its limit; None when there is none, or no figure."""
        figure = self.seconds if self.ratio is None else self.ratio
        return None if self.at_most is None or figure is None else figure <= self.at_most


def line(what: str, found: Measured | NotMeasured, **more: Any) -> Line:
    """The line of a measurement, or why there is none."""
    if isinstance(found, NotMeasured):
        return Line(what, note=f"not measured: {found.reason}")
    versions = ", ".join(f"{package} {version}" for package, version in found.facts.get("versions", {}).items())
    return Line(what, found.seconds, found.megabytes, note=versions, **more)


def compared(what: str, seconds: float, against: str, other: Measured | NotMeasured, at_most: float | None) -> Line:
    """A line that is held against another one, when that one was measured."""
    if isinstance(other, NotMeasured):
        return Line(what, seconds, note=f"{against} was not measured")
    return Line(what, seconds, against=against, ratio=seconds / other.seconds, at_most=at_most)


def measure(module: str, *args: object, repeat: int | None = None, python: Path | None = None) -> Measured:
    """Run `python -m module args` several times; each calls `print_result` at its end.

    Raises:
        RuntimeError: a run failed; its output is in the message.
    """
    runs = [_run_once(python or Path(sys.executable), module, *args) for _ in range(repeat or REPEAT)]
    return Measured(
        median(run["seconds"] for run in runs),
        max(run["megabytes"] for run in runs),
        {part: median(run["parts"][part] for run in runs) for part in runs[-1]["parts"]},
        runs[-1]["facts"],
    )


def processor_seconds(command: Sequence[str], before: Callable[[], None]) -> float:
    """Seconds that all processors spend on a command and on what it starts; the median of several runs.

    `before` is called before each. Windows does not tell.

    Raises:
        RuntimeError: the command failed; its output is in the message.
    """
    return median(_processor_seconds_once(command, before) for _ in range(REPEAT))


def _processor_seconds_once(command: Sequence[str], before: Callable[[], None]) -> float:
    before()
    started = os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    ended = os.times()
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    user = ended.children_user - started.children_user
    return user + ended.children_system - started.children_system


def has_peer(peer: str) -> bool:
    """Whether the environment of a peer was made, and completed."""
    return (PEERS / peer / ".made").exists()


def measure_peer(peer: str, module: str, *args: object) -> Measured | NotMeasured:
    """The same in the environment of a peer, where there may be none."""
    if not has_peer(peer):
        return NotMeasured(f"no environment .venv-bench/{peer}")
    try:
        return measure(module, *args, python=PEERS / peer / _PYTHON)
    except RuntimeError as error:
        return NotMeasured(str(error).strip().splitlines()[-1])


def run(module: str, *args: object) -> None:
    """Run what prepares a measurement, in a process of its own too: its memory shall not be in the way."""
    _output(Path(sys.executable), module, *args)


def _run_once(python: Path, module: str, *args: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_output(python, module, *args).strip().splitlines()[-1])
    return answer


def _output(python: Path, module: str, *args: object) -> str:
    if not APART and python == Path(sys.executable):
        return _output_here(module, *args)
    command = [str(python), "-m", module, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    if done.returncode != 0:
        raise RuntimeError(f"{module} {' '.join(map(str, args))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _output_here(module: str, *args: object) -> str:
    ours, sys.argv = sys.argv, [module, *map(str, args)]
    printed = StringIO()
    try:
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the module may have been imported
            runpy.run_module(module, run_name="__main__")
    finally:
        sys.argv = ours
    return printed.getvalue()


def print_result(seconds: float, parts: dict[str, float] | None = None, **facts: Any) -> None:
    """What a measured process prints last."""
    print(json.dumps({"seconds": seconds, "megabytes": _peak_megabytes(), "parts": parts or {}, "facts": facts}))


def _peak_megabytes() -> float:
    """On Linux not `ru_maxrss`: a process inherits that of the one that started it."""
    import psutil

    me = psutil.Process()
    everybody = [me, *me.children(recursive=True)]
    if sys.platform == "linux":
        return sum(_high_water(process.pid) for process in everybody) / 1e6
    if sys.platform == "win32":
        return sum(process.memory_info().peak_wset for process in everybody) / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _high_water(pid: int) -> float:
    with suppress(OSError, IndexError):  # it has ended meanwhile
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        return float(status.partition("VmHWM:")[2].split()[0]) * 1024
    return 0
