"""Calls that may not come back: they run in a process apart, which is watched.

calamine takes the sizes and chains in a file at their word. A damaged or hostile workbook makes it ask for more memory
than there is (which ends the process), go round in circles, or panic: nothing of that can be caught from within.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar, cast

import psutil

MOST_MEMORY = 4 << 30
"""Bytes that a call may hold; a workbook of 400,000 rows and 12 columns takes a tenth of it."""
UNDECIDED_MEMORY = 512 << 20
"""Bytes that a call may hold as long as its file may still turn out to be a bomb."""
_LOOK_EVERY = 0.05
"""Seconds between two looks at the process; it can take about 0.1 GiB meanwhile."""

P = ParamSpec("P")
T = TypeVar("T")


class GaveUpError(Exception):
    """The call took its process down, panicked, or wanted more memory or time than it may have."""


@dataclass(frozen=True)
class Limits:
    """How far a call may go, besides `MOST_MEMORY`."""

    seconds: float
    """Of work, on the processor."""
    is_wanted: Callable[[], bool | None]
    """Whether its result is still wanted; while that is not known (None), the call pauses at `UNDECIDED_MEMORY`."""


def run_apart(limits: Limits, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a function of a module, called in a process apart.

    Raises:
        GaveUpError: there will be no result.
        Exception: whatever the function raises.
    """
    worker = _worker()
    answer = None
    try:
        answer = worker.ask(limits, (function, args, kwargs))
    finally:
        if answer is None:
            worker.end()
            _worker.cache_clear()
    if answer is None:
        raise GaveUpError
    result, error = answer
    if error is not None:
        raise error
    return cast("T", result)


class _Worker:
    """A process that makes one call after the other; the first one pays for its start."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._seen = psutil.Process(self._process.pid)
        self._paused = False

    def ask(self, limits: Limits, call: Any) -> tuple[Any, Exception | None] | None:
        """The answer to a call; None when there will be none."""
        begun = self._worked()
        try:
            self._pipe.send(call)
            while not self._pipe.poll(_LOOK_EVERY):
                memory, worked, is_wanted = self._memory(), self._worked() - begun, limits.is_wanted()
                if memory > MOST_MEMORY or worked > limits.seconds or is_wanted is False:
                    return None
                self._pause(is_wanted is None and memory > UNDECIDED_MEMORY)
            self._pause(False)
            return cast("tuple[Any, Exception | None]", _receive(self._pipe))
        except (EOFError, OSError):
            return None

    def _pause(self, pause: bool) -> None:
        if pause != self._paused:
            self._paused = pause
            with suppress(psutil.Error):
                (self._seen.suspend if pause else self._seen.resume)()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _memory(self) -> float:
        return self._look(lambda: self._seen.memory_info().rss)

    def _worked(self) -> float:
        """Seconds of processor time: to wait for a busy machine is no work."""
        return self._look(lambda: sum(self._seen.cpu_times()[:2]))

    def _look(self, at: Callable[[], float]) -> float:
        try:
            return at()
        except psutil.Error:  # gone; the pipe will tell
            return 0


@cache
def _worker() -> _Worker:
    return _Worker()


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loader hears it, and ends this process with its own
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic prints a backtrace
    while True:
        try:
            function, args, kwargs = pipe.recv()
        except EOFError:
            return
        _send(pipe, _answer(function, args, kwargs))


def _send(pipe: Connection, answer: Any) -> None:
    """What is large, such as the columns of a table, goes as it lies in memory."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(answer, protocol=5, buffer_callback=buffers.append)
    pipe.send((pickled, len(buffers)))
    for buffer in buffers:
        pipe.send_bytes(buffer.raw())


def _receive(pipe: Connection) -> Any:
    pickled, count = pipe.recv()
    return pickle.loads(pickled, buffers=[pipe.recv_bytes() for _ in range(count)])  # noqa: S301 - of our own process


def _answer(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Exception | None]:
    try:
        return function(*args, **kwargs), None
    except Exception as error:  # noqa: BLE001 - raised again by run_apart
        return None, error
    except BaseException:  # noqa: BLE001 - PyO3 makes it of a panic, and it cannot be sent
        return None, GaveUpError()
