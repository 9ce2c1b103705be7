"""Calls that may not come back: they run in a process apart, which is watched.

calamine takes the sizes and chains in a file at their word. A damaged or hostile workbook makes it ask for more memory
than there is (which ends the process), go round in circles, or panic: nothing of that can be caught from within.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator
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


def stream_apart(limits: Limits, function: Callable[P, Iterator[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
    """The items that a generator function of a module yields in a process apart, each made while the last is used.

    There is one such process: the next call ends the one before, whose items are gone.

    Raises:
        GaveUpError: there will be no more of them.
        RuntimeError: another call was made meanwhile.
        Exception: whatever the function raises.
    """
    worker = _worker()
    try:
        for item, error in worker.ask(limits, (function, args, kwargs)):
            if error is not None:
                raise error
            yield cast("T", item)
    except _NoAnswerError:
        worker.end()
        _worker.cache_clear()
        raise GaveUpError from None


_Answer = tuple[Any, Exception | None]


class _NoAnswerError(Exception):
    """The process is gone, or has to go."""


class _Worker:
    """A process that makes one call after the other. It hands out an item when it is asked for one."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._seen = psutil.Process(self._process.pid)
        self._paused = False
        self._owes = False
        """Whether an item was asked for that nobody took yet."""
        self._calls = 0

    def ask(self, limits: Limits, call: Any) -> Iterator[_Answer]:
        """The answers to a call; raises _NoAnswerError when there will be none any more."""
        begun = self._worked()
        self._calls += 1
        number = self._calls
        try:
            if self._owes:
                self._answer(limits, begun)
            self._ask_for(call)
            while (answer := self._answer(limits, begun)) is not None:
                if answer[1] is None:
                    self._ask_for(None)
                yield answer
                if number != self._calls:
                    raise RuntimeError("another workbook was opened before this one was read to its end")
        except (EOFError, OSError):
            raise _NoAnswerError from None

    def _ask_for(self, call: Any) -> None:
        self._pipe.send(call)
        self._owes = True

    def _answer(self, limits: Limits, begun: float) -> _Answer | None:
        while not self._pipe.poll(_LOOK_EVERY):
            memory, worked, is_wanted = self._memory(), self._worked() - begun, limits.is_wanted()
            if memory > MOST_MEMORY or worked > limits.seconds or is_wanted is False:
                raise _NoAnswerError
            self._pause(is_wanted is None and memory > UNDECIDED_MEMORY)
        self._pause(False)
        self._owes = False
        return cast("_Answer | None", _receive(self._pipe))

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
    items: Iterator[Any] = iter(())
    while True:
        try:
            call = pipe.recv()
        except EOFError:
            return
        if call is not None:
            function, args, kwargs = call
            items = function(*args, **kwargs)
        _send(pipe, _next(items))


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


def _next(items: Iterator[Any]) -> _Answer | None:
    """None at the end."""
    try:
        return next(items), None
    except StopIteration:
        return None
    except Exception as error:  # noqa: BLE001 - raised again by stream_apart
        return None, error
    except BaseException:  # noqa: BLE001 - PyO3 makes it of a panic, and it cannot be sent
        return None, GaveUpError()
