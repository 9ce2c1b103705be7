"""The plans of four issuers, and what becomes of them.

Premiums rise with age by the federal standard age curve (CMS, "State Specific Age Curve Variations": 0.765 to the age
of 14, 1.000 at 21, 1.135 at 30, 1.278 at 40, 1.786 at 50, 2.714 at 60). A plan year begins in January with new premiums
and deductibles, some plans gone and some new. Within a year a few things happen too: in March the premiums of a plan
are corrected, in April a name, and at the end of April a plan is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np

from loader.contracts import Period
from loader.samples.data.aca.draws import Array, Stream, stream
from loader.samples.data.aca.places import AREAS, STATE

ISSUERS = {
    "11111": "Heron Lake Health",
    "22222": "Mangrove Mutual",
    "33333": "Coquina Health Cooperative",
    "44444": "Saltmarsh Insurance Company",
}
NETWORKS = ("HMO", "EPO", "PPO", "POS")
STYLES = ("Select", "Value", "Choice", "Standard", "Saver", "Plus", "Complete", "Everyday")

AGE_CURVE = (765, 1000, 1135, 1278, 1786, 2714)
"""Thousandths of the premium at 21, by age band: child, 21, 30, 40, 50, 60."""
BAND_STARTS = np.array([0, 21, 30, 40, 50, 60])
CHILD, ADULT, THIRTY = 0, 1, 2
CATASTROPHIC_VALUE = 5700
"""What a catastrophic plan pays in the sample, whose files give it no actuarial value."""


class Tier(NamedTuple):
    """A level of cover, and how much of it there is.

    `plans` of an issuer, `share` of the members, actuarial `value` in ten-thousandths, `price` (of a 21-year-old) and
    `deductible` in dollars.
    """

    plans: int
    share: float
    value: int
    price: int
    deductible: int


TIERS = {
    "Catastrophic": Tier(1, 0.010, CATASTROPHIC_VALUE, 265, 9200),
    "Bronze": Tier(1, 0.040, 6000, 320, 8300),
    "Expanded Bronze": Tier(4, 0.240, 6450, 345, 7500),
    "Silver": Tier(5, 0.560, 7050, 430, 5400),
    "Gold": Tier(3, 0.135, 7950, 500, 1600),
    "Platinum": Tier(1, 0.015, 8950, 610, 0),
}
MAXIMUM = 9200
"""Dollars that a member pays in a year at most; the law's limit of 2025 for one person."""
GONE_AT_YEAR_END = 0.1


@dataclass(frozen=True)
class Plan:
    """A plan as it is sold in a month. Money in cents, shares and factors in ten-thousandths."""

    health_plan_id: str
    name: str
    tier: str
    actuarial_value: int
    network_type: str
    deductible: int
    maximum: int
    premiums: tuple[int | None, ...]
    """By age band; None for an age that the plan does not take."""
    area_factors: tuple[int, ...]
    effective: date
    termination: date | None
    appeal: float
    """How gladly it is chosen, beside the other plans of its tier."""

    @property
    def issuer_id(self) -> str:
        return self.health_plan_id[:5]

    def is_sold_in(self, month: Period) -> bool:
        start = month.start.date()
        return self.effective <= start and (self.termination is None or self.termination >= start)

    def is_open_in(self, month: Period) -> bool:
        """Whether somebody may still choose it: it lasts beyond the month, or to the end of the year."""
        last = month.end.date()
        return self.is_sold_in(month) and (self.termination is None or self.termination >= last or last.month == 1)

    def premium(self, band: int, area: int) -> int | None:
        """Monthly premium in cents in an age band and a rating area (from 1)."""
        base = self.premiums[band]
        return None if base is None else (base * self.area_factors[area - 1] + 5000) // 10_000


Plans = tuple[Plan, ...]
"""All plans that ever were; the position of a plan never changes."""


def first_plans(seed: int, first: Period) -> Plans:
    """The plans of the year in which the sample begins."""
    random = stream(seed, Stream.PLANS)
    begin = date(first.start.year, 1, 1)
    made = [
        _plan(random, issuer, number, tier, begin)
        for issuer in ISSUERS
        for number, tier in enumerate((tier for tier, terms in TIERS.items() for _ in range(terms.plans)), start=1)
    ]
    return tuple(made)


def _plan(random: np.random.Generator, issuer: str, number: int, tier: str, begin: date) -> Plan:
    terms = TIERS[tier]
    network = NETWORKS[int(random.integers(len(NETWORKS)))]
    style = STYLES[number % len(STYLES)]
    price = terms.price * (0.9 + 0.05 * list(ISSUERS).index(issuer)) * random.uniform(0.93, 1.07)
    at_21 = round(price * 100)
    premiums: list[int | None] = [at_21 * age // 1000 for age in AGE_CURVE]
    if tier == "Catastrophic":
        premiums[THIRTY:] = [None] * len(premiums[THIRTY:])  # sold to those under 30
    elif number % 7 == 3:
        premiums[CHILD] = None
    deductible = max(terms.deductible + 100 * int(random.integers(-5, 6)), 0) if 0 < terms.deductible < 9000 else None
    return Plan(
        health_plan_id=f"{issuer}{STATE}{number:03}0001",
        name=f"{ISSUERS[issuer].split()[0]} {tier} {style} {network} {number:02}",
        tier=tier,
        actuarial_value=terms.value + (int(random.integers(-80, 81)) if tier not in ("Catastrophic", "Bronze") else 0),
        network_type=network,
        deductible=100 * (terms.deductible if deductible is None else deductible),
        maximum=100 * (MAXIMUM if terms.deductible > 5000 else MAXIMUM - 200 * int(random.integers(1, 20))),
        premiums=tuple(premiums),
        area_factors=tuple(int(factor) for factor in random.integers(9000, 11801, AREAS)),
        effective=begin,
        termination=None,
        appeal=float(random.uniform(0.3, 1.7)),
    )


def next_plans(plans: Plans, month: Period, seed: int) -> Plans:
    """The plans a month later."""
    random = stream(seed, Stream.PLANS, month.start.year, month.start.month)
    now = list(plans)
    lasting = [at for at, plan in enumerate(plans) if plan.termination is None]
    # a tier that an issuer sells once, and the plan that everybody buys, stay
    several = [at for at in lasting if TIERS[plans[at].tier].plans > 1]
    chosen = [several[int(at)] for at in random.permutation(len(several))]
    match month.start.month:
        case 1:
            return _new_year(now, month, random)
        case 3:
            corrected = now[chosen[0]]
            premiums = tuple(None if cents is None else cents * 97 // 100 for cents in corrected.premiums)
            now[chosen[0]] = replace(corrected, premiums=premiums)
        case 4:
            renamed = now[chosen[0]]
            now[chosen[0]] = replace(renamed, name=renamed.name.replace(renamed.tier, f"{renamed.tier} Care"))
            now[chosen[1]] = replace(now[chosen[1]], termination=_last_day(month))
        case 10:
            for at in chosen[: round(GONE_AT_YEAR_END * len(lasting))]:
                now[at] = replace(now[at], termination=date(month.start.year, 12, 31))
    return tuple(now)


def _new_year(plans: list[Plan], month: Period, random: np.random.Generator) -> Plans:
    """New premiums and deductibles, and for each plan that ended with the old year a new one of its tier."""
    begin = month.start.date()
    renewed = [
        plan if plan.termination is not None else _renewed(plan, random.uniform(1.02, 1.10), random) for plan in plans
    ]
    for plan in plans:
        if plan.termination is not None and plan.termination.year == begin.year - 1:
            number = 1 + max(int(other.health_plan_id[7:10]) for other in renewed if other.issuer_id == plan.issuer_id)
            renewed.append(_plan(random, plan.issuer_id, number, plan.tier, begin))
    return tuple(renewed)


def _renewed(plan: Plan, rise: float, random: np.random.Generator) -> Plan:
    premiums = tuple(None if cents is None else round(cents * rise) for cents in plan.premiums)
    deductible = plan.deductible + (10_000 * int(random.integers(0, 3)) if plan.deductible else 0)
    return replace(plan, premiums=premiums, deductible=min(deductible, plan.maximum))


def _last_day(month: Period) -> date:
    return date.fromordinal(month.end.toordinal() - 1)


def premium_table(plans: Plans) -> Array:
    """Premiums in cents by plan, age band and rating area (from 1; 0 is nobody's); -1 for an age that is not taken."""
    table = np.full((len(plans), len(AGE_CURVE), AREAS + 1), -1, np.int64)
    for at, plan in enumerate(plans):
        for band in range(len(AGE_CURVE)):
            for area in range(1, AREAS + 1):
                cents = plan.premium(band, area)
                table[at, band, area] = -1 if cents is None else cents
    return table


def benchmark(plans: Plans, month: Period) -> Array:
    """The second-lowest premium of the silver plans, by which subsidies are measured, by age band and rating area."""
    silver = [at for at, plan in enumerate(plans) if plan.tier == "Silver" and plan.is_sold_in(month)]
    offered = premium_table(plans)[silver]
    # the age that a plan does not take is no offer
    return np.asarray(np.sort(np.where(offered < 0, np.iinfo(np.int64).max, offered), axis=0)[1])


def choice_weights(plans: Plans, month: Period) -> Array:
    """How gladly each plan is chosen in a month, by plan and age band; 0 where it cannot be."""
    weights = np.zeros((len(plans), len(AGE_CURVE)))
    for at, plan in enumerate(plans):
        if plan.is_open_in(month):
            tier = TIERS[plan.tier]
            takes = [premium is not None for premium in plan.premiums]
            # few of the young take a catastrophic plan, but nobody else may
            share = tier.share * (4 if plan.tier == "Catastrophic" else 1)
            weights[at] = np.array(takes) * plan.appeal * share / tier.plans
    return weights
