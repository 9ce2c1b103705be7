"""Rollback: make an earlier version of a period active again, or empty the period, by the ordinary load path."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from loader import console
from loader.contracts import Contract, Period
from loader.errors import UsageError
from loader.project import Project
from loader.staging.load_stage import activate, refuse_unfit, uploading
from loader.warehouse import State, Version
from loader.warehouse.build_mark import withdraw_mark
from loader.warehouse.versions import active_version, rollback_command, versions_of

_NO_WAY_BACK = "if it has to come back, its file can be loaded again: loader load --force --file-path …"


def rollback(
    project: Project,
    contract: Contract,
    period: Period,
    to: int | None = None,
    shown: tuple[Version | None, Version | None] | None = None,
) -> tuple[Version | None, Version | None]:
    """Undo the active load of a period; returns the versions that were and are active.

    `to` is the number of the version to make active, 0 for none; without it the latest earlier version that was not
    rolled back itself is taken. Where somebody was `shown` these two before, others are not exchanged.

    Raises:
        UsageError: the period was never loaded, or has no such version; without `to`, no earlier one; or it was loaded
            meanwhile.
        RefusedError: the archived file does not fit any more.
    """
    with project.audit.step("rollback", dataset=contract.name, period=period.name) as step:
        before, wanted = shown or project.warehouse.run(lambda c: _choose(c, contract, period, to))
        if wanted is not None:
            refuse_unfit(project, contract, wanted)

        def work(connection: Connection) -> None:
            project.warehouse.lock(connection, contract.name)
            if _choose(connection, contract, period, to) != (before, wanted):
                raise UsageError(
                    f"{contract.name} {period} was loaded meanwhile; look at `loader versions` and try again"
                )
            withdraw_mark(connection)
            step.rows_out = activate(connection, project, contract, before, wanted)
            step.end(connection)

        if wanted is None:
            project.warehouse.run(work)
        else:
            with uploading(project, contract, period, wanted.files, wanted.load_id):
                project.warehouse.run(work)
    return before, wanted


def tell(contract: Contract, period: Period, before: Version | None, after: Version | None) -> None:
    """Say what a rollback did, and how it is undone."""
    console.say(f"rolled back {contract.name} {period} from {in_words(before)} to {in_words(after)}")
    console.say(f"undo        {rollback_command(contract.name, period.name, before.version_no if before else 0)}")
    console.say("next        loader build  rebases the history")


def in_words(version: Version | None) -> str:
    """A version, with its file and rows; or that there is none."""
    if version is None:
        return "nothing (the period is empty)"
    return f"version {version.version_no} ({version.file_name}, {version.row_count:,} rows)"


def _choose(
    connection: Connection, contract: Contract, period: Period, to: int | None
) -> tuple[Version | None, Version | None]:
    """The active version, and the one to make active."""
    versions = versions_of(connection, contract.name, period.name)
    if not versions:
        raise UsageError(f"{contract.name} {period} was never loaded, so there is nothing to roll back")
    active = active_version(versions)
    kept = [version for version in versions if version.state is not State.PURGED]
    numbers = ", ".join(str(version.version_no) for version in kept)
    if not kept:
        raise UsageError(f"{contract.name} {period} was purged; {_NO_WAY_BACK}")
    if to is None:
        if active is None:
            raise UsageError(f"{contract.name} {period} is empty already; --to takes one of its versions: {numbers}")
        return active, _earlier(contract, period, kept, active)
    if to == 0:
        if active is None:
            raise UsageError(f"{contract.name} {period} is empty already; nothing to do")
        return active, None
    wanted = next((version for version in versions if version.version_no == to), None)
    if wanted is None:
        raise UsageError(f"{contract.name} {period} has no version {to}; it has: {numbers} (and 0 for none)")
    if wanted.is_active:
        raise UsageError(f"{contract.name} {period} is at version {to} already; nothing to do")
    if wanted.state is State.PURGED:
        raise UsageError(f"version {to} of {contract.name} {period} was purged; {_NO_WAY_BACK}")
    return active, wanted


def _earlier(contract: Contract, period: Period, kept: Sequence[Version], active: Version) -> Version:
    """The latest version before the active one that was not undone itself."""
    undone = (State.ROLLED_BACK, State.RESET)
    earlier = [v for v in kept if v.version_no < active.version_no and v.state not in undone]
    if not earlier:
        raise UsageError(
            f"{contract.name} {period} has no version before version {active.version_no}; to empty the period: "
            f"{rollback_command(contract.name, period.name, 0)}"
        )
    return earlier[-1]
