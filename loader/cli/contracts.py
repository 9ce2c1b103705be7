"""Commands of contracts: a project for them, what follows from one, and a first one from a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import PathOption, command, command_without_project

if TYPE_CHECKING:
    from loader.project import Project


@command_without_project("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
def init_command(folder: Path | None, project_dir: Path | None, **_: Any) -> int:
    """Make a project in FOLDER, else in the current folder, for datasets of your own; no file is overwritten."""
    from loader.codegen.init import init

    root = (folder or project_dir or Path()).resolve()
    for name in init(root):
        console.note(f"{name} was there and stays as it is; `loader init` in an empty folder shows what it may lack")
    console.say(f"{root} is a project; write a contract into datasets_config.yml, `loader propose FILE` prints one")
    console.say("then: `loader derive`, files into data/landing, `loader load`, a snapshot, `loader build`")
    return 0


@command("derive")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a derived file is stale.")
def derive_command(project: Project, check: bool) -> int:
    """Write everything that follows from the contracts: dbt sources, stage DDL, stage suites."""
    from loader.codegen.derive import derive

    stale = derive(project.root, project.contracts, check=check)
    for path in stale:
        console.say(f"{'stale' if check else 'written'}: {project.shown(path)}")
    if not stale:
        console.say("every derived file is up to date")
    elif check:
        console.say("run `loader derive` and commit the result")
    return 1 if check and stale else 0


@command_without_project("propose")
@click.argument("files", type=PathOption, nargs=-1, required=True, metavar="FILE...")
@click.option("--dataset", help="Name for the dataset; else taken from the file name.")
@click.option("--sheet", help="Sheet of a workbook, by its name or its position; else the one with the largest table.")
@click.option("--header-row", type=click.IntRange(min=1), help="Row of the header, from 1; else looked for.")
def propose_command(
    files: tuple[Path, ...], dataset: str | None, sheet: str | None, header_row: int | None, **_: Any
) -> int:
    """Print a contract for FILE, or for several files of one dataset, to be corrected and put into datasets_config.yml.

    Each word stands beside what shows it; what the files cannot tell is asked for. The files are loaded by it in a
    temporary place, and what it would reject is said.
    """
    from loader.codegen.propose import Asked, propose

    position = int(sheet) if sheet is not None and sheet.isdecimal() and len(sheet) < 3 else sheet
    proposal = propose(files, dataset, Asked(position, header_row))
    click.echo(proposal.text, nl=False)
    for one in proposal.tried:
        if one.refusal:
            console.note(f"this contract would refuse {one.refusal}")
        elif one.outcome.rows_rejected:
            rows = f"{one.outcome.rows_rejected:,} of {one.outcome.rows_read:,} rows"
            console.note(f"{one.name}: this contract would reject {rows}: {one.rejected}")
        if one.outcome.noted:
            console.note(f"{one.name}: this contract would tell: {one.outcome.noted}")
    for what in proposal.decisions:
        console.note(f"to decide: {what}")
    return 0
