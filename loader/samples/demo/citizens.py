"""The citizens: sample deliveries to a finished warehouse, then the promise: correct an old month, undo it."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from loader import console
from loader.build.layers import Part, build
from loader.contracts import Contract
from loader.errors import UsageError
from loader.files import sha256_of
from loader.project import Project
from loader.reports.status import status
from loader.reports.status_tables import LEAVE_OUT, status_table
from loader.samples.data.citizens import DEMO_CITIZEN_ID, make_broken, make_correction, make_deliveries
from loader.samples.demo.narration import head, refuse_strangers, roll_back, rows_of, say_what_next, show
from loader.staging.load import load
from loader.staging.plan import describe, plan
from loader.warehouse.versions import versions_of

_CITIZENS = Part("citizens", ("citizens",))
_CORRECTED = "2025-03"

_HISTORY = """
    select
        cast(dbt_valid_from as date) as valid_from,
        cast(dbt_valid_to as date) as valid_to,
        first_name || ' ' || last_name as name,
        street || ' ' || house_number || ', ' || postal_code || ' ' || city as address
    from core.citizens
    where citizen_id = :citizen
    order by dbt_valid_from
"""

_POPULATION = """
    select
        population.data_period,
        geography.city,
        cast(sum(population.population) as integer),
        cast(sum(population.month_over_month_change) as integer)
    from mart.agg_population_monthly as population
    inner join mart.dim_geography as geography on population.geography_key = geography.geography_key
    where population.data_period = (select max(data_period) from mart.agg_population_monthly)
    group by population.data_period, geography.city
    order by 3 desc, 2
    limit 8
"""

_WHOLE_HISTORY = "select * from core.citizens order by citizen_id, dbt_valid_from"


def demo(project: Project, *, rows: int, periods: int) -> None:
    """Show what Almanac does, in the project's own folders.

    Raises:
        UsageError: the landing folder or the warehouse holds other deliveries of citizens, which the demo would mix
            with its own.
    """
    started = time.perf_counter()
    contract = project.contract("citizens")
    project.ensure_migrated()
    correction, broken = _land(project, contract, rows, periods)

    head(f"1  Load: {periods} monthly workbooks of {rows:,} people, one broken workbook among them")
    report = load(project)
    console.say(report.closing_line)
    console.show(status_table(status(project, "citizens")), LEAVE_OUT)

    head("2  Build: history in core, star in mart, a gate after each layer")
    build(project, part=_CITIZENS)
    console.say()
    _show_history(project, "Where one person lived, and when (core.citizens)")
    _show_population(project)

    head(f"3  The promise: {_CORRECTED} is corrected long after, and history is as if it had always been so")
    before = rows_of(project, _WHOLE_HISTORY)
    console.say(f"$ loader plan {project.shown(correction)}")
    for line in describe(plan(project, correction)):
        console.say(line)
    console.say()
    _deliver(project, contract, correction)
    build(project, part=_CITIZENS)
    console.say()
    _show_history(project, "The same person after the correction")

    head("4  And back: the correction is rolled back")
    roll_back(project, contract, contract.period(_CORRECTED))
    console.say()
    build(project, part=_CITIZENS)
    console.say()
    _show_history(project, "The same person after the rollback")
    same = rows_of(project, _WHOLE_HISTORY) == before
    console.say(
        f"core.citizens: {len(before):,} versions, {'every one as before the correction' if same else 'NOT as before'}"
    )
    if not same:
        raise UsageError("the history differs after the rollback; please report this with data/logs/")
    _put_aside(project, broken)
    _say_what_next(project, time.perf_counter() - started)


def _land(project: Project, contract: Contract, rows: int, periods: int) -> tuple[Path, Path]:
    """Put the sample deliveries into the landing folder.

    Returns:
        The correction, which is held back for later, and the broken workbook in the landing folder.
    """
    landing = project.settings.landing_dir
    landing.mkdir(parents=True, exist_ok=True)
    held_back = project.settings.landing_dir.parent / "corrections"
    with tempfile.TemporaryDirectory(prefix="almanac-demo-") as folder:
        made = [*make_deliveries(Path(folder), rows=rows, periods=periods)]
        made.append(make_broken(Path(folder), f"{2025 + periods // 12}-{periods % 12 + 1:02}"))
        known = {path.name: sha256_of(path) for path in made}
        refuse_strangers(project, contract, known)
        for path in made:
            shutil.copyfile(path, landing / path.name)
    held_back.mkdir(parents=True, exist_ok=True)
    return make_correction(held_back, _CORRECTED, rows=rows), landing / made[-1].name


def _put_aside(project: Project, broken: Path) -> None:
    """Take the broken workbook out of the landing folder, where every later load would refuse it again."""
    folder = project.settings.landing_dir.parent / "broken"
    folder.mkdir(exist_ok=True)
    put = broken.replace(folder / broken.name)
    console.say(f"The broken workbook is put aside: {project.shown(put)}")
    console.say()


def _deliver(project: Project, contract: Contract, correction: Path) -> None:
    """Load the correction; in a second demo it is known already, and made active again."""
    sha256 = sha256_of(correction)
    versions = project.warehouse.run(lambda c: versions_of(c, contract.name, _CORRECTED))
    known = next((version for version in versions if version.file_sha256 == sha256), None)
    if known is not None and not known.is_active:
        roll_back(project, contract, contract.period(_CORRECTED), known.version_no)
        console.say()
        return
    console.say(f"$ loader load --file-path {project.shown(correction)}")
    load(project, file_path=correction)


def _show_history(project: Project, title: str) -> None:
    found = rows_of(project, _HISTORY, citizen=DEMO_CITIZEN_ID)
    shown = [(start, end or "today", name, address) for start, end, name, address in found]
    show(title, ("from", "until", "name", "address"), shown)


def _show_population(project: Project) -> None:
    found = rows_of(project, _POPULATION)
    show("Population by city (mart.agg_population_monthly)", ("period", "city", "people", "change"), found)


def _say_what_next(project: Project, seconds: float) -> None:
    rejects = project.shown(project.settings.rejects_dir)
    say_what_next(
        seconds,
        (f"{rejects}/", "the rejected cells of each delivery: row, column, value, rule"),
        ("make status", "what is in stage, and what was refused and why"),
        ("make docs", "the documentation, with lineage and gates of this warehouse"),
        ("make load PERIOD=2025-04", "the same month again: nothing to do"),
        ("docs/use/tutorial.md", "a dataset of your own, step by step"),
    )
