"""What happens to the insurer, month by month.

Cover begins and ends with a month. Most sign up in the open enrollment from November to January, so January and
February bring the most new members; others come by a special enrollment through the year. Some leave, some return, some
change their plan in the middle of the year, or must when it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from loader.contracts import Grain, Period
from loader.samples.data.aca.draws import Array, Stream, chance, one_of, stream
from loader.samples.data.aca.people import Members, band_on
from loader.samples.data.aca.plans import Plans, benchmark, choice_weights, first_plans, next_plans, premium_table
from loader.samples.data.aca.providers import Providers, first_providers, next_providers
from loader.samples.data.aca.words import Words, words

SEED = 20250101
MEMBERS, PROVIDERS = 2000, 300
"""At scale 1, soon after the first open enrollment."""

ARRIVING = {1: 0.10, 2: 0.15, 11: 0.006, 12: 0.006}
"""Newcomers by calendar month, as a share of the members at scale 1; others as in `SPECIAL`."""
SPECIAL = 0.012
LATE = 0.1
"""Of the newcomers: the member file shows them a month later."""
RETURNING = {1: 0.10, 2: 0.10}
RETURNING_LATER = 0.04
LEAVING, LEAVING_AT_YEAR_END = 0.015, 0.09
ANNOUNCED = 0.7
"""Of those who leave: their last month shows the end of the cover."""
SWITCHING, SWITCHING_AT_YEAR_END = 0.012, 0.2
MOVING, MARRYING, CONTACT_CHANGING, GIVING_UP_TOBACCO = 0.008, 0.0015, 0.005, 0.002


@dataclass(frozen=True)
class Sample:
    """The arguments that decide on every byte.

    `scale` multiplies members and providers, and with them the claims; `use` the claims alone. Plans stay as they are.
    """

    scale: float = 1.0
    first: str = "2025-01"
    periods: int = 6
    seed: int = SEED
    use: float = 1.0

    @property
    def members(self) -> int:
        return max(round(MEMBERS * self.scale), 20)

    @property
    def words(self) -> Words:
        return words(self.seed)

    @property
    def first_month(self) -> Period:
        """Raises ValueError when `first` is not a month."""
        return Period.parse(self.first, Grain.MONTH)


@dataclass
class Month:
    """The insurer's world in a month; `members` is changed on the way to the next."""

    period: Period
    plans: Plans
    providers: Providers
    members: Members
    benchmark: Array
    """Of the plan year: in cents, by age band and rating area."""
    ending: Array
    """Which members' cover by this plan ends with the month, and is known to."""
    leaving: Array
    switching: Array

    @property
    def insured(self) -> Array:
        """Positions of the members who are insured in the month."""
        return np.flatnonzero(self.members.plan >= 0)

    def premiums(self) -> Array:
        """Monthly premium of each of the insured, in cents."""
        who = self.insured
        members = self.members
        return premium_table(self.plans)[members.plan[who], members.band[who], members.area[who]]

    def subsidies(self, premiums: Array) -> Array:
        """What the government pays of it: the benchmark without what the member can pay, the premium at most."""
        who = self.insured
        members = self.members
        able = members.contribution[who]
        gap = self.benchmark[members.band[who], members.area[who]] - able
        return np.where(able < 0, 0, np.clip(gap, 0, premiums))


def months(sample: Sample) -> Iterator[Month]:
    """The world in each month from the first on, without end."""
    period = sample.first_month
    month = _first_month(sample, period)
    while True:
        _decide(sample, month)
        yield month
        month = _next_month(sample, month)


def _next(period: Period) -> Period:
    return Period.parse(f"{period.end:%Y-%m}", Grain.MONTH)


def _first_month(sample: Sample, period: Period) -> Month:
    random = stream(sample.seed, Stream.MONTH)
    plans = first_plans(sample.seed, period)
    share = 1 - ARRIVING[2] if period.start.month == 1 else 1.0
    numbers = 1 + np.arange(round(share * sample.members))
    members = Members.new(random, sample.words, numbers, period.start.date())
    month = Month(
        period,
        plans,
        first_providers(sample.seed, sample.words, round(PROVIDERS * sample.scale)),
        members,
        benchmark(plans, period),
        *_nobody(members),
    )
    _choose(random, month, np.arange(len(members)))
    return month


def _nobody(members: Members) -> tuple[Array, Array, Array]:
    return tuple(np.zeros(len(members), np.bool_) for _ in range(3))  # type: ignore[return-value]


def _choose(random: np.random.Generator, month: Month, who: Array) -> None:
    """These members take a plan from the month on."""
    members, begin = month.members, month.period.start.date()
    members.band[who] = band_on(members.birth[who], begin)
    weights = choice_weights(month.plans, month.period)
    for band in range(weights.shape[1]):
        of_band = who[members.band[who] == band]
        members.plan[of_band] = one_of(random, weights[:, band], len(of_band))
    members.effective[who] = np.datetime64(begin, "D")


def _decide(sample: Sample, month: Month) -> None:
    """Who leaves or changes the plan at the end of the month."""
    random = stream(sample.seed, Stream.MONTH, month.period.start.year, month.period.start.month, 1)
    count, members, at_year_end = len(month.members), month.members, month.period.end.month == 1
    insured = members.plan >= 0
    leaving = insured & chance(random, LEAVING_AT_YEAR_END if at_year_end else LEAVING, count)
    switching = chance(random, SWITCHING_AT_YEAR_END if at_year_end else SWITCHING, count)
    last = month.period.end.date()
    ends = np.array([plan.termination is not None and plan.termination < last for plan in month.plans])
    must = ends[members.plan]
    if at_year_end:  # a plan that does not take their age any more
        offered = premium_table(month.plans)[members.plan, band_on(members.birth, last), members.area]
        must = must | (offered < 0)
    month.leaving = leaving
    month.switching = insured & ~leaving & (switching | must)
    month.ending = (leaving & chance(random, ANNOUNCED, count)) | month.switching | (insured & ends[members.plan])


def _next_month(sample: Sample, before: Month) -> Month:
    """The world a month later. The members are the same object, changed."""
    period, members = _next(before.period), before.members
    begin = period.start.date()
    random = stream(sample.seed, Stream.MONTH, begin.year, begin.month)
    plans = next_plans(before.plans, period, sample.seed)
    month = replace(
        before,
        period=period,
        plans=plans,
        providers=next_providers(before.providers, period, sample.seed, sample.words),
        benchmark=benchmark(plans, period) if begin.month == 1 else before.benchmark,
    )
    was_out = members.plan < 0
    members.plan[before.leaving] = -1
    _live(random, sample.words, members)
    members.late[:] = False
    if begin.month == 1:
        members.band[:] = band_on(members.birth, begin)
    back = was_out & chance(random, RETURNING.get(begin.month, RETURNING_LATER), len(members))
    _choose(random, month, np.flatnonzero(before.switching | back))
    _welcome(random, sample, month, begin)
    return month


def _live(random: np.random.Generator, words: Words, members: Members) -> None:
    """What happens to people whatever they are insured by."""

    def some(share: float) -> Array:
        return np.flatnonzero(chance(random, share, len(members)))

    members.move(random, some(MOVING), words)
    members.marry(random, some(MARRYING), words)
    members.change_contact(random, some(CONTACT_CHANGING))
    members.tobacco[some(GIVING_UP_TOBACCO)] = False


def _welcome(random: np.random.Generator, sample: Sample, month: Month, begin: date) -> None:
    """Those who are insured for the first time."""
    count = round(ARRIVING.get(begin.month, SPECIAL) * sample.members)
    known = len(month.members)
    new = Members.new(random, sample.words, 1 + known + np.arange(count), begin)
    new.late[:] = chance(random, LATE, count)
    month.members = month.members.with_others(new)
    month.ending, month.leaving, month.switching = _nobody(month.members)
    _choose(random, month, known + np.arange(count))
