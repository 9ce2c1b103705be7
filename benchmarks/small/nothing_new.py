"""What a schedule pays when nothing has landed: `loader run`, beside a build that asks everything."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Line, compared, measure, run
from benchmarks.projects import citizens_project


def nothing_new(folder: Path, scale: float) -> list[Line]:
    """Six months of citizens, built; the figures are processor seconds of all processes."""
    root = citizens_project(folder).root
    for command in (("sample-data", "--rows", max(10, int(5_000 * scale))), ("run",)):
        run("benchmarks.small.command", root, *command)
    whole = measure("benchmarks.small.command", root, "build", "--check-all")
    changed = measure("benchmarks.small.command", root, "build")
    idle = measure("benchmarks.small.command", root, "run")
    # the memory measured is that of the process that waits for them
    return [
        Line("processor, six months of citizens: loader build --check-all", whole.seconds),
        compared("processor, nothing new: loader build", changed.seconds, "--check-all", whole, None),
        compared("processor, nothing new: loader run", idle.seconds, "--check-all", whole, None),
        Line("processor, nothing new: loader run", idle.seconds, at_most=2),
    ]
