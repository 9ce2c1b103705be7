"""`loader run` on an empty warehouse, as a user starts it: all imports count."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.measure import print_result
from benchmarks.projects import forget_files
from benchmarks.stage.loader import steps


def main(root: Path) -> None:
    forget_files(root)
    started = time.perf_counter()
    from loader.cli.app import main as loader

    try:
        loader(["--project-dir", str(root), "run"])
    except SystemExit as end:  # a command always ends so
        if end.code:
            raise
    seconds = time.perf_counter() - started
    from loader.project import Project

    parts = steps(Project.open(root))
    print_result(seconds, parts | {"imports, settings": seconds - sum(parts.values())})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
