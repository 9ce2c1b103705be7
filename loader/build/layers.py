"""Build: `dbt build` layer by layer, with the gate of each layer after it; the first failing gate stops it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from loader import console
from loader.build.dbt import DbtResult, run_dbt
from loader.errors import RefusedError
from loader.gates import GateResult, has_suites, render, run_gate, suite_files
from loader.monitoring import RUN_ID
from loader.project import Project
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


def build(project: Project, *, full: bool = False, part: Part | None = None) -> None:
    """Bring core and mart up to date with stage; of the mart, `part` when it is given.

    Raises:
        RefusedError: a model, a test or a gate failed; what was built before it stays.
        EnvironmentFailedError: dbt could not work at all.
    """
    for layer in LAYERS:
        started = time.perf_counter()
        done = [str(_build_layer(project, layer, full, part)) or "nothing to build"] if layer in _SELECT else []
        if _has_gate(project, layer):
            checked = _gate(project, layer, part.suites(project, layer) if part else None)
            if not checked.passed:
                console.show(render(checked))
            _refuse_failed(layer, checked)
            done.append(f"gate: {checked.count('passed')} checks passed")
        else:
            done.append(f"no gate: gx/expectations/{layer} has no suite")
        console.say(f"built      {layer:<5}  {'; '.join(done)}  {time.perf_counter() - started:.1f} s")


def _build_layer(project: Project, layer: str, full: bool, part: Part | None) -> DbtResult:
    with project.audit.step("build", subject=layer):
        # buildable: a test runs as soon as all that it reads is built, not before
        selected = part.select(project, layer) if part else ["--select", *_SELECT[layer].split()]
        arguments = ["build", "--indirect-selection", "buildable", *selected]
        if full:
            arguments.append("--full-refresh")
        result = run_dbt(project, arguments)
        for _ in range(_REPEATS):
            if not result.deadlocked:
                break
            console.note("dbt: a node was the victim of a deadlock and wrote nothing; building the layer again")
            result = run_dbt(project, arguments)
        for line in result.warned:
            console.note(f"dbt: {line}")
        if result.failed:
            raise RefusedError(
                f"dbt build of {layer}: {'; '.join(result.failed)}. target/run and target/compiled have the SQL"
            )
    return result


def _has_gate(project: Project, layer: str) -> bool:
    """Whether a layer has suites; staged datasets must have, theirs are derived."""
    return has_suites(project.root, layer) or (layer == STAGE and bool(project.contracts.datasets))


def gate(project: Project, layer: str, *, verbose: bool = False) -> None:
    """Run the suites of a layer, show the result and record it; raises RefusedError when an expectation failed."""
    result = _gate(project, layer)
    console.show(render(result, verbose=verbose))
    console.say(result.summary)
    _refuse_failed(layer, result)


def _gate(project: Project, layer: str, tables: Sequence[str] | None = None) -> GateResult:
    with project.audit.step("gate", subject=layer) as step:
        engine = project.warehouse.engine
        result = project.warehouse.when_free(lambda: run_gate(layer, engine, project.root, project.contracts, tables))

        def record(connection: Connection) -> None:
            _record(connection, layer, result)
            step.end(connection)

        project.warehouse.run(record)
    return result


def _refuse_failed(layer: str, result: GateResult) -> None:
    failed = sorted({check.table for check in result.checks if check.is_bad})
    if failed:
        tables = ", ".join(f"{layer}.{table}" for table in failed)
        raise RefusedError(
            f"the {layer} gate refused {tables}; the table above says what was found, "
            f"gx/expectations/{layer}/ what was expected"
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
