"""Build: `dbt build` layer by layer, with the gate of each layer after it; the first failing gate stops it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from loader import console
from loader.build.dbt import DbtResult, run_dbt
from loader.build.progress import Progress, complete_build
from loader.errors import RefusedError
from loader.gates import GateRefusedError, GateResult, render, run_gate, suite_files
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.text import plural
from loader.warehouse.build_mark import forget_gate_passes, withdraw_mark
from loader.warehouse.layers import CORE, LAYERS, MART, STAGE
from loader.warehouse.meta import now, validation_ids, validation_log

_MARTS, _TESTS = "dbt_project/models/marts", "dbt_project/tests"
_REPEATS = 2
"""Of a layer in which somebody else's transaction got in the way."""


_SELECT = {CORE: "source:* resource_type:snapshot", MART: "resource_type:model resource_type:seed"}
"""What dbt builds of a layer; the loader has made `stage`."""


class Part(NamedTuple):
    """A subject alone: its datasets, and what lies in `models/marts/<subject>` and `models/marts/shared`."""

    subject: str
    datasets: tuple[str, ...]

    def others(self, project: Project) -> list[str]:
        """The other subjects, by their folders."""
        folders = (project.root / _MARTS).iterdir()
        return sorted(path.name for path in folders if path.is_dir() and path.name not in (self.subject, "shared"))

    def select(self, project: Project, layer: str) -> list[str]:
        """Arguments of dbt. All histories are built, since shared models may read any of them."""
        if layer == CORE:
            sources = [f"source:{STAGE}.{name}" for name in self.datasets]
            return ["--select", *sources, "resource_type:snapshot"]
        folders = [f"{place}/{name}" for name in self.others(project) for place in (_MARTS, _TESTS)]
        left_out = [f"path:{folder}" for folder in folders if (project.root / folder).is_dir()]
        return ["--select", *_SELECT[layer].split(), *(["--exclude", *left_out] if left_out else [])]

    def suites(self, project: Project, layer: str) -> list[str]:
        """The tables of a layer that the gate asks."""
        found = set(suite_files(project.root, layer))
        if layer != MART:
            return sorted(found & set(self.datasets))
        models = [(project.root / _MARTS / name).rglob("*.sql") for name in self.others(project)]
        return sorted(found - {path.stem for of_subject in models for path in of_subject})


def build_if_changed(project: Project, *, check_all: bool = False) -> None:
    """Build, unless nothing has changed since the last complete build; raises as `build` does."""
    done = None if check_all else complete_build(project)
    if done is None:
        build(project, check_all=check_all)
        return
    _show_warnings(done.warnings)
    when = f"{done.built_at:%Y-%m-%d %H:%M}"
    console.say(f"unchanged  nothing has changed since the build of {when} UTC; `loader build` builds all the same")


def build(project: Project, *, full: bool = False, check_all: bool = False, part: Part | None = None) -> None:
    """Bring core and mart up to date with stage; of the mart, `part` when it is given.

    `full` makes facts from scratch. Gates ask the tables that may have changed since they passed; all of them when
    `check_all` says so, when the last time is too long ago, and after a `full` build.

    Raises:
        RefusedError: a model, a test or a gate failed; what was built before it stays.
        EnvironmentFailedError: dbt could not work at all.
    """
    progress = Progress.begin(project, ask_all=check_all or full)
    warnings: list[str] = []
    for layer in LAYERS:
        started = time.perf_counter()
        done = []
        if layer in _SELECT:
            built = _build_layer(progress, layer, full, part)
            warnings += built.warned
            done.append(str(built) or "nothing to build")
        if _has_gate(project, layer):
            done.append(f"gate: {_gate_changed(progress, layer, part)}")
        else:
            done.append(f"no gate: gx/expectations/{layer} has no suite")
        console.say(f"built      {layer:<5}  {'; '.join(done)}  {time.perf_counter() - started:.1f} s")
    if part is None:
        progress.complete(warnings)


def _build_layer(progress: Progress, layer: str, full: bool, part: Part | None) -> DbtResult:
    project = progress.project
    with project.audit.step("build", subject=layer):
        progress.begin_layer()
        # buildable: a test runs as soon as all that it reads is built, not before
        selected = part.select(project, layer) if part else ["--select", *_SELECT[layer].split()]
        arguments = ["build", "--indirect-selection", "buildable", *selected]
        if full:
            arguments.append("--full-refresh")
        if progress.asks_all:
            arguments += ["--vars", "check_all: true"]
        result = run_dbt(project, arguments)
        for _ in range(_REPEATS):
            if not result.deadlocked:
                break
            console.note("dbt: a node was the victim of a deadlock and wrote nothing; building the layer again")
            result = run_dbt(project, arguments)
        _show_warnings(result.warned)
        if result.failed:
            raise RefusedError(
                f"dbt build of {layer}: {'; '.join(result.failed)}. target/run and target/compiled have the SQL"
            )
    return result


def _show_warnings(warnings: Sequence[str]) -> None:
    for line in warnings:
        console.note(f"dbt: {line}")


def _gate_changed(progress: Progress, layer: str, part: Part | None) -> str:
    """Ask the tables of a layer that may have changed; returns what to say of it."""
    project = progress.project
    tables = part.suites(project, layer) if part else list(suite_files(project.root, layer))
    asked, applied = progress.tables_to_ask(layer, tables)
    if tables and not asked:
        return f"none of {plural(len(tables), 'table')} changed"
    result = _gate(project, layer, asked, partial(progress.record_gate, asked=applied))
    if not result.passed:
        console.show(render(result))
    _refuse_failed(layer, result)
    left_out = f", {len(tables) - len(asked)} of {plural(len(tables), 'table')} unchanged" if asked != tables else ""
    return f"{result.count('passed')} checks passed{left_out}"


def _has_gate(project: Project, layer: str) -> bool:
    """Whether a layer has suites; staged datasets must have, theirs are derived."""
    return bool(suite_files(project.root, layer)) or (layer == STAGE and bool(project.contracts.datasets))


def gate(project: Project, layer: str, *, verbose: bool = False) -> None:
    """Run the suites of a layer, show the result and record it; raises RefusedError when an expectation failed."""
    result = _gate(project, layer, None, _forget_failed)
    console.show(render(result, verbose=verbose))
    console.say(result.summary)
    _refuse_failed(layer, result)


def _forget_failed(connection: Connection, result: GateResult) -> None:
    """The next run has to build and to ask again what did not pass."""
    failed = sorted({check.table for check in result.checks if check.is_bad})
    if failed:
        withdraw_mark(connection)
        forget_gate_passes(connection, result.gate, failed)


def _gate(
    project: Project,
    layer: str,
    tables: Sequence[str] | None,
    remember: Callable[[Connection, GateResult], None],
) -> GateResult:
    """Ask tables of a layer, all of them for None; `remember` is called in the transaction that records the result."""
    with project.audit.step("gate", subject=layer) as step:
        engine = project.warehouse.engine
        result = project.warehouse.when_free(lambda: run_gate(layer, engine, project.root, project.contracts, tables))

        def record(connection: Connection) -> None:
            _record(connection, layer, result)
            remember(connection, result)
            step.end(connection)

        project.warehouse.run(record)
    return result


def _refuse_failed(layer: str, result: GateResult) -> None:
    failed = sorted({check.table for check in result.checks if check.is_bad})
    if failed:
        tables = ", ".join(f"{layer}.{table}" for table in failed)
        raise GateRefusedError(
            f"the {layer} gate refused {tables}; the table above says what was found, "
            f"gx/expectations/{layer}/ what was expected",
            result,
        )


def _record(connection: Connection, layer: str, result: GateResult) -> None:
    for table in sorted({check.table for check in result.checks}):
        checks = [check for check in result.checks if check.table == table]
        failed = [check for check in checks if check.is_bad]
        connection.execute(
            insert(validation_log).values(
                validation_id=connection.execute(select(validation_ids.next_value())).scalar_one(),
                gate=layer,
                table_name=table,
                status="refused" if failed else "passed",
                checks=sum(check.result != "skipped" for check in checks),
                failed=len(failed),
                summary=json.dumps({check.check: check.details for check in failed}),
                validated_at=now(),
                run_id=RUN_ID,
            )
        )
