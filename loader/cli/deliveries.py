"""Commands of deliveries: from the landing folder into stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import (
    PathOption,
    check_all_option,
    command,
    dataset_option,
    file_id_option,
    file_option,
    force_option,
    json_option,
    period_option,
    print_json,
)
from loader.errors import AlmanacError

if TYPE_CHECKING:
    from loader.project import Project

strict_option = click.option("--strict", is_flag=True, help="Exit code 1 also for files that no contract knows.")


@command("ingest")
@dataset_option
@period_option
@file_option
def ingest_command(project: Project, dataset: str | None, period: str | None, file_path: Path | None) -> int:
    """Check name, form and header of what has landed, and record it."""
    from loader.errors import RefusedError
    from loader.staging.ingest import ingest
    from loader.staging.landing import look, look_at, nothing_landed
    from loader.staging.unknown_files import tell

    project.ensure_datasets()
    project.ensure_migrated()
    refused = 0
    landing = look_at(project, file_path, dataset, period) if file_path else look(project, dataset, period)
    tell(landing.unknown)
    if not landing.paths:
        raise nothing_landed(project, dataset, period)
    for path in landing.paths:
        try:
            done = ingest(project, path)
            console.say(f"ingested   {done.contract.name} {done.period}  file {done.file_id}: {done.name}")
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
    from loader.staging.ingest import find_ingested
    from loader.staging.validate import validate

    project.ensure_migrated()
    done = validate(project, find_ingested(project, **which))
    rows = f"{done.outcome.rows_valid:,} rows valid, {done.outcome.rows_rejected:,} rejected"
    noted = f"; noted: {done.outcome.noted}" if done.outcome.notes else ""
    where = f"{done.delivery.contract.name} {done.delivery.period}"
    console.say(f"validated  {where}  {rows}: {done.files.parquet_path}{noted}")
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
    from loader.staging.load_stage import Loaded, load_stage
    from loader.staging.validation_record import find_validated

    project.ensure_migrated()
    validated = find_validated(project, parquet_path=parquet_path, **which)
    done = load_stage(project, validated, force=force)
    where = f"{validated.delivery.contract.name} {validated.delivery.period}"
    if isinstance(done, Loaded):
        console.say(f"loaded     {where}  {done.rows:,} rows as version {done.version_no}")
    else:
        console.say(f"unchanged  {where}  {validated.delivery.name} {done.reason}")
    return 0


@command("load")
@dataset_option
@period_option
@file_option
@force_option
@strict_option
@json_option
def load_command(project: Project, as_json: bool, strict: bool, **what: Any) -> int:
    """Ingest, validate and load what has landed (for a period, or all that is new)."""
    from loader.staging.load import load

    project.ensure_datasets()
    report = load(project, **what)
    if as_json:
        print_json(report.as_json())
    console.say(report.closing_line)
    return report.exit_code(strict=strict)


@command("run")
@check_all_option
@strict_option
@json_option
def run_command(project: Project, as_json: bool, strict: bool, check_all: bool) -> int:
    """Load everything new, any period, then build, unless nothing has changed since the last build."""
    from loader.build.layers import build_if_changed
    from loader.staging.load import load

    project.ensure_datasets()
    report = load(project)
    console.say(report.closing_line)
    try:
        build_if_changed(project, check_all=check_all)
    except AlmanacError as error:
        error.answered = report.as_json()
        raise
    if as_json:
        print_json(report.as_json())
    return report.exit_code(strict=strict)


@command("plan")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def plan_command(project: Project, file: Path, as_json: bool) -> int:
    """What loading FILE would do; changes nothing."""
    from loader.staging.plan import describe, plan

    project.ensure_datasets()
    project.ensure_migrated()
    made = plan(project, file)
    if as_json:
        print_json(made.as_json())
    else:
        for line in describe(made):
            console.say(line)
    return 1 if made.refusal or made.verdict.broken else 0
