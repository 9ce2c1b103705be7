"""Commands of sample data and demos."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader import console
from loader.cli.app import command, refuse_options
from loader.errors import UsageError

if TYPE_CHECKING:
    from loader.project import Project


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
    from loader.samples.data.citizens import make_deliveries

    refuse_options("sample-data citizens", of_aca)
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
    from loader.contracts import Grain, Period
    from loader.samples.data.aca import Sample, make_day, make_deliveries

    def date_of(name: str) -> date:
        return Period.parse(name, Grain.DAY).start.date()

    refuse_options("sample-data aca", of_citizens)
    sample = Sample(scale=scale or 1.0, periods=periods or 6, first=first)
    if day is None:
        return make_deliveries(landing, sample, date_of(daily_from) if daily_from else date.min)
    refuse_options("sample-data aca --day", {"periods": periods, "daily_from": daily_from})
    return make_day(landing, date_of(day), sample)


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
    from loader.samples.demo import aca, citizens

    if domain == "citizens":
        refuse_options("demo citizens", {"scale": scale})
        citizens.demo(project, rows=rows or 5000, periods=periods or 6)
    else:
        refuse_options("demo aca", {"rows": rows})
        aca.demo(project, scale=scale or 0.25, periods=periods or 4)
    return 0
