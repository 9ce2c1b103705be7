"""Commands of contracts: a project for them, what follows from one, and a first one from a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import PathOption, command, command_without_project, confirmed
from loader.cli.suggestions import complete_dataset
from loader.errors import UsageError
from loader.text import listed

if TYPE_CHECKING:
    from loader.codegen.propose import Proposal
    from loader.project import Project


@command_without_project("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
def init_command(folder: Path | None, project_dir: Path | None, **_: Any) -> int:
    """Make a project in FOLDER, else in the current folder, for datasets of your own; no file is overwritten."""
    from loader.codegen.init import init

    root = (folder or project_dir or Path()).resolve()
    for name in init(root):
        console.note(f"{name} was there and stays as it is; `loader init` in an empty folder shows what it may lack")
    console.say(f"{root} is a project; put files of a dataset into its folder data/landing")
    console.say("then: `loader propose --append FILE…` for its contract and snapshot, `loader run` to load and build")
    return 0


@command("derive")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 2 when a file is stale or a suite lacks a personal column."
)
@click.option("--snapshot", "dataset", shell_complete=complete_dataset,
    help="Write the first snapshot of this dataset, too, if it has none.",
)  # fmt: skip
def derive_command(project: Project, check: bool, dataset: str | None) -> int:
    """Write everything that follows from the contracts: dbt sources, stage DDL, stage suites.

    Where dbt has compiled the models, suites that do not name a personal column of their table are told, too.
    """
    from loader.codegen.derive import derive
    from loader.codegen.first_snapshot import write_snapshot
    from loader.gates import unnamed_columns

    if dataset is not None and check:
        raise UsageError("--check writes nothing; leave --snapshot out")
    first = write_snapshot(project.root, project.contract(dataset)) if dataset else []
    if dataset and not first:
        console.note(f"{dataset} has a snapshot already; it stays as it is")
    stale = derive(project.root, project.contracts, check=check)
    for path in [*first, *stale]:
        console.say(f"{'stale' if check else 'written'}: {project.shown(path)}")
    if not first and not stale:
        console.say("every derived file is up to date")
    elif check:
        console.say("run `loader derive` and commit the result")
    lacking = unnamed_columns(project.root, project.contracts)
    for path, names in lacking.items():
        console.say(f"{project.shown(path)}: `meta: {{personal: […]}}` lacks {listed(names)}, made of personal columns")
    return 2 if check and (stale or lacking) else 0


@command_without_project("propose")
@click.argument("files", type=PathOption, nargs=-1, required=True, metavar="FILE...")
@click.option("--dataset", help="Name for the dataset; else taken from the file name.")
@click.option("--sheet", help="Sheet of a workbook, by its name or its position; else the one with the largest table.")
@click.option("--header-row", type=click.IntRange(min=1), help="Row of the header, from 1; else looked for.")
@click.option(
    "--append", is_flag=True, help="Put it into datasets_config.yml, and write what follows from it and a snapshot."
)
def propose_command(
    files: tuple[Path, ...],
    dataset: str | None,
    sheet: str | None,
    header_row: int | None,
    append: bool,
    project_dir: Path | None,
    target: str | None,
) -> int:
    """Print a contract for FILE, or for several files of one dataset, to be corrected and put into datasets_config.yml.

    Each word stands beside what shows it; what the files cannot tell is asked for. The files are loaded by it in a
    temporary place, and what it would reject is said. It needs no project, but with --append.
    """
    from loader.codegen.propose import Asked, propose

    project = _project(project_dir, target) if append else None
    position = int(sheet) if sheet is not None and sheet.isdecimal() and len(sheet) < 3 else sheet
    proposal = propose(files, dataset, Asked(position, header_row))
    if project is None:
        click.echo(proposal.text, nl=False)
    else:
        _append(project, proposal)
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


@command("accept-header")
@click.argument("file", type=PathOption)
@click.option("--renamed", multiple=True, metavar="HEADER=COLUMN", help="A header that is the new name of a column.")
@click.option("--ignored", multiple=True, metavar="HEADER", help="A header that is not to be read.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def accept_header_command(
    project: Project, file: Path, renamed: tuple[str, ...], ignored: tuple[str, ...], yes: bool
) -> int:
    """Write into datasets_config.yml what takes the header of FILE, and show it before.

    A new header of a column counts from the period of FILE on; the old one until then, or until the last period that
    was loaded under it.
    """
    from loader.codegen.accept_header import difference, with_changes
    from loader.contracts.acceptance import accept, refuse_lasting
    from loader.contracts.edit import rewrite
    from loader.files import text_of
    from loader.places import CONTRACTS_FILE
    from loader.readers import open_table
    from loader.staging.landing import recognise
    from loader.staging.sources import loaded_periods
    from loader.validation.header import HeaderRefusedError, match_header

    landed = recognise(project, file)
    contract, period = landed.contract, landed.period
    table = open_table(file, contract.format, contract.names(period))
    try:
        match_header(landed.name, table.header, contract, period)
    except HeaderRefusedError as error:
        if error.twice:
            raise
        told = dict(_pair(one, error.missing) for one in renamed)
        loaded = loaded_periods(project, contract) if error.missing and error.unknown else []
        accepted = accept(contract, period, error.unknown, error.missing, told, ignored, loaded)
    else:
        console.say(f"nothing to accept: the header of {landed.name} matches the contract of '{contract.name}'")
        return 0
    if accepted.undecided:
        raise UsageError(
            f"nobody can tell whether {listed(accepted.undecided)} is a new name of {listed(accepted.gone)}: say "
            "--renamed 'HEADER=COLUMN' or --ignored 'HEADER' for each"
        )
    refuse_lasting(contract, accepted.gone)
    path = project.root / CONTRACTS_FILE
    before = text_of(path)
    after = with_changes(before, project.contracts, contract, accepted.changes)
    confirmed(difference(before, after), "Write this?", yes=yes)
    rewrite(path, after)
    console.say(f"written: {CONTRACTS_FILE}; then `loader derive`, and `loader load --file-path {file}`")
    return 0


def _pair(text: str, missing: list[str]) -> tuple[str, str]:
    """Header and column of an option `HEADER=COLUMN`; raises UsageError when no such column is missing."""
    header, _, column = text.rpartition("=")
    if not header or column not in missing:
        raise UsageError(f"--renamed '{text}': write HEADER=COLUMN, of the columns that are missing: {listed(missing)}")
    return header, column


def _project(project_dir: Path | None, target: str | None) -> Project:
    from loader.project import Project

    return Project.open(project_dir, target)


def _append(project: Project, proposal: Proposal) -> None:
    """Put a proposal into the project: the contract, a first snapshot, and all that follows from them."""
    from loader.codegen.derive import derive
    from loader.codegen.first_snapshot import write_snapshot
    from loader.contracts.edit import append_dataset

    contract = proposal.contract
    for one in proposal.tried:
        other = next(
            (known.name for known in project.contracts if known.match(*one.path.absolute().parts[-known.depth :])), None
        )
        if other is not None and other != contract.name:
            raise UsageError(
                f"by its name, {one.name} is a file of '{other}'; make the 'file_name' of that contract stricter, or "
                "rename the file"
            )
    contracts = append_dataset(project.root, contract.name, proposal.text)
    console.say(f"appended: {contract.name}, at the end of datasets_config.yml")
    for path in [*write_snapshot(project.root, contract), *derive(project.root, contracts)]:
        console.say(f"written: {project.shown(path)}")
