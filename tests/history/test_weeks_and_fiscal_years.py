"""History of weeks and fiscal periods, from files to core: late, corrected, rolled back, and always that of stage."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable

import pytest

from loader.contracts.calendars import FiscalYear
from loader.contracts.file import contracts_of
from tests.conftest import REPOSITORY, Project
from tests.support.deliveries import follow_contracts, write_csv
from tests.support.engines import Engine

CONTRACTS = r"""
datasets:
  shifts:
    title: Shifts
    description: Who works on which machine, by week.
    file_name: 'shifts_KW(?P<week>\d+)_(?P<year>\d{4})(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv}
    grain: week
    kind: full
    key: machine
    columns: &columns
      machine: {type: varchar(4), description: The machine., required: true}
      person: {type: varchar(10), description: Who works on it., required: true}
    guard: {ended: 1, changed: 1}
  budgets:
    title: Budgets
    description: Who answers for a budget, by fiscal period.
    file_name: '(?P<year>\d{4})/P(?P<fiscal_period>\d\d)(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv}
    grain: fiscal
    fiscal_year: {periods: 4-5-4, first_month: 2, named_by: start, ends_on: saturday, end_is: nearest}
    kind: full
    key: machine
    columns: *columns
    guard: {ended: 1, changed: 1}
"""
NAMES = {
    "shifts_KW52_2024": ("shifts", "2024-W52"),
    "shifts_KW1_2025": ("shifts", "2025-W01"),
    "shifts_KW2_2025": ("shifts", "2025-W02"),
    "2023/P12": ("budgets", "FY2023-P12"),
    "2024/P01": ("budgets", "FY2024-P01"),
    "2024/P02": ("budgets", "FY2024-P02"),
}
STARTS = {  # of the federation's calendar: its year 2023 has 53 weeks
    "2024-W52": "2024-12-23",
    "2025-W01": "2024-12-30",
    "2025-W02": "2025-01-06",
    "FY2023-P12": "2023-12-31",
    "FY2024-P01": "2024-02-04",
    "FY2024-P02": "2024-03-03",
}
Delivered = dict[str, dict[str, str]]


def land(project: Project, name: str, persons: dict[str, str], order: str = "") -> None:
    path = project.landing / f"{name}{order}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, persons.items(), header=["machine", "person"])


def run(project: Project, *args: str) -> str:
    done = project.loader(*args)
    assert done.exit_code == 0, done.output
    return done.output


def history(project: Project, dataset: str) -> set[tuple[str, ...]]:
    columns = "machine, person, cast(dbt_valid_from as date), cast(dbt_valid_to as date)"
    return {tuple(map(str, row)) for row in project.sql(f"select {columns} from core.{dataset}")}


def expected(delivered: Delivered) -> set[tuple[str, ...]]:
    """Period after period, as a person would write it down."""
    found, open_now = set(), dict[str, tuple[str, str]]()
    for period in sorted(delivered, key=lambda period: STARTS[period]):
        for machine, (person, since) in list(open_now.items()):
            if delivered[period].get(machine) != person:
                found.add((machine, person, since, STARTS[period]))
                del open_now[machine]
        for machine, person in delivered[period].items():
            open_now.setdefault(machine, (person, STARTS[period]))
    return found | {(machine, person, since, "None") for machine, (person, since) in open_now.items()}


CALENDARS = [
    FiscalYear(periods="months", first_month=1),
    FiscalYear(periods="months", first_month=10, named_by="end"),
    FiscalYear(periods="months", first_month=4, named_by="start"),
    FiscalYear(periods="4-4-5", first_month=1, ends_on="sunday", end_is="last"),
    FiscalYear(periods="5-4-4", first_month=9, named_by="end", ends_on="monday", end_is="nearest", extra_week_in=3),
    FiscalYear(periods="13x4", first_month=7, named_by="end", ends_on="friday", end_is="nearest"),
    FiscalYear(periods="13x4", first_month=2, named_by="start", ends_on="saturday", end_is="last", extra_week_in=1),
]
"""Those of fiscal years that the calendar of the mart is compared with, beside that of the budgets."""


def take_calendars(project: Project) -> None:
    """The calendar of the mart, and a table of the days of all CALENDARS."""
    own = project.root / "dbt_project"
    for place in ("macros/star", "models/marts/shared"):
        (own / place).mkdir(parents=True, exist_ok=True)
    for path in (REPOSITORY / "dbt_project/macros/star").glob("*.sql"):
        shutil.copy(path, own / "macros/star")
    shutil.copy(REPOSITORY / "dbt_project/models/marts/shared/dim_date.sql", own / "models/marts/shared")
    words = [one.model_dump(mode="json", exclude_none=True) for one in CALENDARS]
    text = f"""
        {{% set days = "(select * from " ~ ref("dim_date") ~ " where date_key > 0)" %}}
        {{% for calendar in {words} %}}
        select {{{{ loop.index0 }}}} as calendar_no, known.* from ({{{{ fiscal_days(days, calendar) }}}}) as known
        {{{{ "union all" if not loop.last }}}}
        {{% endfor %}}"""
    (own / "models/marts/shared/fiscal_calendars.sql").write_text(text, encoding="utf-8")


def compare_calendars(project: Project) -> None:
    """Each day lies in the period that a contract of that calendar gives it."""
    found = project.sql("select date_day, fiscal_year, fiscal_period from mart.dim_date where date_key > 0")
    assert len(found) == 5 * 365 + 1  # whole years, one before the first period and one after the last
    budgets = contracts_of(CONTRACTS).get("budgets")
    assert budgets is not None
    assert budgets.fiscal_year is not None
    assert set(found) == {(day, *period_of(day, budgets.fiscal_year)) for day, _, _ in found}
    rows = project.sql("select calendar_no, of_day, fiscal_year, fiscal_period from mart.fiscal_calendars")
    assert len(rows) == len(CALENDARS) * len(found)
    assert [row for row in rows if row[2:] != period_of(row[1], CALENDARS[row[0]])] == []
    assert project.sql("select fiscal_year, fiscal_period from mart.dim_date where date_key < 0") == [(None, None)]


def period_of(day: dt.date, calendar: FiscalYear) -> tuple[str, str]:
    """The fiscal year and period of a day, looked for in all periods around it."""
    moment = dt.datetime.combine(day, dt.time())
    for year in (day.year - 1, day.year, day.year + 1):
        for number in range(1, calendar.count + 1):
            start, end = calendar.interval(year, number)
            if start <= moment < end:
                return f"FY{year}", f"FY{year}-P{number:02}"
    raise AssertionError(day)


@pytest.mark.slow
def test_history_is_that_of_what_is_staged(new_folder: Callable[..., Project], engine: Engine) -> None:
    project = new_folder(engine)
    run(project, "init")
    project.write_profile()
    (project.root / "datasets_config.yml").write_text(CONTRACTS, encoding="utf-8")
    follow_contracts(project)
    for dataset in ("shifts", "budgets"):
        run(project, "derive", "--snapshot", dataset)
    take_calendars(project)
    first, second, third = {"A": "Ada", "B": "Ben"}, {"A": "Ada", "B": "Bea"}, {"A": "Ada"}
    staged: dict[str, Delivered] = {"shifts": {}, "budgets": {}}

    def build_and_compare(command: str = "") -> None:
        if command:
            run(project, command)
        else:
            built = project.dbt("build", "--quiet")
            assert built.success, built.exception or [node.message for node in built.result]
        for dataset, delivered in staged.items():
            assert history(project, dataset) == expected(delivered)

    for name in ("shifts_KW52_2024", "shifts_KW2_2025", "2023/P12", "2024/P02"):
        dataset, period = NAMES[name]
        staged[dataset][period] = first if name in ("shifts_KW52_2024", "2023/P12") else third
        land(project, name, staged[dataset][period])
    assert "4 loaded, 0 refused" in run(project, "load")
    build_and_compare("build")
    compare_calendars(project)

    for name in ("shifts_KW1_2025", "2024/P01"):  # late
        dataset, period = NAMES[name]
        staged[dataset][period] = second
        land(project, name, second)
    assert "loaded     budgets FY2024-P01  2 rows from 2024/P01.csv" in run(project, "load", "--period", "FY2024-P01")
    assert "loaded     shifts 2025-W01  2 rows from shifts_KW1_2025.csv" in run(project, "load")
    build_and_compare()

    for name in ("shifts_KW52_2024", "2024/P02"):  # corrected
        dataset, period = NAMES[name]
        staged[dataset][period] = {"A": "Amy", "C": "Cid"}
        land(project, name, staged[dataset][period], "_v2")
    assert "2 loaded" in run(project, "load")
    for dataset, period in (("shifts", "2025-W01"), ("budgets", "FY2023-P12")):  # rolled back to nothing
        run(project, "rollback", "--dataset", dataset, "--period", period, "--to", 0)
        del staged[dataset][period]
    build_and_compare()

    widths = project.sql(
        "select table_name, character_maximum_length from information_schema.columns "
        "where table_schema = 'stage' and column_name = '_data_period'"
    )
    assert {width for _, width in widths} <= {10, None}
    config = project.root / "datasets_config.yml"
    config.write_text(CONTRACTS.replace("end_is: nearest", "end_is: last"), encoding="utf-8")
    refused = project.loader("load")
    assert refused.exit_code == 2
    assert (
        "was loaded as 2023-12-31 00:00 to 2024-02-04 00:00, and the contract now has another calendar"
        in refused.output
    )
    config.write_text(CONTRACTS, encoding="utf-8")
    asked = ("purge", "--dataset", "budgets", "--before", "FY2024-P02")
    assert "periods before FY2024-P02" in run(project, *asked, "--yes")
    assert project.sql("select distinct _data_period from stage.budgets") == [("FY2024-P02",)]
