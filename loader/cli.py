"""The command line: every `make` target is one of these commands. Heavy packages are imported where they are used."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.errors import AlmanacError, UsageError

if TYPE_CHECKING:
    from loader.project import Project

PathOption = click.Path(path_type=Path)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Understood before and after the name of the command."""
    for option in (
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option("--target", help="Output of profiles.yml to work against."),
        click.option("--project-dir", type=PathOption, help="Project folder; else found upwards from here."),
    ):
        function = option(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@common_options
@click.version_option(package_name="almanac", prog_name="loader")
@click.pass_context
def main(context: click.Context, /, **common: Any) -> None:
    """Puts file deliveries into stage, checked, and one period at a time.

    Exit codes: 0 done, or nothing to do; 1 the data was refused; 2 wrong usage or configuration; 3 the environment
    failed (database locked or out of reach, disk full).
    """
    console.STATE.update(debug=common["debug"], quiet=False)
    context.obj = common


def command(name: str, account: str = "loader") -> Callable[[Callable[..., Any]], click.Command]:
    """A command that is given the opened project, and whose errors are one line and an exit code.

    `account` of the target is the one that it works by.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @main.command(name)
        @common_options
        @click.pass_context
        @wraps(function)
        def run(
            context: click.Context, /, project_dir: Path | None, target: str | None, debug: bool, **options: Any
        ) -> None:
            console.STATE["debug"] |= debug
            common = context.obj
            try:
                project = _open(project_dir or common["project_dir"], target or common["target"], account)
                exit_code = function(project, **options)
            except AlmanacError as error:
                if console.STATE["debug"]:
                    raise
                console.trouble(f"{_word(error)}: {error.message}")
                sys.exit(error.exit_code)
            except Exception as error:
                if console.STATE["debug"]:
                    raise
                # only class and place: the text of a foreign exception may quote a cell
                place = f" ({error.strerror}: {error.filename})" if isinstance(error, OSError) else ""
                console.trouble(f"failed: {type(error).__name__}{place}; --debug shows where")
                sys.exit(3)
            sys.exit(exit_code or 0)

        return run

    return decorate


def _open(project_dir: Path | None, target: str | None, account: str) -> Project:
    from loader.project import Project

    return Project.open(project_dir, target, account)


def _word(error: AlmanacError) -> str:
    return {1: "refused", 2: "usage", 3: "failed"}[error.exit_code]


def _as_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


dataset_option = click.option("--dataset", help="Name of the dataset.")
period_option = click.option("--period", help="Name of the period, e.g. 2025-06.")
file_option = click.option("--file-path", type=PathOption, help="The delivery, wherever it lies.")
file_id_option = click.option("--file-id", type=int, help="Number of the file in meta.ingestion_log.")
force_option = click.option("--force", is_flag=True, help="Load a known file again; overrule the guard.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


@command("ingest")
@dataset_option
@period_option
@file_option
def ingest_command(project: Project, dataset: str | None, period: str | None, file_path: Path | None) -> int:
    """Check name, form and header of what has landed, and record it."""
    from loader.errors import RefusedError
    from loader.ingest import ingest
    from loader.landing import landed_files, nothing_landed
    from loader.migrate import ensure_migrated

    ensure_migrated(project)
    refused = 0
    paths = [file_path] if file_path else [one.path for one in landed_files(project, dataset, period)]
    if not paths:
        raise nothing_landed(project, dataset, period)
    for path in paths:
        try:
            done = ingest(project, path)
            console.say(f"ingested   {done.contract.name} {done.period}  file {done.file_id}: {path.name}")
        except RefusedError as error:
            refused += 1
            console.ask_for_attention(f"refused    {error}")
    return 1 if refused else 0


@command("validate")
@dataset_option
@period_option
@file_option
@file_id_option
def validate_command(project: Project, **which: Any) -> int:
    """Clean and check a delivery that was ingested; write its parquet and its rejects."""
    from loader.ingest import find_ingested
    from loader.migrate import ensure_migrated
    from loader.validate import validate

    ensure_migrated(project)
    done = validate(project, find_ingested(project, **which))
    rows = f"{done.outcome.rows_valid:,} rows valid, {done.outcome.rows_rejected:,} rejected"
    console.say(f"validated  {done.delivery.contract.name} {done.delivery.period}  {rows}: {done.parquet}")
    return 0


@command("load-stage")
@dataset_option
@period_option
@file_option
@file_id_option
@click.option("--parquet-path", type=PathOption, help="The cleaned file, as validate named it.")
@force_option
def load_stage_command(project: Project, force: bool, parquet_path: Path | None, **which: Any) -> int:
    """Replace one period in stage with what was validated, in one transaction."""
    from loader.migrate import ensure_migrated
    from loader.stage import load_stage
    from loader.validate import find_validated

    ensure_migrated(project)
    validated = find_validated(project, parquet_path=parquet_path, **which)
    done = load_stage(project, validated, force=force)
    where = f"{validated.delivery.contract.name} {validated.delivery.period}"
    if done.reloaded:
        console.say(f"loaded     {where}  {done.rows:,} rows as version {done.version_no}")
    else:
        console.say(f"unchanged  {where}  version {done.version_no} holds these rows already")
    return 0


@command("load")
@dataset_option
@period_option
@file_option
@force_option
@json_option
def load_command(project: Project, as_json: bool, **what: Any) -> int:
    """Ingest, validate and load what has landed (for a period, or all that is new)."""
    from loader.load import load
    from loader.migrate import ensure_migrated

    console.STATE["quiet"] = as_json
    ensure_migrated(project)
    report = load(project, **what)
    if as_json:
        _as_json(report.as_json())
    console.say(report.closing_line)
    return 1 if report.count("refused") else 0


@command("run")
@json_option
def run_command(project: Project, as_json: bool) -> int:
    """Load everything new, any period, then build."""
    from loader.build import build
    from loader.load import load
    from loader.migrate import ensure_migrated

    console.STATE["quiet"] = as_json
    ensure_migrated(project)
    report = load(project)
    if as_json:
        _as_json(report.as_json())
    console.say(report.closing_line)
    build(project)
    return 1 if report.count("refused") else 0


@command("plan")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def plan_command(project: Project, file: Path, as_json: bool) -> int:
    """What loading FILE would do; changes nothing."""
    from loader.migrate import ensure_migrated
    from loader.plan import describe, plan

    ensure_migrated(project)
    made = plan(project, file)
    if as_json:
        _as_json(made.as_json())
    else:
        for line in describe(made):
            console.say(line)
    return 1 if made.refusal or made.verdict.broken else 0


@command("rollback")
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.option("--period", required=True, help="Name of the period.")
@click.option("--to", type=int, help="Version to make active; 0 for none. Default: the one before.")
def rollback_command(project: Project, dataset: str, period: str, to: int | None) -> int:
    """Undo the active load of a period; the next build rebases its history."""
    from loader.migrate import ensure_migrated
    from loader.rollback import rollback

    ensure_migrated(project)
    contract = project.contract(dataset)
    before, after = rollback(project, contract, _period(contract, period), to)
    was = f"version {before.version_no}" if before else "nothing"
    now = (
        f"version {after.version_no} ({after.file_name}, {after.row_count:,} rows)"
        if after
        else "nothing (the period is empty)"
    )
    console.say(f"rolled back {dataset} {period} from {was} to {now}; `dbt build` brings the history after it")
    return 0


def _period(contract: Any, name: str) -> Any:
    try:
        return contract.period(name)
    except ValueError as error:
        raise UsageError(f"--period: {error}") from None


@command("purge", account="migration")
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.option("--key", help="Key of the rows to remove; parts of a key are separated by commas.")
@click.option("--before", help="Remove all periods before this one.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def purge_command(project: Project, dataset: str, key: str | None, before: str | None, yes: bool) -> int:
    """Remove the rows of a key, or whole periods, from archive, stage and rejects for good; history follows."""
    from loader.migrate import ensure_migrated
    from loader.natural_key import NaturalKey
    from loader.purge import describe, purge, tell
    from loader.purge_scope import OfKey, OfPeriodsBefore, Scope

    ensure_migrated(project)
    contract = project.contract(dataset)
    if (key is None) == (before is None):
        raise UsageError("name either --key or --before")
    try:
        scope: Scope = (
            OfKey(contract, NaturalKey.parse(contract, key))
            if key is not None
            else OfPeriodsBefore(contract, contract.period(str(before)))
        )
    except ValueError as error:
        raise UsageError(f"--before: {error}") from None

    def confirm(found: Any) -> None:
        for line in describe(project, scope, found):
            console.say(line)
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError("nobody is here to confirm it; look at the lines above, and run it with --yes")
        if not click.confirm("This cannot be undone. Purge?"):
            raise UsageError("it was not confirmed, nothing was changed")

    for line in tell(scope, purge(project, scope, confirm)):
        console.say(line)
    return 0


@command("versions")
@click.option("--dataset", required=True, help="Name of the dataset.")
@period_option
@json_option
def versions_command(project: Project, dataset: str, period: str | None, as_json: bool) -> int:
    """The loads of each period: number, state, file, rows."""
    from loader.migrate import ensure_migrated
    from loader.tables import versions_table
    from loader.versions import versions_of

    ensure_migrated(project)
    contract = project.contract(dataset)
    found = project.warehouse.run(lambda c: versions_of(c, contract.name, period))
    if as_json:
        _as_json([vars(version) for version in found])
    elif found:
        console.show(versions_table(found))
    else:
        console.say(f"{dataset} was never loaded{f' for {period}' if period else ''}")
    return 0


def _names(_: Any, __: Any, said: tuple[str, ...]) -> list[str]:
    """Given more than once, or separated by commas."""
    return [name.strip() for one in said for name in one.split(",") if name.strip()]


@command("cube")
@click.argument("table", required=False)
@click.option("--rows", multiple=True, callback=_names, metavar="NAME[,NAME]", help="What each row is about.")
@click.option("--columns", multiple=True, callback=_names, metavar="NAME[,NAME]", help="What each column is about.")
@click.option(
    "--measure", "measures", multiple=True, callback=_names, metavar="[LABEL=]NAME[:AGGREGATE][/NAME]",
    help="What is summed; or :avg, :min, :max, :count, :distinct; or the quotient of two sums.",
)  # fmt: skip
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE[,VALUE]", help="Which rows count; also >=, <=.")
@click.option("--totals/--no-totals", default=True, show_default=True, help="With a total row and a total column.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "md", "svg"]), help="How it is shown.")
@click.option("--output", type=PathOption, help="Into this file; its ending tells the format.")
@json_option
def cube_command(
    project: Project,
    table: str | None,
    totals: bool,
    form: str | None,
    output: Path | None,
    as_json: bool,
    **words: list[str],
) -> int:
    """A pivot of a fact or aggregate of the mart: rows x columns, a measure, filters.

    Without TABLE, of the first cube, aggregate or fact that knows all the names; without anything, what can be asked.
    Attributes of dimensions go by their own names (metal_tier), or with the dimension in front (member.city); dates
    have year, quarter, month and day.
    """
    from loader import pivot

    form = "json" if as_json else form
    if not any(words.values()):
        described = pivot.what_can_be_asked(project, table)
        if form == "json":
            _as_json(described)
        else:
            console.show(pivot.catalogue(described, whole=table is not None))
            console.say("ask: loader cube TABLE --rows NAME --columns NAME --measure NAME; more by loader cube --help")
        return 0
    given = pivot.ask(project, table, **words)
    if output is None and form in (None, "table"):
        console.say(str(given.question))
        console.show(pivot.as_table(given, totals=totals))
        return 0
    written = pivot.write(given, form, output, totals=totals)
    if output is None:
        click.echo(written, nl=False)
    else:
        console.say(f"written: {project.shown(output)}")
    return 0


@command("status")
@dataset_option
@json_option
def status_command(project: Project, dataset: str | None, as_json: bool) -> int:
    """Datasets x periods: state, rows, rejected, file, when."""
    from loader.migrate import ensure_migrated
    from loader.status import as_json as lines_as_json
    from loader.status import status
    from loader.tables import status_messages, status_table

    ensure_migrated(project)
    if dataset is not None:
        project.contract(dataset)
    lines = status(project, dataset)
    if as_json:
        _as_json(lines_as_json(lines))
    elif lines:
        console.show(status_table(lines))
        for message in status_messages(lines):
            console.say(message)
    else:
        console.say(f"nothing was delivered yet; put files into {project.settings.landing_dir} and run `loader load`")
    return 0


@command("gate")
@click.argument("layer", type=click.Choice(["stage", "core", "mart"]))
@click.option("--verbose", is_flag=True, help="Show every check, not only what failed.")
def gate_command(project: Project, layer: str, verbose: bool) -> int:
    """Run all Great Expectations suites of LAYER."""
    from loader.build import gate
    from loader.migrate import ensure_migrated

    ensure_migrated(project)
    gate(project, layer, verbose=verbose)
    return 0


@command("build")
@click.option("--full", is_flag=True, help="Rebuild facts from scratch.")
def build_command(project: Project, full: bool) -> int:
    """`dbt build` layer by layer, with the gate of each layer after it."""
    from loader.build import build
    from loader.migrate import ensure_migrated

    ensure_migrated(project)
    build(project, full=full)
    return 0


@command("docs")
def docs_command(project: Project) -> int:
    """Make the documentation, with the pages of this warehouse and its gates, in target/docs."""
    from loader.docs import make_docs
    from loader.migrate import ensure_migrated

    ensure_migrated(project)
    console.say(f"open {project.shown(make_docs(project))}")
    return 0


@command("migrate", account="migration")
def migrate_command(project: Project) -> int:
    """Bring the meta and stage tables up to date with the loader and the contracts."""
    from loader.migrate import migrate

    done = migrate(project)
    for line in done:
        console.say(line)
    console.say(f"{len(done)} changes" if done else "nothing to do: meta and stage are up to date")
    return 0


@command("ddl")
@click.option("--schema", type=click.Choice(["meta", "stage"]), help="Only this schema.")
@click.option("--roles", is_flag=True, help="Instead: the schemas, and who may do what in them.")
def ddl_command(project: Project, schema: str | None, roles: bool) -> int:
    """Print the structure of meta and stage, or the roles, as an SQL script for the target's engine."""
    from loader.migrate import ddl
    from loader.roles import roles_script

    if roles and schema:
        raise UsageError("--roles is about all schemas; leave out --schema")
    click.echo(roles_script(project) if roles else ddl(project, schema), nl=False)
    return 0


@command("derive")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a derived file is stale.")
def derive_command(project: Project, check: bool) -> int:
    """Write everything that follows from the contracts: dbt sources, stage DDL, stage suites."""
    from loader.derive import derive

    stale = derive(project.root, project.contracts, check=check)
    for path in stale:
        console.say(f"{'stale' if check else 'written'}: {project.shown(path)}")
    if not stale:
        console.say("every derived file is up to date")
    elif check:
        console.say("run `loader derive` and commit the result")
    return 1 if check and stale else 0


@command("propose")
@click.argument("file", type=PathOption)
@click.option("--dataset", help="Name for the dataset; else taken from the file name.")
def propose_command(_: Project, file: Path, dataset: str | None) -> int:
    """Print a contract for FILE, to be read, corrected and put into datasets_config.yml."""
    from loader.propose import propose

    click.echo(propose(file, dataset), nl=False)
    return 0


@command("sample-data")
@click.argument("domain", type=click.Choice(["citizens", "aca"]), default="citizens")
@click.option("--rows", type=click.IntRange(min=1), help="citizens: people per workbook.  [default: 5000]")
@click.option("--scale", type=click.FloatRange(0.01, 10_000), help="aca: times 2,000 members.  [default: 1]")
@click.option("--day", help="aca: only the drop of this day, e.g. 2025-06-14, and what came monthly until then.")
@click.option("--daily-from", help="aca: earlier claims are a backlog, one file a month.  [default: the first day]")
@click.option("--first", default="2025-01", show_default=True, help="First month.")
@click.option("--periods", type=click.IntRange(1, 24), help="Months.  [default: 6]")
def sample_data_command(project: Project, domain: str, **what: Any) -> int:
    """Make sample deliveries in the landing folder; the same each time.

    `citizens`, monthly workbooks of a register, or `aca`, the CSV files of a health insurer: members, plans, providers
    and enrollments every month, claim lines every day.
    """
    make = _sample_citizens if domain == "citizens" else _sample_aca
    try:
        for path in make(project.settings.landing_dir, **what):
            console.say(f"made {project.shown(path)}")
    except ValueError as error:
        raise UsageError(f"sample-data: {error}") from None
    return 0


def _sample_citizens(
    landing: Path, *, rows: int | None, periods: int | None, first: str, **of_aca: Any
) -> Iterable[Path]:
    from loader.sample_data.citizens import make_deliveries

    _refuse_options("sample-data citizens", of_aca)
    return make_deliveries(landing, rows=rows or 5000, periods=periods or 6, first=first)


def _sample_aca(
    landing: Path,
    *,
    scale: float | None,
    periods: int | None,
    first: str,
    day: str | None,
    daily_from: str | None,
    **of_citizens: Any,
) -> Iterable[Path]:
    from loader.periods import Grain, Period
    from loader.sample_data.aca import Sample, make_day, make_deliveries

    def date_of(name: str) -> date:
        return Period.parse(name, Grain.DAY).start.date()

    _refuse_options("sample-data aca", of_citizens)
    sample = Sample(scale=scale or 1.0, periods=periods or 6, first=first)
    if day is None:
        return make_deliveries(landing, sample, date_of(daily_from) if daily_from else date.min)
    _refuse_options("sample-data aca --day", {"periods": periods, "daily_from": daily_from})
    return make_day(landing, date_of(day), sample)


def _refuse_options(command: str, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"`{command}` knows no --{name.replace('_', '-')}; leave it out")


@command("demo")
@click.argument("domain", type=click.Choice(["citizens", "aca"]), default="citizens")
@click.option("--rows", type=click.IntRange(min=100), help="citizens: people per workbook.  [default: 5000]")
@click.option("--scale", type=click.FloatRange(0.1, 10), help="aca: times 2,000 members.  [default: 0.25]")
@click.option("--periods", type=click.IntRange(4, 24), help="Months, from 2025-01.  [default: citizens 6, aca 4]")
def demo_command(project: Project, domain: str, rows: int | None, scale: float | None, periods: int | None) -> int:
    """From sample deliveries to a finished warehouse, and what is worth looking at in it.

    `citizens`: the promise, a month is corrected and the correction undone. `aca`, a health insurer: star and cube, a
    claim that is corrected, and one more day.
    """
    from loader.demo import aca, citizens

    if domain == "citizens":
        _refuse_options("demo citizens", {"scale": scale})
        citizens.demo(project, rows=rows or 5000, periods=periods or 6)
    else:
        _refuse_options("demo aca", {"rows": rows})
        aca.demo(project, scale=scale or 0.25, periods=periods or 4)
    return 0
