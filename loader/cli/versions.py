"""Commands of versions: what was loaded, undone, removed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import (
    command,
    confirmed,
    dataset_option,
    json_option,
    needed_dataset_option,
    period_option,
    print_json,
    refuse_options,
)
from loader.cli.suggestions import complete_period
from loader.errors import UsageError
from loader.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from loader.contracts import Contract, Period
    from loader.project import Project


@command("rollback")
@dataset_option
@period_option
@click.option("--to", type=int, help="Version to make active; 0 for none. Default: the one before.")
@click.option("--all", "everything", is_flag=True, help="All periods, of all datasets or of one; needs --to-day.")
@click.option(
    "--to-day", "day", type=click.DateTime(["%Y-%m-%d"]), help="With --all: what was active when this day ended (UTC)."
)
@click.option("--yes", is_flag=True, help="With --all: do not ask for confirmation.")
def rollback_command(
    project: Project, dataset: str | None, everything: bool, day: datetime | None, yes: bool, **one: Any
) -> int:
    """Undo the active load of a period, or all loads since a day; the next build rebases the history."""
    project.ensure_migrated()
    if everything:
        refuse_options("loader rollback --all", one)
        if day is None:
            raise UsageError("--all needs --to-day: the day of whose end each period shall be")
        return _rollback_all(project, dataset, day.date(), yes)
    refuse_options("loader rollback` without `--all", {"to_day": day})
    if dataset is None or one["period"] is None:
        raise UsageError("name --dataset and --period, or --all and --to-day")
    contract = project.contract(dataset)
    return _rollback_one(project, contract, contract.period(one["period"]), one["to"])


def _rollback_one(project: Project, contract: Contract, period: Period, to: int | None) -> int:
    from loader.staging.rollback import rollback, tell

    tell(contract, period, *rollback(project, contract, period, to))
    return 0


def _rollback_all(project: Project, dataset: str | None, day: date, yes: bool) -> int:
    from loader.staging.rollback_to_day import rollback_to_day

    def confirm(steps: Sequence[Any]) -> None:
        lines = [f"would roll back {step}" for step in steps]
        confirmed(lines, f"Roll back {plural(len(steps), 'period')}?", yes=yes)

    contracts = [project.contract(dataset)] if dataset else [*project.contracts]
    done = 0
    for step in rollback_to_day(project, contracts, day, confirm):
        done += 1
        console.say(f"rolled back {step}")
    if done:
        console.say(f"{plural(done, 'period')} rolled back; `loader build` rebases the history")
    else:
        console.say(f"every period is as it was when {day} ended")
    return 0


@command("recheck")
@dataset_option
@period_option
@click.option("--all", "everything", is_flag=True, help="Also the loads that today's reader and contract have read.")
@click.option("--load", "load", is_flag=True, help="Load what differs as new versions.")
@click.option("--accept", is_flag=True, help="Keep what is loaded where it differs or cannot be read; its notes end.")
@click.option("--force", is_flag=True, help="With --load: overrule the guard.")
@json_option
def recheck_command(
    project: Project, as_json: bool, load: bool, accept: bool, force: bool, everything: bool, **which: Any
) -> int:
    """Read unchanged files again by today's reader and contract, and list the loads whose values differ.

    It is for loads of an earlier reader or contract, whose files lie where they landed or are kept. Nothing is changed
    without --load or --accept. Exit code 1: a file is refused today.
    """
    from loader.staging.recheck import recheck

    if force and not load:
        raise UsageError("--force belongs to --load")
    if accept and (load or everything):
        raise UsageError("--accept keeps the values of loads that are named in a note: leave out --load and --all")
    project.ensure_datasets()
    project.ensure_migrated()
    report = recheck(project, everything=everything, load=load, accept=accept, force=force, **which)
    if as_json:
        print_json(report.as_json())
    console.say(report.closing_line)
    return 1 if report.count("refused") else 0


@command("purge", account="migration")
@needed_dataset_option
@click.option("--key", help="Key of the rows to remove; parts of a key are separated by commas.")
@click.option("--before", shell_complete=complete_period, help="Remove all periods before this one.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def purge_command(project: Project, dataset: str, key: str | None, before: str | None, yes: bool) -> int:
    """Remove the rows of a key, or whole periods, from archive, stage and rejects for good; history follows."""
    from loader.staging.purge.natural_key import NaturalKey
    from loader.staging.purge.run import describe, purge, summarize
    from loader.staging.purge.scope import OfKey, OfPeriodsBefore, Scope

    project.ensure_migrated()
    contract = project.contract(dataset)
    if (key is None) == (before is None):
        raise UsageError("name either --key or --before")
    try:
        scope: Scope = (
            OfKey(contract, NaturalKey.parse(contract, key, project.warehouse.engine))
            if key is not None
            else OfPeriodsBefore(contract, contract.period(str(before)))
        )
    except ValueError as error:
        raise UsageError(f"--before: {error}") from None

    def confirm(found: Any) -> None:
        confirmed(describe(project, scope, found), "This cannot be undone. Purge?", yes=yes)

    for line in summarize(scope, purge(project, scope, confirm)):
        console.say(line)
    return 0


@command("reset", account="migration")
@needed_dataset_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def reset_command(project: Project, dataset: str, yes: bool) -> int:
    """Start a dataset again: empty its stage, history and facts; the archive stays, its files may be loaded again."""
    from loader.staging.reset import describe, reset, summarize

    contract = project.contract(dataset)
    project.ensure_meta()

    def confirm(found: Any) -> None:
        confirmed(describe(contract, found), "Reset?", yes=yes)

    for line in summarize(contract, reset(project, contract, confirm)):
        console.say(line)
    return 0


@command("versions")
@needed_dataset_option
@period_option
@json_option
def versions_command(project: Project, dataset: str, period: str | None, as_json: bool) -> int:
    """The loads of each period: number, state, file, rows."""
    from loader.reports.status_tables import LEAVE_OUT, versions_table
    from loader.staging.older_contracts import note_older_contracts, of_older_contracts
    from loader.warehouse.versions import versions_of

    with project.warehouse.kept_open():
        project.ensure_migrated()
        contract = project.contract(dataset)
        found = project.warehouse.run(lambda c: versions_of(c, contract.name, period))
        older = of_older_contracts(project, dataset, period)
    if as_json:
        places = {one.version.load_id: one.place for one in older}
        print_json([{**vars(version), "older_contract": places.get(version.load_id)} for version in found])
    elif found:
        console.show(versions_table(found), LEAVE_OUT)
        note_older_contracts(older)
    else:
        console.say(f"{dataset} was never loaded{f' for {period}' if period else ''}")
    return 0
