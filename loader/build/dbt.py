"""dbt in this process: it costs seconds to start, and DuckDB lets in one process only."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loader.disclosure import names_in, without_values
from loader.errors import EnvironmentFailedError
from loader.gates.origins import compiled_path, target_folder
from loader.project import Project
from loader.text import first_lines, plural


@dataclass(frozen=True)
class DbtResult:
    """What became of the nodes of one dbt command."""

    done: Counter[str]
    """Successful nodes by resource type."""
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    """Nodes that failed, with dbt's message."""
    deadlocked: bool
    """One of them was the victim of a deadlock: it may well succeed when the command is repeated."""

    def __str__(self) -> str:
        return ", ".join(plural(count, kind) for kind, count in sorted(self.done.items()))


def run_dbt(project: Project, arguments: Sequence[str]) -> DbtResult:
    """Run one dbt command against the project's target.

    dbt leaves neither log nor results behind: it writes down what a database says of a value that does not fit.

    Raises:
        EnvironmentFailedError: dbt could not work at all (parsing, connection).
    """
    answer = _invoke(project, [*arguments, "--no-write-json"], parsed(project))
    _write_snapshots(project, answer.results)
    done: Counter[str] = Counter()
    warned, failed = [], []
    deadlocked = False
    for node in answer.results:
        kind = str(node.node.resource_type).replace("_", " ")
        if node.status in ("success", "pass"):
            done.update([] if kind == "operation" else [kind])
        elif node.status == "warn":
            warned.append(f"{node.node.name}: {node.message}")
        elif node.status != "skipped":
            failed.append(f"{kind} {node.node.name}: {_reason(node)}")
            deadlocked |= project.warehouse.engine.is_deadlock(str(node.message))
    return DbtResult(done, tuple(warned), tuple(failed), deadlocked)


def write_dbt_docs(project: Project, page: Path) -> None:
    """Write dbt's documentation of the warehouse as one page that needs no other file and no network.

    Raises:
        EnvironmentFailedError: dbt could not work at all (parsing, connection).
    """
    target = target_folder(project.root)
    _invoke(project, ["docs", "generate", "--static", "--target-path", str(target)], parsed(project))
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target / "static_index.html", page)


@cache
def parsed(project: Project) -> Any:
    """The project's manifest; parsed once, a build runs dbt more than once.

    Raises:
        EnvironmentFailedError: dbt cannot parse the project.
    """
    return _invoke(project, ["parse"], None)


def _invoke(project: Project, arguments: Sequence[str], manifest: Any) -> Any:
    return project.warehouse.when_free(lambda: _invoke_once(project, arguments, manifest))


def _invoke_once(project: Project, arguments: Sequence[str], manifest: Any) -> Any:
    from dbt.cli.main import dbtRunner

    project.settings.log_dir.mkdir(parents=True, exist_ok=True)
    options = [
        *("--project-dir", str(project.root)),
        *("--profiles-dir", str(project.profiles_dir)),
        *("--log-path", str(project.settings.log_dir)),
        # said where it need not be, it is another configuration to dbt, and a plain `dbt build` would parse all anew
        *(() if project.target.is_default else ("--target", project.target.name)),
    ]
    # paths of a profile are relative to the folder in which dbt runs
    with chdir(project.root), _connections_closed(project):
        answer = dbtRunner(manifest).invoke(["--log-level", "none", "--no-use-colors", *arguments, *options])
    if answer.exception is not None:
        raise EnvironmentFailedError(f"dbt {arguments[0]}: {_message(answer.exception)}")
    return answer.result


def _write_snapshots(project: Project, results: Iterable[Any]) -> None:
    """Put the SQL of snapshots beside that of models, which dbt leaves out: columns are traced through both."""
    for node in (result.node for result in results):
        if node.resource_type == "snapshot" and node.compiled_code:
            path = compiled_path(target_folder(project.root), node.to_dict())
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(node.compiled_code, encoding="utf-8")


def _reason(node: Any) -> str:
    """Why a node failed: what dbt says of a test, what the database says of a statement without its values."""
    message = _message(node.message or node.status)
    if node.status == "fail":
        return message
    names = names_in(node.node.unique_id, node.node.raw_code, node.node.compiled_code)
    return without_values(message, [*names, node.node.original_file_path])


def _message(text: object) -> str:
    """dbt says in its first line where something is wrong, and in the next ones what."""
    return " ".join(first_lines(text, 3))


@contextmanager
def _connections_closed(project: Project) -> Iterator[None]:
    """Let go of the warehouse afterwards: dbt's adapter would keep it for the life of the process."""
    from dbt.adapters.factory import cleanup_connections, reset_adapters

    try:
        yield
    finally:
        cleanup_connections()
        reset_adapters()
        project.warehouse.engine.release_dbt()
