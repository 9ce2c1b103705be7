"""Commands of the warehouse: its state, its structure, its builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loader import console
from loader.cli.app import check_all_option, command, dataset_option, json_option, print_json
from loader.errors import EnvironmentFailedError, UsageError

if TYPE_CHECKING:
    from loader.project import Project
    from loader.staging.unknown_files import UnknownFile


@command("status")
@dataset_option
@json_option
def status_command(project: Project, dataset: str | None, as_json: bool) -> int:
    """Datasets x periods: state, rows, rejected, file, when."""
    from loader.archive.damage import Damage
    from loader.reports.status import as_json as lines_as_json
    from loader.reports.status import of_unknown, status
    from loader.reports.status_tables import LEAVE_OUT, status_messages, status_table
    from loader.staging.archived import note_damaged, note_strays, strays
    from loader.staging.earlier_reader import note_earlier_reader, of_earlier_reader
    from loader.staging.landing import look
    from loader.staging.older_contracts import note_older_contracts, of_older_contracts
    from loader.staging.unknown_files import tell

    with project.warehouse.kept_open():
        project.ensure_migrated()
        unknown: list[UnknownFile] = []
        older, away = [], None
        try:
            unknown = look(project).unknown if dataset is None else []
            older = of_older_contracts(project, dataset)
        except EnvironmentFailedError as error:
            away = error  # what meta knows is shown all the same
        lines = status(project, dataset, older)
        earlier = of_earlier_reader(project, dataset)
        asked = [one for one in project.contracts if dataset in (None, one.name)]
        stray = project.warehouse.run(lambda c: strays(c, project, asked))
    if as_json and away is not None:
        away.answered = {"lines": lines_as_json(lines)}
    elif as_json:
        print_json(lines_as_json([*lines, *of_unknown(unknown)]))
    elif lines:
        console.show(status_table(lines), LEAVE_OUT)
        for message in status_messages(lines):
            console.say(message)
        note_older_contracts(older)
        note_earlier_reader(earlier)
        note_damaged({(one.dataset, one.period): Damage(one.damage) for one in lines if one.damage})
        note_strays(stray)
    elif project.contracts.datasets:
        console.say(f"nothing was delivered yet; put files into {project.settings.landing_dir} and run `loader load`")
    else:
        console.say("no dataset has a contract yet; write one into datasets_config.yml, then `loader derive`")
    tell(unknown)
    if away is not None:
        raise away
    return 0


@command("gate")
@click.argument("layer", type=click.Choice(["stage", "core", "mart"]))
@click.option("--verbose", is_flag=True, help="Show every check, not only what failed.")
def gate_command(project: Project, layer: str, verbose: bool) -> int:
    """Run all Great Expectations suites of LAYER."""
    from loader.build.layers import gate

    project.ensure_migrated()
    gate(project, layer, verbose=verbose)
    return 0


@command("build")
@click.option("--full", is_flag=True, help="Rebuild facts from scratch.")
@check_all_option
def build_command(project: Project, full: bool, check_all: bool) -> int:
    """`dbt build` layer by layer, after each the gate of what may have changed."""
    from loader.build.layers import build
    from loader.staging.older_contracts import note_older_contracts, of_older_contracts

    with project.warehouse.kept_open():
        project.ensure_migrated()
        note_older_contracts(of_older_contracts(project))
    build(project, full=full, check_all=check_all)
    return 0


@command("migrate", account="migration")
def migrate_command(project: Project) -> int:
    """Bring the meta and stage tables up to date with the loader and the contracts."""
    from loader.warehouse.migrate import migrate

    done = migrate(project.warehouse, project.contracts)
    for line in done:
        console.say(line)
    console.say(f"{len(done)} changes" if done else "nothing to do: meta and stage are up to date")
    return 0


@command("ddl")
@click.option("--schema", type=click.Choice(["meta", "stage"]), help="Only this schema.")
@click.option("--roles", is_flag=True, help="Instead: the schemas, and who may do what in them.")
def ddl_command(project: Project, schema: str | None, roles: bool) -> int:
    """Print the structure of meta and stage, or the roles, as an SQL script for the target's engine."""
    from loader.warehouse.ddl import ddl
    from loader.warehouse.roles import roles_script

    if roles and schema:
        raise UsageError("--roles is about all schemas; leave out --schema")
    engine = project.warehouse.engine
    click.echo(roles_script(engine, project.target.name) if roles else ddl(engine, project.contracts, schema), nl=False)
    return 0
