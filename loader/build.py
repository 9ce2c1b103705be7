"""Build: `dbt build` layer by layer, with the gate of each layer after it; the first failing gate stops it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from loader import console
from loader.audit import RUN_ID
from loader.dbt import DbtResult, run_dbt
from loader.errors import RefusedError
from loader.gates import GateResult, render, run_gate
from loader.meta import now, validation_ids, validation_log
from loader.project import Project

_REPEATS = 2
"""Of a layer in which somebody else's transaction got in the way."""


@dataclass(frozen=True)
class Layer:
    """A layer of the warehouse, and what dbt builds of it; None for what the loader made."""

    name: str
    select: str | None


LAYERS = (
    Layer("stage", None),
    Layer("core", "source:* resource_type:snapshot"),
    Layer("mart", "resource_type:model resource_type:seed"),
)


def build(project: Project, *, full: bool = False) -> None:
    """Bring core and mart up to date with stage.

    Raises:
        RefusedError: a model, a test or a gate failed; what was built before it stays.
        EnvironmentFailedError: dbt could not work at all.
    """
    for layer in LAYERS:
        started = time.perf_counter()
        built = _build_layer(project, layer, full) if layer.select is not None else None
        checked = _gate(project, layer.name)
        if not checked.passed:
            console.show(render(checked))
        _refuse_failed(layer.name, checked)
        said = f"{built}; " if built else ""
        seconds = time.perf_counter() - started
        console.say(f"built      {layer.name:<5}  {said}gate: {checked.count('passed')} checks passed  {seconds:.1f} s")


def _build_layer(project: Project, layer: Layer, full: bool) -> DbtResult:
    with project.audit.step("build", subject=layer.name):
        # buildable: a test runs as soon as all that it reads is built, not before
        arguments = ["build", "--indirect-selection", "buildable", "--select", *str(layer.select).split()]
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
                f"dbt build of {layer.name}: {'; '.join(result.failed)}. target/run and target/compiled have the SQL"
            )
    return result


def gate(project: Project, layer: str, *, verbose: bool = False) -> None:
    """Run the suites of a layer, show the result and record it; raises RefusedError when an expectation failed."""
    result = _gate(project, layer)
    console.show(render(result, verbose=verbose))
    console.say(result.summary)
    _refuse_failed(layer, result)


def _gate(project: Project, layer: str) -> GateResult:
    with project.audit.step("gate", subject=layer) as step:
        result = run_gate(layer, project.warehouse.engine.url(), project.root, project.contracts)

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
