"""The insurer's star: after any deliveries, corrections and rollbacks it says what plain Python makes of the rows."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Project
from tests.support.effort import LONG
from tests.support.engines import Engine
from tests.support.insurer import (
    SUMMED,
    Deliveries,
    Expected,
    Row,
    Version,
    claim_line,
    cube_row,
    deliver,
    enrollment,
    first_day,
    health_plan,
    member,
    provider,
    ratio,
    sums,
)

DIMENSIONS = ("service_month", "metal_tier", "rating_area", "age_band")
CUBED = (*SUMMED, "member_months", "premium_amount", "subsidy_amount", "net_premium_amount")
TABLES = (
    "dim_member",
    "dim_health_plan",
    "dim_provider",
    "dim_geography",
    "fct_claim_line",
    "fct_enrollment",
    "agg_claims_daily_plan_provider",
    "agg_claims_monthly_member",
    "agg_plan_performance",
    "cube_claims",
)
TAMPA = {"city": "Tampa", "county": "Hillsborough", "postal_code": "33601", "rating_area": "2"}
RETURNING, MOVING, LATE = 4, 5, 6
MONTHS = ("2024-02", "2025-01", "2025-02", "2025-03")
DROPS = ("2024-02-20", "2025-01-08", "2025-01-20", "2025-02-03", "2025-02-17", "2025-03-05")
LAST = ("2025-03", "2025-03-05")
"""The month and the drop that come after the first build."""


def month(name: str) -> Deliveries:
    """What is delivered for a month: one member leaves and returns, one moves, one is known late."""
    members = [
        member(1, birth_date="2010-05-05"),
        member(2, birth_date="1995-01-01", phone="+13055550123" if name > "2025-01" else None),
        member(3, birth_date="1964-02-01"),
        *([member(RETURNING)] if name != "2025-02" else []),
        member(MOVING, **(TAMPA if name > "2025-01" else {})),
        *([member(LATE, rating_area="3")] if name == "2025-03" else []),
    ]
    plans = [
        health_plan(1),
        health_plan(2, metal_tier="Gold", deductible="1000" if name > "2025-01" else "1500"),
        *([health_plan(3, metal_tier="Expanded Bronze", actuarial_value=None)] if name > "2024-02" else []),
    ]
    providers = [provider(1), provider(2, network_status="Out of network" if name == "2025-02" else "In network")]
    insured = [enrollment(1, 1, "210.33", "60.00"), enrollment(2, 2 if name > "2025-01" else 1, "1271.45")]
    insured += [enrollment(3, 2, "310.10", "310.10"), enrollment(MOVING, 1, "271.00")]
    insured += [enrollment(LATE, 1, "99.99")] if name > "2024-02" else []
    if name == "2024-02":  # for the comparison with the year before
        return {("health_plans", name): plans, ("enrollments", name): insured}
    return {
        ("members", name): members,
        ("health_plans", name): plans,
        ("providers", name): [*providers, *([provider(3, city="Naples")] if name > "2025-01" else [])],
        ("enrollments", name): insured,
    }


def drops() -> Deliveries:
    """Claims received on a few days, of services up to 45 days before; some are adjusted later, some become void."""
    chance = random.Random(20250614)
    number, open_lines, found = 0, [], {}
    for day in DROPS:
        rows = []
        for row in open_lines[::4]:
            dearer = str(Decimal(row["paid_amount"]) + Decimal("1.01"))
            allowed = str(Decimal(dearer) + Decimal("12.34"))
            changed = {"paid_amount": dearer, "allowed_amount": allowed, "line_status": "Paid"}
            rows.append({**row, **(changed if chance.random() < 0.6 else {"line_status": "Void"})})
        for _ in range(6):
            number += 1
            served = first_day(day) - dt.timedelta(days=chance.randrange(46))
            who, plan, where = chance.randint(1, LATE), chance.randint(1, 3), chance.choice([1, 2, 3, 9])
            for line in range(1, chance.randint(2, 4)):
                paid = f"{chance.randint(0, 90000) / 100:.2f}"
                rows.append(claim_line(number, line, who, plan, where, served.isoformat(), paid))
        rows.append(claim_line(900 + number, 1, LATE, 1, 1, day, "0.00", allowed_amount="12.34", line_status="Denied"))
        found["claims", day] = rows
        voided = {(row["claim_id"], row["line_number"]) for row in rows if row["line_status"] == "Void"}
        latest = {(row["claim_id"], row["line_number"]): row for row in [*open_lines, *rows]}
        open_lines = [row for key, row in latest.items() if key not in voided]
    return found


def everything() -> Deliveries:
    return {key: rows for name in MONTHS for key, rows in month(name).items()} | drops()


def first_deliveries() -> Deliveries:
    return {key: rows for key, rows in everything().items() if key[1] not in LAST}


def load(project: Project, deliveries: Deliveries, order: int | None = None) -> None:
    for (dataset, period), rows in deliveries.items():
        deliver(project, dataset, period, rows, order=order)
    only = [word for key in deliveries for pair in zip(("--dataset", "--period"), key, strict=True) for word in pair]
    # in so few rows every change is a large one
    result = project.loader("load", "--force", *(only if len(deliveries) == 1 else ()))
    assert result.exit_code == 0, result.output


def make(project: Project, *options: str) -> None:
    """What the insurer's tables need, without tests."""
    done = project.dbt(
        "build",
        "--select",
        "+path:dbt_project/models/marts/aca",
        "--exclude",
        "resource_type:test",
        "resource_type:unit_test",
        *options,
    )
    assert done.success, done.result


@pytest.fixture
def insurer(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """Loaded and built until February 2025, with every test and every gate."""
    project = new_project(engine, whole=True)
    assert project.loader("migrate").exit_code == 0
    load(project, first_deliveries())
    result = project.loader("build")
    assert result.exit_code == 0, result.output
    return project


# ---- what the star says


def found_lines(project: Project) -> dict[tuple[str, str], Row]:
    names = (
        *("data_period", "service_date", "service_month", "member_id", "health_plan_id", "provider_id", "age_band"),
        *SUMMED,
    )
    rows = project.sql(f"""
        select
            claim_id, line_number, member.member_id, member.valid_from, health_plan.health_plan_id,
            health_plan.valid_from, provider.provider_id, provider.valid_from, place.city, served.date_day,
            {", ".join(f"fact.{name}" for name in names)}
        from mart.fct_claim_line fact
        join mart.dim_member member on member.member_key = fact.member_key
        join mart.dim_health_plan health_plan on health_plan.health_plan_key = fact.health_plan_key
        join mart.dim_provider provider on provider.provider_key = fact.provider_key
        join mart.dim_geography place on place.geography_key = fact.geography_key
        join mart.dim_date served on served.date_key = fact.service_date_key
    """)
    return {
        (row[0], str(row[1])): {"versions": row[2:8], "city": row[8], "day": row[9]}
        | dict(zip(names, row[10:], strict=True))
        for row in rows
    }


def wanted_lines(expected: Expected) -> dict[tuple[str, str], Row]:
    return {
        key: {
            "versions": (
                *named(row["member"], "member_id"),
                *named(row["health_plan"], "health_plan_id"),
                *named(row["provider"], "provider_id"),
            ),
            "city": row["member"].row["city"] if row["member"] else "Unknown",
            "day": row["service_date"],
            "data_period": row["period"],
            **{name: row[name] for name in ("service_date", "service_month", "age_band", *SUMMED)},
            **{name: row[name] for name in ("member_id", "health_plan_id", "provider_id")},
        }
        for key, row in expected.lines.items()
    }


def named(version: Version | None, key: str) -> tuple[str, dt.date]:
    return (version.row[key], version.valid_from) if version else ("unknown", dt.date(1900, 1, 1))


def found_enrollments(project: Project) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = project.sql("""
        select
            fact.member_id, fact.data_period, fact.period_start, member.member_id, member.valid_from,
            health_plan.health_plan_id, health_plan.valid_from, fact.age_band, fact.member_months,
            fact.premium_amount, fact.subsidy_amount, fact.net_premium_amount
        from mart.fct_enrollment fact
        join mart.dim_member member on member.member_key = fact.member_key
        join mart.dim_health_plan health_plan on health_plan.health_plan_key = fact.health_plan_key
    """)
    return {tuple(row[:2]): tuple(row[2:]) for row in rows}


def wanted_enrollments(expected: Expected) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    measures = ("age_band", "member_months", "premium_amount", "subsidy_amount", "net_premium_amount")
    return {
        key: (
            row["service_month"],
            *named(row["member"], "member_id"),
            *named(row["health_plan"], "health_plan_id"),
            *(row[name] for name in measures),
        )
        for key, row in expected.enrollments.items()
    }


def found_sums(project: Project, table: str, by: Iterable[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    keys = list(by)
    rows = project.sql(f"select {', '.join([*keys, *SUMMED])} from mart.{table}")
    return {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in rows}


def found_cube(project: Project) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = ("grouping_level", "month_start", *DIMENSIONS[1:], *CUBED, "loss_ratio")
    rows = project.sql(f"select {', '.join(columns)} from mart.cube_claims")
    return {tuple(row[:5]): tuple(row[5:]) for row in rows}


def wanted_cube(expected: Expected) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = [cube_row(row) for row in (*expected.lines.values(), *expected.enrollments.values())]
    wanted = {}
    for level in range(16):
        kept = [not level & bit for bit in (8, 4, 2, 1)]
        by = [name for name, is_kept in zip(DIMENSIONS, kept, strict=True) if is_kept]
        for cell, measures in sums(rows, by, CUBED).items():
            values = iter(cell)
            key = (level, *(next(values) if is_kept else None for is_kept in kept))
            paid, premium = (Decimal(measures[CUBED.index(name)]) for name in ("paid_amount", "premium_amount"))
            wanted[key] = (*measures, ratio(paid, premium))
    return wanted


def found_performance(project: Project) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = (
        *("health_plan_id", "date_day", "paid_amount", "premium_amount", "paid_amount_30_days"),
        *("premium_amount_30_days", "loss_ratio_30_days", "loss_ratio_30_days_year_before"),
    )
    rows = project.sql(f"select {', '.join(columns)} from mart.agg_plan_performance")
    return {tuple(row[:2]): tuple(row[2:]) for row in rows}


def wanted_performance(expected: Expected) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    last = max(first_day(period) for dataset, period in expected.deliveries if dataset == "claims")
    paid = sums(expected.lines.values(), ("health_plan_id", "service_date"), ("paid_amount",))
    earned: dict[tuple[str, dt.date], Decimal] = {}
    months = sums(expected.enrollments.values(), ("health_plan_id", "service_month"), ("premium_amount",))
    for (plan, start), (premium,) in months.items():
        days = (first_day(f"{start + dt.timedelta(days=31):%Y-%m}") - start).days
        cents = [int(premium * 100) * number // days for number in range(days + 1)]
        for number in range(days):
            if start + dt.timedelta(days=number) <= last:
                day = start + dt.timedelta(days=number)
                earned[plan, day] = Decimal(cents[number + 1] - cents[number]) / 100

    def window(plan: str, day: dt.date) -> tuple[Decimal, Decimal]:
        days = [(plan, day - dt.timedelta(days=back)) for back in range(30)]
        claims = sum((paid.get(one, (Decimal(0),))[0] for one in days), Decimal(0))
        return claims, sum((earned.get(one, Decimal(0)) for one in days), Decimal(0))

    wanted = {}
    for plan in {plan for plan, _ in (*paid, *earned)}:
        day = first = min(day for one, day in (*paid, *earned) if one == plan)
        while day <= last:
            before = day.replace(year=day.year - 1, day=28 if day.month == 2 and day.day == 29 else day.day)
            wanted[plan, day] = (
                paid.get((plan, day), (Decimal(0),))[0],
                earned.get((plan, day), Decimal(0)),
                *window(plan, day),
                ratio(*window(plan, day)),
                ratio(*window(plan, before)) if before >= first else None,
            )
            day += dt.timedelta(days=1)
    return wanted


def assert_star_says(project: Project, deliveries: Deliveries) -> None:
    expected = Expected(deliveries)
    lines = expected.lines.values()
    assert found_lines(project) == wanted_lines(expected)
    assert found_enrollments(project) == wanted_enrollments(expected)
    for table, by in (
        ("agg_claims_daily_plan_provider", ("service_date", "health_plan_id", "provider_id")),
        ("agg_claims_monthly_member", ("service_month", "member_id", "health_plan_id")),
    ):
        assert found_sums(project, table, by) == sums(lines, by, SUMMED)
    assert found_cube(project) == wanted_cube(expected)
    assert found_performance(project) == wanted_performance(expected)


def star(project: Project) -> dict[str, list[Any]]:
    return {table: sorted(project.sql(f"select * from mart.{table}"), key=repr) for table in TABLES}


# ---- tests


@pytest.mark.slow
def test_the_star_follows_whatever_is_delivered_and_nothing_else(insurer: Project) -> None:
    """It is also what a build from scratch makes of the same rows. One story: its beginning takes the longest."""
    given = first_deliveries()
    assert_star_says(insurer, given)
    late = Expected(given).lines
    assert any(row["member"] is None for row in late.values())

    # a month and a day more: the late member is known, also of what happened before
    more = {key: rows for key, rows in everything().items() if key[1] in LAST}
    load(insurer, more)
    make(insurer)
    given |= more
    assert_star_says(insurer, given)
    assert all(row["member"] is not None for row in Expected(given).lines.values())

    # an old day is corrected: amounts differ, lines are missing, a void is taken back
    old = ("claims", "2025-01-20")
    dearer = [{**row, "billed_amount": "5000.00"} for row in given[old] if row["line_status"] != "Void"][1:]
    load(insurer, {old: dearer}, order=2)
    make(insurer)
    assert_star_says(insurer, given | {old: dearer})

    if insurer.engine.name != "duckdb" and not LONG:
        return  # the rest takes longest, and is the same SQL: on servers in make test-long

    # an old month is corrected: who moved in February had already moved in January
    january = ("members", "2025-01")
    moved = [row for row in given[january] if row["member_id"] != f"M{MOVING:08d}"] + [member(MOVING, **TAMPA)]
    load(insurer, {january: moved}, order=2)
    assert insurer.loader("rollback", "--dataset", "claims", "--period", "2025-01-20").exit_code == 0
    assert insurer.loader("rollback", "--dataset", "claims", "--period", "2025-02-03", "--to", "0").exit_code == 0
    make(insurer)
    given |= {january: moved}
    del given["claims", "2025-02-03"]
    assert_star_says(insurer, given)

    followed = star(insurer)
    make(insurer, "--full-refresh")
    assert star(insurer) == followed

    # nothing is delivered, and a claim is another by a cent
    one = "(select min(claim_id) from mart.fct_claim_line)"
    insurer.sql(f"update mart.fct_claim_line set paid_amount = paid_amount + 0.01 where claim_id = {one}")
    done = insurer.dbt("build", "--select", "fct_claim_line")
    assert not done.success
    assert "claim_lines_match_stage" in [one.node.name for one in done.result if one.status == "fail"]


def assert_staged(project: Project) -> None:
    """What the sample's first day is in stage: amounts that add up, and nobody claims on a plan of somebody else."""
    lines = project.sql("select count(*) from stage.claims where allowed_amount = paid_amount + member_amount")
    assert lines[0][0] > 10
    assert project.sql("select count(*) from stage.members") == [(425,)]
    (nothing,) = project.sql(
        "select count(*) from stage.claims as c left join stage.enrollments as e "
        "on c.member_id = e.member_id and c.health_plan_id = e.health_plan_id where e.member_id is null"
    )
    assert nothing == (0,)


@pytest.mark.slow
def test_days_one_by_one_make_what_all_at_once_makes(engine: Engine, new_project: Callable[..., Project]) -> None:
    """As `make aca-day` for each day, and `make aca-full`, do: over the end of a month, when all else comes anew."""
    if not LONG:
        pytest.skip("in make test-long only: the star of any deliveries is compared above")
    by_day, at_once = (new_project(engine, folder, whole=True) for folder in ("by_day", "at_once"))
    for project in (by_day, at_once):
        assert project.loader("migrate").exit_code == 0
    for day in ("2025-01-31", "2025-02-01"):
        made = by_day.loader("sample-data", "aca", "--scale", 0.25, "--day", day)
        assert made.exit_code == 0, made.output
        assert made.output.count("made data/landing/") == 5
        for path in by_day.landing.iterdir():
            shutil.copy(path, at_once.landing)
        loaded = by_day.loader("load")
        assert "5 loaded, 0 refused" in loaded.output
        if day == "2025-01-31":
            assert_staged(by_day)
        make(by_day)
    assert "10 loaded, 0 refused" in at_once.loader("load").output
    make(at_once)
    assert star(by_day) == star(at_once)
    assert len(star(by_day)["fct_claim_line"]) > 50

    # what is purged is held until the aggregates have taken it out as well
    purge = ("purge", "--dataset", "claims", "--before", "2025-02-01", "--yes")
    assert "core.claims, mart.fct_claim_line still hold it" in by_day.loader(*purge).output
    assert by_day.dbt(
        "build", "--select", "claims", "fct_claim_line", "--exclude", "resource_type:test", "resource_type:unit_test"
    ).success
    aggregates = "mart.agg_claims_daily_plan_provider, mart.agg_claims_monthly_member"
    assert f"{aggregates} still hold it" in by_day.loader(*purge).output
    make(by_day)
    assert "still hold it" not in by_day.loader(*purge).output
    assert not by_day.sql("select * from mart.agg_claims_daily_plan_provider where service_date < '2024-12-18'")
