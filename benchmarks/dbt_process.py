"""dbt inside a measured process: what it answers, how long it took in all, and its statements alone."""

from __future__ import annotations

import time
from contextlib import chdir
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loader.project import Project


@dataclass(frozen=True)
class Invoked:
    """One dbt command."""

    result: Any
    seconds: float
    """In all; dbt had been imported."""
    sql_seconds: float
    """Of the statements of its nodes."""


def invoke_dbt(project: Project, *arguments: str, manifest: Any = None) -> Invoked:
    """Run `dbt arguments` in the project; raises RuntimeError when it fails."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    spent: list[float] = []

    def listen(event: Any) -> None:
        if event.info.name == "SQLQueryStatus" and event.data.node_info.unique_id:
            spent.append(event.data.elapsed)

    root = str(project.root)
    quiet = ["--quiet", "--log-level-file", "none", "--log-path", root]
    started = time.perf_counter()
    with chdir(project.root):
        answer = dbtRunner(manifest, callbacks=[listen]).invoke(
            [*quiet, *arguments, "--project-dir", root, "--profiles-dir", root]
        )
    seconds = time.perf_counter() - started
    reset_adapters()  # type: ignore[no-untyped-call]
    project.warehouse.engine.release_dbt()
    if not answer.success:
        raise RuntimeError(f"dbt {' '.join(arguments)}: {answer.exception or answer.result}")
    return Invoked(answer.result, seconds, sum(spent))
