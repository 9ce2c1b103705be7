"""Processes of the loader and of dbt that a test waits for, or kills.

dbt and Great Expectations take seconds to import. Where it is safe to fork, a server imports them once (see
`tests.support.preloaded`) and each process comes from it, ready to work; elsewhere each is a new interpreter.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, TextIO

from tests.support import faults

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = {"loader": "from loader.cli import main; main()", "dbt": "from dbt.cli.main import cli; cli()"}
PATIENCE_SECONDS = 120
CAN_FORK = sys.platform == "linux"

# for all processes of the tests, and those that Python itself starts for them
os.environ["PYTHONPATH"] = str(REPOSITORY)  # no program runs where the loader lies
os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"  # whoever is killed leaves semaphores


class Process(Protocol):
    """What tests use of `subprocess.Popen[str]`."""

    pid: int
    stdout: TextIO
    stderr: TextIO

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def communicate(self) -> tuple[str, str]: ...
    def kill(self) -> None: ...


def start(program: str, args: Sequence[object], cwd: Path, env: Mapping[str, str] | None = None) -> Process:
    """Run one of PROGRAMS in the folder `cwd`, with the environment of this moment and what `env` adds to it."""
    environment = {**os.environ, **(env or {})}
    command = [program, *map(str, args)]
    return _Forked(command, cwd, environment) if CAN_FORK else _started(command, cwd, environment)


def wait_until(condition: Callable[[], bool], *processes: Process) -> None:
    """Wait for what these processes, which must not end before, will bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def _started(command: Sequence[str], cwd: Path, env: dict[str, str]) -> Process:
    program, *args = command
    return subprocess.Popen(  # type: ignore[return-value]  # its pipes are not None
        [sys.executable, "-u", "-c", PROGRAMS[program], *args],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


class _Forked:
    """A process that came from the server."""

    def __init__(self, command: Sequence[str], cwd: Path, env: dict[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.support.preloaded"])
        (out, out_there), (err, err_there) = context.Pipe(duplex=False), context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(command, cwd, env, out_there, err_there))
        with _preloaded():
            self._process.start()
        self.pid = int(self._process.pid or 0)
        for end in (out_there, err_there):
            end.close()
        self.stdout, self.stderr = _text_of(out), _text_of(err)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int:
        self._process.join()
        return int(self._process.exitcode or 0)

    def communicate(self) -> tuple[str, str]:
        with ThreadPoolExecutor() as readers, self.stdout, self.stderr:
            output, errors = readers.map(lambda stream: stream.read(), (self.stdout, self.stderr))
        self.wait()
        return output, errors

    def kill(self) -> None:
        self._process.kill()


@contextmanager
def _preloaded() -> Iterator[None]:
    """The server, should it start now, has the library of faults in front of libc."""
    library, before = faults.library(), os.environ.get("LD_PRELOAD")
    if library is not None:
        os.environ["LD_PRELOAD"] = f"{library}:{before}" if before else str(library)
    try:
        yield
    finally:
        if library is not None:
            os.environ.pop("LD_PRELOAD") if before is None else os.environ.update(LD_PRELOAD=before)


def _text_of(pipe: Connection) -> TextIO:
    with pipe:
        return os.fdopen(os.dup(pipe.fileno()), encoding="utf-8")


def _work(command: Sequence[str], cwd: Path, env: dict[str, str], out: Connection, err: Connection) -> None:
    """The life of a forked process: as if it had been started by name."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.stdout, sys.stderr = _instead_of(1, out), _instead_of(2, err)
    sys.argv = list(command)
    _renew_run_id()
    faults.arm()
    exec(PROGRAMS[command[0]])


def _renew_run_id() -> None:
    """The loader has one for each process, which it makes when it is imported."""
    run_id = uuid.uuid4().hex
    for name, module in list(sys.modules.items()):
        if name.startswith("loader.") and hasattr(module, "RUN_ID"):
            module.RUN_ID = run_id  # type: ignore[attr-defined]


def _instead_of(descriptor: int, pipe: Connection) -> TextIO:
    with pipe:
        os.dup2(pipe.fileno(), descriptor)
    return os.fdopen(descriptor, "w", encoding="utf-8", buffering=1, closefd=False)
