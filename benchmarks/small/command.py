"""The processor seconds of one command of the loader, as a user starts it: a process of its own, with its children."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.measure import print_result


def main(root: str, *command: str) -> None:
    before = os.times()
    subprocess.run([sys.executable, "-m", "loader", "--project-dir", root, *command], check=True, capture_output=True)
    after = os.times()
    print_result(after.children_user - before.children_user + after.children_system - before.children_system)


if __name__ == "__main__":
    main(*sys.argv[1:])
