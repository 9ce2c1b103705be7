"""The insurer: CSV drops to a star and a cube, a claim that is corrected, and one more day."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from loader import console
from loader.build.layers import Part, build
from loader.contracts import Grain, Period
from loader.files import sha256_of
from loader.project import Project
from loader.reports.cube import output as pivot
from loader.samples.data.aca import Sample, make_deliveries
from loader.samples.demo.narration import head, refuse_strangers, roll_back, rows_of, say_what_next, show
from loader.staging.load import load
from loader.warehouse.versions import active_version, versions_of

_INSURER = Part("aca", ("members", "health_plans", "providers", "enrollments", "claims"))
_DAYS = 5
"""The last days of the last month come as drops of their own; the claims before them as one file a month."""

_PLANS = """
    select
        enrolled.member_id,
        enrolled.first_month,
        enrolled.last_month,
        dim_health_plan.metal_tier,
        dim_health_plan.deductible,
        enrolled.premium_amount,
        claims.claim_line_count,
        claims.paid_amount,
        claims.member_amount
    from (
        select
            member_id,
            health_plan_id,
            min(data_period) as first_month,
            max(data_period) as last_month,
            max(health_plan_key) as health_plan_key,
            sum(premium_amount) as premium_amount
        from mart.fct_enrollment
        group by member_id, health_plan_id
    ) as enrolled
    inner join mart.dim_health_plan on enrolled.health_plan_key = dim_health_plan.health_plan_key
    inner join (
        select
            member_id,
            health_plan_id,
            cast(sum(claim_line_count) as integer) as claim_line_count,
            sum(paid_amount) as paid_amount,
            sum(member_amount) as member_amount
        from mart.agg_claims_monthly_member
        group by member_id, health_plan_id
    ) as claims
        on enrolled.member_id = claims.member_id and enrolled.health_plan_id = claims.health_plan_id
    order by enrolled.member_id, enrolled.first_month
"""

_CORRECTED = """
    select
        before.claim_id,
        before.line_number,
        cast(after.dbt_valid_from as date) as corrected_on,
        before.paid_amount - after.paid_amount as difference
    from core.claims as before
    inner join core.claims as after
        on before.claim_id = after.claim_id
        and before.line_number = after.line_number
        and before.dbt_valid_to = after.dbt_valid_from
    order by abs(before.paid_amount - after.paid_amount) desc, before.claim_id, before.line_number
"""

_LINE = """
    select
        cast(dbt_valid_from as date) as valid_from,
        cast(dbt_valid_to as date) as valid_to,
        service_date,
        line_status,
        billed_amount,
        allowed_amount,
        paid_amount
    from core.claims
    where claim_id = :claim and line_number = :line
    order by dbt_valid_from
"""

_AS_OF = """
    select
        cast(count(*) as integer) as claim_lines,
        sum(paid_amount) as paid_amount
    from core.claims
    where service_date >= :first and service_date < :last
        and dbt_valid_from <= :moment and (dbt_valid_to is null or dbt_valid_to > :moment)
"""

_FOLLOWED = (
    "core.claims",
    "mart.fct_claim_line",
    "mart.agg_claims_daily_plan_provider",
    "mart.agg_claims_monthly_member",
)
_LOSS_RATIO: dict[str, list[str]] = {
    "rows": ["metal_tier"],
    "columns": ["month"],
    "measures": ["loss_ratio=paid_amount/premium_amount"],
    "filters": [],
}


def demo(project: Project, *, scale: float, periods: int) -> None:
    """Show what Almanac makes of an insurer's files, in the project's own folders.

    Raises:
        UsageError: the landing folder or the warehouse holds other deliveries of the insurer, which the demo would
            mix with its own.
    """
    started = time.perf_counter()
    project.ensure_migrated()
    last = _last_day(periods)
    drop = _land(project, Sample(scale=scale, periods=periods), last)

    head(f"1  Load: {periods} months of an insurer's CSV files, the claims of the last days in daily drops")
    console.say(load(project).closing_line)

    head("2  Build: history in core, star and cube in mart, a gate after each layer")
    build(project, part=_INSURER)
    _show_loss_ratio(project)
    _show_change_of_plan(project)

    head("3  A claim line is corrected long after; the report as it stood before is still there")
    _show_correction(project)

    head(f"4  One more day: the drop of {last}")
    _show_day(project, lambda: _deliver(project, drop, last))
    _say_what_next(project, time.perf_counter() - started, last)


def _last_day(periods: int) -> date:
    first = Sample().first_month.start
    years, month = divmod(first.month - 1 + periods, 12)
    return date(first.year + years, month + 1, 1) - timedelta(days=1)


def _land(project: Project, sample: Sample, last: date) -> bytes:
    """Put the sample deliveries into the landing folder; returns the drop of the last day, which is held back."""
    landing = project.settings.landing_dir
    landing.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="almanac-demo-") as folder:
        made = [*make_deliveries(Path(folder), sample, last - timedelta(days=_DAYS - 1))]
        hashes = {path.name: sha256_of(path) for path in made}
        for dataset in _INSURER.datasets:
            refuse_strangers(project, project.contract(dataset), hashes)
        *before, drop = made
        for path in before:
            (landing / path.name).write_bytes(path.read_bytes())
        _take_back(project, last)
        return drop.read_bytes()


def _take_back(project: Project, last: date) -> None:
    """In a second demo the last day is there already."""
    contract = project.contract("claims")
    versions = project.warehouse.run(lambda c: versions_of(c, contract.name, str(last)))
    if active_version(versions) is not None:
        roll_back(project, contract, contract.period(str(last)), 0)


def _deliver(project: Project, drop: bytes, last: date) -> None:
    """Load the held back drop; in a second demo it is known, and made active again."""
    contract = project.contract("claims")
    if versions := project.warehouse.run(lambda c: versions_of(c, contract.name, str(last))):
        roll_back(project, contract, contract.period(str(last)), versions[-1].version_no)
    else:
        (project.settings.landing_dir / f"claims_{last}.csv").write_bytes(drop)
        console.say("$ loader run")
        load(project)
    build(project, part=_INSURER)


def _show_loss_ratio(project: Project) -> None:
    console.say()
    asked = " ".join(
        f"--{name.removesuffix('s') if name == 'measures' else name} {words[0]}"
        for name, words in _LOSS_RATIO.items()
        if words
    )
    console.say(f"$ loader cube {asked}")
    answer = pivot.ask(project, None, **_LOSS_RATIO)
    console.show(pivot.as_table(answer, totals=True), pivot.leave_out(answer, totals=True))


def _show_change_of_plan(project: Project) -> None:
    """Of those who changed their plan, the one of whom the cheaper half cost most."""
    by_member: dict[str, list[tuple[Any, ...]]] = {}
    for member_id, *spell in rows_of(project, _PLANS):
        by_member.setdefault(member_id, []).append(tuple(spell))
    changed = {member: spells for member, spells in by_member.items() if len(spells) == 2}
    if changed:
        member = max(changed, key=lambda one: min(spell[-2] for spell in changed[one]))
        columns = ("from", "until", "tier", "deductible", "premium", "claim lines", "plan paid", "member paid")
        show(f"{member} changed the plan: what the claims cost before and after", columns, changed[member])


def _show_correction(project: Project) -> None:
    corrected = rows_of(project, _CORRECTED)
    if not corrected:
        console.say("none of these was; there are more of them in another clone, with SCALE=1")
        return
    claim, line, corrected_on, _ = corrected[0]
    versions = rows_of(project, _LINE, claim=claim, line=line)
    shown = [(valid_from, valid_to or "today", *rest) for valid_from, valid_to, *rest in versions]
    columns = ("known from", "until", "service", "status", "billed", "allowed", "plan paid")
    show(f"Claim {claim}, line {line} (core.claims)", columns, shown)
    month = Period.parse(f"{versions[0][2]:%Y-%m}", Grain.MONTH)
    moments = (corrected_on - timedelta(days=1), _newest(project))
    reports = [
        (moment, *rows_of(project, _AS_OF, first=month.start.date(), last=month.end.date(), moment=moment)[0])
        for moment in moments
    ]
    show(f"The report of {month}, as it stood", ("on", "claim lines", "plan paid"), reports)


def _newest(project: Project) -> date:
    ((newest,),) = rows_of(project, "select cast(max(dbt_valid_from) as date) as newest from core.claims")
    return newest  # type: ignore[no-any-return]


def _show_day(project: Project, deliver: Callable[[], None]) -> None:
    before = {name: set(rows_of(project, f"select * from {name}")) for name in _FOLLOWED}
    deliver()
    done = []
    for name, rows in before.items():
        now = set(rows_of(project, f"select * from {name}"))
        done.append((name, len(rows & now), len(now - rows), len(rows - now)))
    show("What the day changed", ("table", "rows as before", "written", "gone"), done)


def _say_what_next(project: Project, seconds: float, last: date) -> None:
    say_what_next(
        seconds,
        ("loader cube", "what can be asked of the mart; --output loss.svg makes a picture"),
        ("docs/use/health-insurance.md", "the star, and ten queries of this warehouse with their results"),
        (f"make aca-day DAY={last + timedelta(days=1)}", "the next day, of the full sample: in a folder of its own"),
        (
            f"{project.shown(project.settings.rejects_dir)}/",
            "the rejected cells of each delivery: row, column, value, rule",
        ),
        ("make docs", "the documentation, with lineage and gates of this warehouse"),
    )
