"""Commands of reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import PathOption, command, json_option, print_json, split_names
from loader.errors import UsageError
from loader.text import plural

if TYPE_CHECKING:
    from loader.project import Project


@command("cube")
@click.argument("table", required=False)
@click.option("--rows", multiple=True, callback=split_names, metavar="NAME[,NAME]", help="What each row is about.")
@click.option(
    "--columns", multiple=True, callback=split_names, metavar="NAME[,NAME]", help="What each column is about."
)
@click.option(
    "--measure", "measures", multiple=True, callback=split_names, metavar="[LABEL=]NAME[:AGGREGATE][/NAME]",
    help="What is summed; or :avg, :min, :max, :count, :distinct; or the quotient of two sums.",
)  # fmt: skip
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE[,VALUE]", help="Which rows count; also >=, <=.")
@click.option("--sort", metavar="NAME", help="Rows by this measure, the largest first, or by this attribute.")
@click.option("--reverse", is_flag=True, help="With --sort: the other way round.")
@click.option("--top", type=click.IntRange(min=1), help="The first rows only; without --sort, those of the measure.")
@click.option("--totals/--no-totals", default=True, show_default=True, help="With a total row and a total column.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "md", "svg"]), help="How it is shown.")
@click.option("--output", type=PathOption, help="Into this file; its extension sets the format.")
@json_option
def cube_command(
    project: Project,
    table: str | None,
    totals: bool,
    form: str | None,
    output: Path | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """A pivot of a fact or aggregate of the mart: rows x columns, a measure, filters.

    Without TABLE, of the first cube, aggregate or fact that knows all the names; without anything, what can be asked.
    Attributes of dimensions go by their own names (metal_tier), or with the dimension in front (member.city); dates
    have year, quarter, month, week and day.
    """
    from loader.reports.cube import output as pivot
    from loader.reports.cube.question import Order

    rows_by = Order(asked.pop("sort"), asked.pop("reverse"), asked.pop("top"))
    if rows_by.reverse and rows_by.name is None:
        raise UsageError("--reverse belongs to --sort")
    form = "json" if as_json else form
    if not any(asked.values()):
        described = pivot.what_can_be_asked(project, table)
        if form == "json":
            print_json(described)
        else:
            console.show(pivot.catalogue(described, whole=table is not None))
            console.say("ask: loader cube TABLE --rows NAME --columns NAME --measure NAME; more by loader cube --help")
        return 0
    given = pivot.ask(project, table, rows_by, **asked)
    pivot.note_what_is_missing(given)
    if output is None and form in (None, "table"):
        console.say(str(given.question))
        console.show(pivot.as_table(given, totals=totals), pivot.leave_out(given, totals=totals))
        return 0
    written = pivot.write(given, form, output, totals=totals)
    if output is None:
        click.echo(written, nl=False)
    else:
        console.say(f"written: {project.shown(output)}")
    return 0


@command("export")
@click.argument("file", type=PathOption)
@click.option(
    "--schema", "schemas", multiple=True, callback=split_names, metavar="NAME[,NAME]", help="Only these; else all."
)
@click.option(
    "--storage-version",
    metavar="VERSION",
    help="For drivers of an older DuckDB, such as v1.4.0; else as the warehouse.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def export_command(project: Project, file: Path, schemas: list[str], storage_version: str | None, force: bool) -> int:
    """Copy the DuckDB file of the warehouse to FILE, for those who read while something is loaded or built.

    The copy is the warehouse at one moment, with every table, view, comment and type. It holds personal values where
    the warehouse does.
    """
    from loader.reports.export import export

    made = export(project, file, schemas, storage_version, force=force)
    holds = f"{', '.join(made.schemas)}; {plural(made.tables, 'table')}, {plural(made.rows, 'row')}"
    console.say(f"written: {project.shown(file)}: {holds}; DuckDB {made.readable_by} and newer read it")
    return 0


@command("docs")
def docs_command(project: Project) -> int:
    """Make the documentation, with the pages of this warehouse and its gates, in target/docs."""
    from loader.reports.site.build import make_docs

    project.ensure_migrated()
    console.say(f"open {project.shown(make_docs(project))}")
    return 0
