"""One measurement is one process of its own: nothing is warm, and its peak memory is its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.people import CONTRACT

if TYPE_CHECKING:
    from loader.project import Project

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Measured:
    """The median of several runs of one thing."""

    seconds: float
    megabytes: float
    """Peak resident memory of the process."""
    details: dict[str, float]
    """Seconds of the parts that the run told of."""


@dataclass(frozen=True)
class Line:
    """One figure, beside the one that it is held against."""

    what: str
    seconds: float
    against: str = ""
    ratio: float | None = None
    limit: str = ""
    megabytes: float | None = None


def new_project(folder: Path) -> Project:
    """A scratch project with the one dataset that is measured: the macros of the repository, no models."""
    from loader.derive import derive
    from loader.project import Project

    for part in ("macros", "tests/generic"):
        shutil.copytree(REPOSITORY / "dbt_project" / part, folder / "dbt_project" / part)
    for part in ("snapshots", "models/staging"):
        (folder / "dbt_project" / part).mkdir(parents=True)
    shutil.copy(REPOSITORY / "dbt_project/models/staging/_meta__sources.yml", folder / "dbt_project/models/staging")
    for name in ("dbt_project.yml", "profiles.yml.example"):
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "datasets_config.yml").write_text(CONTRACT, encoding="utf-8")
    project = Project.open(folder)
    derive(folder, project.contracts)
    return project


def measure(module: str, *args: object, repeat: int = 3) -> Measured:
    """Run `python -m module args` several times; it prints `{"seconds": …, …}` as its last line.

    Raises:
        RuntimeError: a run failed; its output is in the message.
    """
    runs = [_run_once(module, *args) for _ in range(repeat)]
    parts = {name for run in runs for name in run} - {"seconds", "megabytes"}
    return Measured(
        median(run["seconds"] for run in runs),
        max(run["megabytes"] for run in runs),
        {part: median(run[part] for run in runs) for part in sorted(parts)},
    )


def _run_once(module: str, *args: object) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", module, *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{module} {' '.join(map(str, args))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    said: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def tell(seconds: float, **parts: Any) -> None:
    """What a measured process prints last: its seconds, those of its parts, its peak memory."""
    print(json.dumps({"seconds": seconds, "megabytes": _peak_megabytes(), **parts}))


def _peak_megabytes() -> float:
    """Peak resident memory of this process.

    On Linux not `ru_maxrss`: a process inherits that of the one that started it.
    """
    if sys.platform == "linux":
        said = Path("/proc/self/status").read_text(encoding="ascii")
        return float(said.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    import psutil

    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return float(memory.peak_wset) / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
