"""The mark of a complete build, and which tables have passed their gate: what a build may leave out.

Whoever changes what a build has made takes the mark away, in the transaction of the change or before it. There is one
row, so that the engine's own lock on it keeps builds apart that run at once.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from loader.warehouse.meta import build_mark, etl_audit, gate_pass, now

_NONE = "none"
"""The token when no build has the mark."""
_LONGEST_BUILD = dt.timedelta(days=1)
"""A build of another machine that began longer ago was killed."""


@dataclass(frozen=True)
class BuildMark:
    """What a complete build was made of."""

    target: str
    inputs: Mapping[str, str]
    """A hash of each thing that it was made of, by its name."""
    warnings: tuple[str, ...]
    built_at: dt.datetime
    """When it ended (UTC)."""


@dataclass(frozen=True)
class GatePass:
    """That the gate of a table has passed."""

    state: str
    """Hash of what the table and its suite were made of."""
    passed_at: dt.datetime
    """When (UTC)."""


def read_mark(connection: Connection) -> BuildMark | None:
    """The mark of the last complete build; None when something was changed since."""
    row = connection.execute(select(build_mark)).first()
    if row is None or row.inputs is None:
        return None
    return BuildMark(row.target, json.loads(row.inputs), tuple(json.loads(row.warnings)), row.built_at)


def withdraw_mark(connection: Connection, *, token: str = _NONE) -> None:
    """Take the mark away; `token` is that of a whole build that begins, and will write it anew."""
    connection.execute(update(build_mark).values(token=token, **_NO_MARK))


def keep_mark_away(connection: Connection, token: str) -> None:
    """Take away the mark of another build that has ended meanwhile; that of `token` cannot be written then either."""
    others = update(build_mark).where(build_mark.c.token != token)
    connection.execute(others.values(token=_NONE, **_NO_MARK))


def write_mark(connection: Connection, token: str, mark: BuildMark) -> None:
    """Write the mark of the build `token`; the caller has asked in the same transaction whether it was alone."""
    mine = update(build_mark).where(build_mark.c.token == token)
    values = {"inputs": json.dumps(dict(mark.inputs), sort_keys=True), "warnings": json.dumps(mark.warnings)}
    connection.execute(mine.values(target=mark.target, built_at=mark.built_at, **values))


def was_alone(connection: Connection, token: str, run_id: str) -> bool:
    """Whether nobody took the mark away since the build `token` of the command `run_id` began, and no other runs."""
    if connection.execute(select(build_mark.c.token)).scalar() != token:
        return False
    audit = etl_audit.c
    others = (audit.step == "build") & (audit.status == "running") & (audit.run_id != run_id)
    since = audit.started_at > now() - _LONGEST_BUILD
    return connection.execute(select(audit.audit_id).where(others & since)).first() is None


def gate_passes(connection: Connection) -> dict[tuple[str, str], GatePass]:
    """The tables whose gate has passed, by layer and name."""
    rows = connection.execute(select(gate_pass))
    return {(row.layer, row.table_name): GatePass(row.state, row.passed_at) for row in rows}


def record_gate_passes(connection: Connection, layer: str, states: Mapping[str, str | None]) -> None:
    """Write down the state in which the gate of each table has passed; None for one that has to be asked again."""
    forget_gate_passes(connection, layer, list(states))
    passed = [
        {"layer": layer, "table_name": table, "state": state, "passed_at": now()}
        for table, state in states.items()
        if state is not None
    ]
    if passed:
        connection.execute(insert(gate_pass), passed)


def forget_gate_passes(connection: Connection, layer: str | None = None, tables: Sequence[str] = ()) -> None:
    """Have tables of a layer asked again by the next build; all tables when no layer is named."""
    here = delete(gate_pass)
    if layer is not None:
        here = here.where((gate_pass.c.layer == layer) & gate_pass.c.table_name.in_(tables))
    connection.execute(here)


_NO_MARK = {"target": None, "inputs": None, "warnings": None, "built_at": None}
