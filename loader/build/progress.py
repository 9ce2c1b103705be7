"""What a build knows of the builds before it: which gates it may leave out, and whether it ends complete."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, cast, func, select

from loader.build.dbt import parsed
from loader.build.inputs import Inputs, hash_of
from loader.build.table_states import TableStates
from loader.codegen.derive import refuse_stale_sources
from loader.gates import GateResult, suite_files
from loader.monitoring import RUN_ID
from loader.project import Project
from loader.warehouse.build_mark import (
    BuildMark,
    GatePass,
    gate_passes,
    keep_mark_away,
    read_mark,
    record_gate_passes,
    was_alone,
    withdraw_mark,
    write_mark,
)
from loader.warehouse.engines.types import day
from loader.warehouse.layers import LAYERS
from loader.warehouse.ledger import Applied
from loader.warehouse.meta import now


def complete_build(project: Project) -> BuildMark | None:
    """The last complete build, when all that it was made of is as it was; None when there is something to build."""
    inputs = Inputs.of(project)

    def ask(connection: Connection) -> BuildMark | None:
        mark = read_mark(connection)
        if mark is None or _is_due(project, gate_passes(connection)):
            return None
        return mark if mark.inputs == _all_inputs(connection, inputs, Applied.of(connection)) else None

    return project.warehouse.run(ask)


@dataclass(frozen=True)
class Progress:
    """A build that has begun; the mark of the one before it is taken away."""

    project: Project
    token: str
    states: TableStates
    entering: Applied
    """What was staged and applied when it began."""
    asks_all: bool
    """Whether no gate is left out."""

    @classmethod
    def begin(cls, project: Project, *, ask_all: bool) -> Progress:
        """Take the mark away; nothing else is changed yet.

        Raises:
            UsageError: derived sources are stale.
            EnvironmentFailedError: dbt cannot parse the project.
        """
        refuse_stale_sources(project.root, project.contracts)
        inputs = Inputs.of(project)  # before dbt reads them: what changes meanwhile is seen at the end
        states = TableStates(project, parsed(project), inputs)
        token = uuid.uuid4().hex

        def work(connection: Connection) -> tuple[Applied, bool]:
            withdraw_mark(connection, token=token)
            return Applied.of(connection), _is_due(project, gate_passes(connection))

        entering, is_due = project.warehouse.run(work)
        return cls(project, token, states, entering, ask_all or is_due)

    def begin_layer(self) -> None:
        """Before the first change of a layer: a build that ended meanwhile left its mark."""
        self.project.warehouse.run(lambda connection: keep_mark_away(connection, self.token))

    def tables_to_ask(self, layer: str, tables: Sequence[str]) -> tuple[list[str], Applied]:
        """Those of the tables that may have changed since their gate passed, and what was applied until now."""
        passes, applied = self.project.warehouse.run(lambda c: (gate_passes(c), Applied.of(c)))

        def is_unchanged(table: str) -> bool:
            passed = passes.get((layer, table))
            states = {self.states.of(layer, table, one) for one in (self.entering, applied)}
            return passed is not None and states == {passed.state}

        return [table for table in tables if self.asks_all or not is_unchanged(table)], applied

    def record_gate(self, connection: Connection, result: GateResult, asked: Applied) -> None:
        """Write down what passed, in which state; `asked` is what was applied before the tables were asked."""
        applied = Applied.of(connection)
        # what somebody else loads or builds meanwhile may be in some tables and not in others
        expected = Applied(self.entering.loads, applied.ledger, applied.is_settled)
        is_alone = was_alone(connection, self.token, RUN_ID)
        failed = {check.table for check in result.checks if check.is_bad}

        def state_of(table: str) -> str | None:
            states = {self.states.of(result.gate, table, one) for one in (asked, applied, expected)}
            return states.pop() if is_alone and len(states) == 1 and table not in failed else None

        tables = {check.table for check in result.checks}
        record_gate_passes(connection, result.gate, {table: state_of(table) for table in tables})

    def complete(self, warnings: Sequence[str]) -> None:
        """All that there is was built and has passed: write the mark, unless somebody else changed something."""
        inputs = self.states.inputs
        is_same = Inputs.of(self.project).hashes["files"] == inputs.hashes["files"]
        if not is_same or inputs.has_unknown_variables or self.states.has_foreign_sources():
            return

        def work(connection: Connection) -> None:
            applied = Applied.of(connection)
            is_settled = applied.is_settled and applied.loads == self.entering.loads
            if is_settled and was_alone(connection, self.token, RUN_ID):
                hashes = _all_inputs(connection, inputs, applied)
                mark = BuildMark(self.project.target.name, hashes, tuple(warnings), now())
                write_mark(connection, self.token, mark)

        self.project.warehouse.run(work)


def _all_inputs(connection: Connection, inputs: Inputs, applied: Applied) -> dict[str, str]:
    """A hash of each thing that a build is made of."""
    hashes = {**inputs.hashes, "loads": hash_of(dict(applied.loads)), "ledger": hash_of(dict(applied.ledger))}
    if inputs.asking_for_today:
        here: object = connection.execute(select(cast(func.current_date(), day()))).scalar_one()
        hashes["today"] = hash_of([here, now().date()])
    return hashes


def _is_due(project: Project, passes: Mapping[tuple[str, str], GatePass]) -> bool:
    """Whether all gates are to be asked again: one was asked last before `gate_all_every`."""
    before = now() - project.settings.gate_all_every
    asked = [passes.get((layer, table)) for layer in LAYERS for table in suite_files(project.root, layer)]
    return any(one is not None and one.passed_at <= before for one in asked)
