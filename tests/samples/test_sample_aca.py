"""The insurer's sample deliveries: the same for the same arguments, a day alone as in the set, plausible, curable."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loader.project import Project as OpenProject
from loader.samples.data.aca import Sample, make_day, make_deliveries
from loader.samples.data.aca.claims import Claims, Lines, Status
from loader.samples.data.aca.places import HOMES, PLACES
from loader.samples.data.aca.plans import THIRTY, TIERS
from loader.samples.data.aca.providers import SPECIALTIES, check_digit
from loader.samples.data.aca.world import Month, months
from loader.staging.landing import recognise
from loader.validation import Outcome, clean_delivery
from tests.conftest import REPOSITORY, Project

SAMPLE = Sample(scale=0.25, periods=3)
DAILY_FROM = date(2025, 3, 12)
"""The claims before are a backlog, so that the tests have few files to read."""
NOBODY = ("M99999999", "TEST-0001", "11111FL9990001", "2999999992", "2000000")
"""Ids of the rows beyond cure; those of claims begin with C9999."""


@dataclass
class Delivered:
    """The files of a sample, and what is left of them after the contracts."""

    folder: Path
    paths: list[Path]
    rejected: dict[str, int]
    """By file."""
    warehouse: duckdb.DuckDBPyConnection
    """A table per dataset, with `period`."""

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.warehouse.execute(query).fetchall()

    def one(self, query: str) -> float:
        ((value,),) = self.rows(query)
        return float(value)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivered]:
    folder = tmp_path_factory.mktemp("aca")
    project = OpenProject.open(REPOSITORY)
    paths = list(make_deliveries(folder / "landing", SAMPLE, DAILY_FROM))
    tables: dict[str, list[pa.Table]] = {}
    rejected = {}
    for path in paths:
        landed, outcome, cleaned = recognise(project, path), Outcome(), folder / "cleaned.parquet"
        clean_delivery(path, landed.contract, landed.period, cleaned, folder / "rejects.csv", outcome)
        rejected[path.name] = outcome.rows_rejected
        rows = pq.read_table(cleaned)
        period = pa.array([landed.period.name] * rows.num_rows, pa.string())
        tables.setdefault(landed.contract.name, []).append(rows.append_column("period", period))
    with duckdb.connect() as warehouse:
        for name, parts in tables.items():
            whole = pa.concat_tables(parts)
            warehouse.register("whole", whole)
            warehouse.execute(f"create table {name} as select * from whole")
        yield Delivered(folder / "landing", paths, rejected, warehouse)


World = tuple[Month, dict[date, Lines]]


@pytest.fixture(scope="module")
def world() -> World:
    """The world behind the files: its last month, and the claim lines of every day."""
    claims, drops = Claims(SAMPLE), {}
    for month in islice(months(SAMPLE), SAMPLE.periods):
        claims.see(month)
        start, days = month.period.start.date(), (month.period.end - month.period.start).days
        drops |= {day: claims.drop(day) for day in (start + timedelta(days=number) for number in range(days))}
    return month, drops


# --- the same again


def test_a_file_a_month_and_a_drop_a_day(delivered: Delivered) -> None:
    names = Counter(path.name.split("_")[0] for path in delivered.paths)
    assert names == {"plans": 3, "providers": 3, "members": 3, "enrollments": 3, "claims": 3 + 20}
    claims = [path.name[12:17] for path in delivered.paths if path.name.startswith("claims")]
    assert claims == ["01-31", "02-28", "03-11", *(f"03-{day}" for day in range(12, 32))]
    assert len(set(delivered.paths)) == len(delivered.paths)


def test_a_day_alone_is_as_in_the_set(delivered: Delivered, tmp_path: Path) -> None:
    day = date(2025, 3, 20)
    alone = list(make_day(tmp_path, day, SAMPLE))
    assert len(alone) == 3 * 4 + 1
    for path in alone:
        assert path.read_bytes() == (delivered.folder / path.name).read_bytes(), path.name
    # the monthly files are there already
    (next_day,) = make_day(tmp_path, date(2025, 3, 21), SAMPLE)
    assert next_day.read_bytes() == (delivered.folder / next_day.name).read_bytes()


def test_other_arguments_are_another_world(delivered: Delivered, tmp_path: Path) -> None:
    for number, sample in enumerate((Sample(scale=0.25, seed=7), Sample(scale=0.25, first="2024-11"))):
        *_, claims = make_day(tmp_path / str(number), date(2025, 3, 20), sample)
        assert claims.read_bytes() != (delivered.folder / claims.name).read_bytes()
    with pytest.raises(ValueError, match="lies before the first month"):
        list(make_day(tmp_path, date(2024, 12, 31), SAMPLE))


# --- what contracts make of it


def test_only_the_rows_of_nobody_are_rejected(delivered: Delivered) -> None:
    for path in delivered.paths:
        encoding = "latin-1" if path.name.startswith(("members", "providers")) else "utf-8"
        rows = path.read_text(encoding=encoding).splitlines()
        beyond = [row for row in rows if "C9999" in row or any(f'"{name}"' in row for name in NOBODY)]
        assert delivered.rejected[path.name] == len(beyond), path.name
        assert len(beyond) > 0 or path.name.startswith("claims")
    assert sum(count for name, count in delivered.rejected.items() if name.startswith("claims")) > 3


def test_the_usual_dirt_is_there(delivered: Delivered) -> None:
    def text(name: str) -> str:
        return (delivered.folder / name).read_text(encoding="latin-1")

    plans, claims, members = text("plans_2025-01.csv"), text("claims_2025-02-28.csv"), text("members_2025-01.csv")
    for dirt in ('"$9,200 "', '"Not Applicable"', '"Not Covered"', '""', '" "', '  "'):
        assert dirt in plans, dirt
    for dirt in ('"Not Applicable"', "/2025", '"450"', '"2"', '"$', ' "'):
        assert dirt in claims, dirt
    assert "\u00e9" in members  # one byte in this encoding
    assert re.search('"(7094|8869|1752|2118)"', text("providers_2025-01.csv"))
    assert '"  "' in text("enrollments_2025-01.csv")


def test_plans_are_cured_to_the_cent(delivered: Delivered, world: World) -> None:
    found = delivered.rows("""
        select health_plan_id, trim(plan_name) = plan_name, metal_tier, cast(actuarial_value * 10000 as integer),
            cast(deductible * 100 as integer), cast(out_of_pocket_maximum * 100 as integer),
            cast(premium_child * 100 as integer), cast(premium_60 * 100 as integer),
            cast(area_factor_6 * 10000 as integer), termination_date
        from health_plans where period = '2025-03'
    """)
    assert sorted(found) == sorted(
        (
            plan.health_plan_id,
            True,
            plan.tier,
            None if plan.tier == "Catastrophic" else plan.actuarial_value,
            plan.deductible,
            plan.maximum,
            plan.premiums[0],
            plan.premiums[-1],
            plan.area_factors[-1],
            plan.termination,
        )
        for plan in world[0].plans
        if plan.is_sold_in(world[0].period)
    )


def test_members_are_cured(delivered: Delivered, world: World) -> None:
    found = delivered.rows("""
        select member_id, first_name, last_name, birth_date, gender, email, phone, street, postal_code, county,
            rating_area, tobacco_use
        from members where period = '2025-03' order by member_id
    """)
    month, words = world[0], SAMPLE.words
    people = month.members
    who = month.insured[~people.late[month.insured]]
    assert len(found) == len(who) > 450
    for at, row in zip(who, found, strict=True):
        member_id, first, last, birth, gender, email, phone, street, code, county, area, tobacco = row
        home = HOMES[people.place[at]]
        assert member_id == f"M{people.number[at]:08}"
        assert (first, last) == (words.first_names[people.first_name[at]], words.last_names[people.last_name[at]])
        assert (birth, gender) == (people.birth[at].astype(object), "FMX"[people.gender[at]])
        assert (email is None) == (people.mailbox[at] < 0)
        assert (phone is None) == (people.phone[at] < 0)
        assert phone is None or phone[-4:] == f"01{people.phone[at] % 100:02}"
        assert street == f"{people.house_number[at]} {words.streets[people.street[at]]}"
        assert (code, county, area) == (home.postal_code, home.county, home.area)
        assert tobacco == ("Y" if people.tobacco[at] else "N")


def test_providers_are_cured_and_have_numbers_of_nobody(delivered: Delivered, world: World) -> None:
    found = delivered.rows(
        "select provider_id, provider_name, specialty, postal_code, network_status from providers "
        "where period = '2025-03'"
    )
    providers = world[0].providers
    assert found == [
        (
            str(providers.provider_id[at]),
            providers.name[at],
            SPECIALTIES[providers.specialty[at]].name,
            PLACES[providers.place[at]].postal_code,
            "In network" if providers.in_network[at] else "Out of network",
        )
        for at in np.flatnonzero(providers.active)
    ]
    assert check_digit(123456789) == 3  # the example of CMS
    assert all(number.startswith("2") and check_digit(int(number[:9])) == int(number[9]) for number, *_ in found)


def test_claims_are_cured_to_the_cent(delivered: Delivered, world: World) -> None:
    month, drops = world
    for day in (DAILY_FROM, date(2025, 3, 31)):
        lines = drops[day]
        found = delivered.rows(f"""
            select claim_id, line_number, member_id, cast(billed_amount * 100 as bigint),
                cast(allowed_amount * 100 as bigint), cast(paid_amount * 100 as bigint), line_status, service_date,
                received_date, length(place_of_service), length(procedure_code) >= 4
            from claims where period = '{day}'
        """)
        assert found == [
            (
                f"C{lines.claim[at]:013}",
                lines.line[at],
                f"M{month.members.number[lines.member[at]]:08}",
                lines.billed[at],
                lines.allowed[at],
                lines.paid[at],
                Status(lines.status[at]).name.capitalize(),
                lines.service_date[at].astype(object),
                day,
                2,
                None if lines.kind[at] == 2 else True,
            )
            for at in range(len(lines))
        ]


# --- what hangs together


def test_a_claim_is_of_the_plan_in_which_the_member_was_enrolled_on_the_day(delivered: Delivered) -> None:
    assert delivered.one("select count(*) from claims") > 2500
    assert (
        delivered.rows("""
        select c.claim_id from claims as c
        anti join enrollments as e
            on c.member_id = e.member_id and c.health_plan_id = e.health_plan_id
            and strftime(c.service_date, '%Y-%m') = e.period and c.service_date >= e.effective_date
    """)
        == []
    )
    assert (
        delivered.rows(
            "select claim_id from claims anti join providers using (provider_id) union all "
            "select health_plan_id from enrollments anti join health_plans using (health_plan_id, period)"
        )
        == []
    )


def test_some_members_are_known_a_month_late(delivered: Delivered) -> None:
    late = {
        (member, period)
        for member, period in delivered.rows(
            "select member_id, period from enrollments anti join members using (member_id, period)"
        )
    }
    known = set(delivered.rows("select member_id, period from members"))
    assert 3 <= len(late) <= 15
    assert {period for _, period in late} >= {"2025-02"}
    assert all((member, "2025-03") in known for member, period in late if period == "2025-02")
    members = ", ".join(f"'{member}'" for member, _ in late)
    assert delivered.one(f"select count(*) from claims where period < '2025-03-01' and member_id in ({members})") > 0


def test_premiums_follow_band_and_area_and_subsidies_stay_below(delivered: Delivered) -> None:
    """Of those who came with the month, the age is that of its first day."""
    assert (
        delivered.one("""
        select count(*) from enrollments as e
        inner join members as m using (member_id, period)
        inner join health_plans as p using (health_plan_id, period)
        where e.effective_date = cast(e.period || '-01' as date)
            and e.premium_amount <> round(
                case
                    when date_sub('year', m.birth_date, e.effective_date) < 21 then p.premium_child
                    when date_sub('year', m.birth_date, e.effective_date) < 30 then p.premium_21
                    when date_sub('year', m.birth_date, e.effective_date) < 40 then p.premium_30
                    when date_sub('year', m.birth_date, e.effective_date) < 50 then p.premium_40
                    when date_sub('year', m.birth_date, e.effective_date) < 60 then p.premium_50
                    else p.premium_60
                end * case m.rating_area
                    when 1 then p.area_factor_1 when 2 then p.area_factor_2 when 3 then p.area_factor_3
                    when 4 then p.area_factor_4 when 5 then p.area_factor_5 else p.area_factor_6
                end,
                2
            )
    """)
        == 0
    )
    share = delivered.one("select sum(subsidy_amount) / sum(premium_amount) from enrollments")
    assert 0.5 < share < 0.85


def test_distributions_are_plausible(delivered: Delivered) -> None:
    tiers = dict(
        delivered.rows(
            "select metal_tier, count(*) / sum(count(*)) over () from enrollments "
            "inner join health_plans using (health_plan_id, period) group by metal_tier"
        )
    )
    assert set(tiers) <= set(TIERS)
    assert 0.45 < tiers["Silver"] < 0.66  # type: ignore[operator]
    assert tiers["Silver"] > tiers["Expanded Bronze"] > tiers["Gold"] > tiers.get("Platinum", 0)  # type: ignore[operator]

    assert delivered.one("select count(distinct rating_area) from members") == 6
    age = delivered.one("select avg(date_diff('year', birth_date, date '2025-01-01')) from members")
    assert 34 < age < 44

    share_of_few = delivered.one("""
        with spent as (select sum(allowed_amount) as cost from claims group by member_id)
        select sum(cost) filter (rank <= 0.1 * people) / sum(cost)
        from (select cost, row_number() over (order by cost desc) as rank from spent)
        cross join (select count(distinct member_id) as people from members)
    """)
    assert 0.5 < share_of_few < 0.95
    assert delivered.one("select avg(billed_amount) / avg(allowed_amount) from claims") > 1.5
    assert 0.02 < delivered.one("select avg(cast(line_status = 'Denied' as integer)) from claims") < 0.12
    assert delivered.one("select median(received_date - service_date) from claims") <= 8
    weekend = delivered.one("select avg(cast(isodow(service_date) > 5 as integer)) from claims")
    assert 0.08 < weekend < 0.2
    loss_ratio = delivered.one("""
        select (select sum(paid_amount) from claims where line_status <> 'Void')
            / (select sum(premium_amount) from enrollments)
    """)
    assert 0.4 < loss_ratio < 1.4


def test_lines_come_back_adjusted_or_void(delivered: Delivered) -> None:
    assert (
        delivered.one("""
        select max(received_date - service_date) from claims
        where substr(claim_id, 2, 6) = strftime(received_date, '%y%m%d')
    """)
        <= 45
    )
    again = delivered.rows("""
        select line_status, allowed_amount <> lag(allowed_amount) over line as other from claims
        window line as (partition by claim_id, line_number order by period)
        qualify row_number() over line > 1
    """)
    statuses = Counter(status for status, _ in again)
    assert statuses["Void"] > 1
    assert statuses["Paid"] > 5
    assert all(other for status, other in again if status == "Paid")


def test_open_enrollment_brings_the_most(delivered: Delivered) -> None:
    january, february, march = (
        delivered.one(f"select count(*) from enrollments where period = '2025-{month:02}'") for month in (1, 2, 3)
    )
    assert february > 1.1 * january
    assert abs(march - february) < 0.05 * february


def test_a_year_of_the_world() -> None:
    """Plans that end and change, members who leave and return, and covers that stay possible."""
    sample = Sample(scale=0.25, first="2025-02")
    plans: list[dict[str, tuple[object, ...]]] = []
    insured: list[set[int]] = []
    for month in islice(months(sample), 13):
        people, who = month.members, month.insured
        assert (month.premiums() > 0).all()
        sold = np.array([plan.is_sold_in(month.period) for plan in month.plans])
        assert sold[people.plan[who]].all()
        young = np.array([plan.premiums[THIRTY] is None for plan in month.plans])[people.plan[who]]
        assert (people.band[who][young] < THIRTY).all()
        insured.append(set(who.tolist()))
        plans.append(
            {plan.health_plan_id: (plan.name, plan.premiums) for at, plan in enumerate(month.plans) if sold[at]}
        )
    assert [len(offer) for offer in plans[:3]] == [60, 60, 60]
    assert len(plans[3]) == 59  # withdrawn at the end of April
    within_the_year = [
        (before[one], after[one])
        for before, after in pairwise(plans[:11])
        for one in before.keys() & after.keys()
        if before[one] != after[one]
    ]
    renamed, corrected = sorted(tuple(a == b for a, b in zip(*change, strict=True)) for change in within_the_year)
    assert (renamed, corrected) == ((False, True), (True, False))
    december, january = plans[10], plans[11]
    assert 3 <= len(december.keys() - january.keys()) <= 10
    assert len(january) == 60
    assert all(december[one][1] != january[one][1] for one in december.keys() & january.keys())
    left = {member for before, after in pairwise(insured[:-1]) for member in before - after}
    assert left & insured[-1]
    assert len(insured[10] - insured[11]) > 2 * len(insured[5] - insured[6])


# --- sizes


def test_memory_does_not_grow_with_the_claim_lines() -> None:
    sample = Sample(scale=0.05, use=400)
    claims = Claims(sample)
    for month in islice(months(sample), 2):
        claims.see(month)
    first, made = date(2025, 1, 1), 0
    tracemalloc.start()
    for number in range(59):
        lines = claims.drop(first + timedelta(days=number))
        made += sum(column.nbytes for column in vars(lines).values())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made > 15_000_000
    assert peak < made / 4


def test_a_backlog_says_the_same_as_its_days(delivered: Delivered, world: World) -> None:
    """Claims before a day in a file a month: the last word on each line is that of the daily drops."""
    latest = {}
    for lines in world[1].values():
        money = zip(lines.allowed.tolist(), lines.paid.tolist(), lines.status.tolist(), strict=True)
        latest |= dict(zip(zip(lines.claim.tolist(), lines.line.tolist(), strict=True), money, strict=True))
    last = delivered.rows("""
        select cast(substr(claim_id, 2) as bigint), line_number, cast(allowed_amount * 100 as bigint),
            cast(paid_amount * 100 as bigint), line_status
        from claims
        qualify row_number() over (partition by claim_id, line_number order by period desc) = 1
    """)
    statuses = {status.name.capitalize(): status.value for status in Status}
    assert latest == {(claim, line): (allowed, paid, statuses[status]) for claim, line, allowed, paid, status in last}


# --- through the front door


def test_the_script_is_the_same_command(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    arguments = ("--scale", "0.02", "--periods", "1", "--daily-from", "2025-01-30")
    script = [sys.executable, str(REPOSITORY / "scripts/generate_seed_data.py"), *arguments]
    subprocess.run([*script, "--project-dir", str(project.root)], check=True, capture_output=True, cwd=REPOSITORY)
    made = {path.name: path.read_bytes() for path in project.landing.iterdir()}
    assert sorted(made) == [
        *(f"claims_2025-01-{day}.csv" for day in (29, 30, 31)),
        *(f"{name}_2025-01.csv" for name in ("enrollments", "members", "plans", "providers")),
    ]
    for path in project.landing.iterdir():
        path.unlink()
    assert project.loader("sample-data", "aca", *arguments).exit_code == 0
    assert {path.name: path.read_bytes() for path in project.landing.iterdir()} == made


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("aca", "--rows", 9), "`sample-data aca` knows no --rows"),
        (("--scale", 9), "`sample-data citizens` knows no --scale"),
        (("aca", "--day", "2025-06-14", "--periods", 3), "`sample-data aca --day` knows no --periods"),
        (("aca", "--day", "2025-02-30"), "'2025-02-30' is not a day period"),
        (("aca", "--first", "2025"), "'2025' is not a month period"),
    ],
)
def test_arguments_that_do_not_fit(
    new_project: Callable[..., Project], arguments: tuple[object, ...], reason: str
) -> None:
    project = new_project("duckdb")
    result = project.loader("sample-data", *arguments)
    assert (result.exit_code, reason in result.output) == (2, True), result.output
    assert not list(project.landing.iterdir())
