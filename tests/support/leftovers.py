"""Waits for the end of a test run, however it ends, then stops the server that it started and removes its folder.

python -m tests.support.leftovers PID FOLDER
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def main(pid: int, folder: Path) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait()
    for found in folder.glob("*/postmaster.pid"):
        with suppress(psutil.Error, OSError, ValueError):
            server = psutil.Process(int(found.read_text(encoding="utf-8").splitlines()[0]))
            for process in (server, *server.children()):
                process.kill()
            server.wait(timeout=10)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
