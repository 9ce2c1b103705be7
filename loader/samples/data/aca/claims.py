"""The claim lines of a day.

A day draws from a stream of its own and needs nothing of other days but the few lines that come back from them, so it
is the same alone as in a whole set, and never more than a day of lines is in memory.

What a member pays of a line is simplified: a fixed part of the plan's deductible, then the share that the actuarial
value leaves. Nothing is added up over the year, so neither deductible nor out-of-pocket maximum is ever used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import IntEnum
from itertools import pairwise

import numpy as np

from loader.samples.data.aca.draws import Array, Stream, chance, half_up, one_of, stream
from loader.samples.data.aca.places import AREA_OF_PLACE, AREAS
from loader.samples.data.aca.plans import CHILD
from loader.samples.data.aca.providers import SPECIALTIES, Kind, Providers
from loader.samples.data.aca.world import Month, Sample

CLAIMS_A_MONTH = 1.1
"""Of a member in the forties, on average."""
KIND_SHARES = np.array([0.56, 0.08, 0.36])
LONGEST_LAG = 45
"""Days from a service to the receipt of its claim, at most."""
LAG_SHARES = 0.86 ** np.arange(LONGEST_LAG + 1)
LAG_SHARES /= LAG_SHARES.sum()
WEEKDAYS = np.array([1.25, 1.25, 1.2, 1.2, 1.15, 0.5, 0.45])
SEASON = np.array([0, 1.08, 1.06, 1.02, 1.0, 0.98, 0.96, 0.93, 0.95, 0.98, 1.02, 1.0, 1.02])
"""By calendar month, from 1."""
DENIED = 0.06
ADJUSTED, VOIDED = 0.014, 0.006
RETURN_AFTER = (9, 16, 30)
"""Days after which a claim comes back, adjusted or void."""
NEAR = 0.88
"""Claims from providers of the member's own rating area."""
SPREAD_OF_CLAIM, SPREAD_OF_LINE = 0.8, 0.5
INPATIENT, INPATIENT_TIMES = 0.09, 12
MOST_CENTS = 5_000_000
PARTS_OF_DEDUCTIBLE = 60

_KINDS = np.array([one.kind for one in SPECIALTIES])
_CLAIM_SHARES = np.array([one.claims for one in SPECIALTIES])
SERVICES = [service for one in SPECIALTIES for service, _ in one.services]
_PRICES = np.array([price for one in SPECIALTIES for _, price in one.services]) * 100
DIAGNOSES = [code for one in SPECIALTIES for code in one.diagnoses]
PLACES_OF_SERVICE = [place for one in SPECIALTIES for place in one.places]
INPATIENT_PLACE = PLACES_OF_SERVICE.index("21")

_ADULTS_ONLY = ("Family Medicine", "Internal Medicine", "Cardiology", "Oncology")
_NAMES = [one.name for one in SPECIALTIES]
_OF_ADULTS = np.array([_NAMES.index("Family Medicine" if name == "Pediatrics" else name) for name in _NAMES])
_OF_CHILDREN = np.array([_NAMES.index("Pediatrics" if name in _ADULTS_ONLY else name) for name in _NAMES])
"""Whom adults and children see instead, by specialty."""


@dataclass(frozen=True)
class _Choices:
    """Which entries of a list belong to a specialty."""

    first: Array
    count: Array

    @classmethod
    def of(cls, lists: Sequence[Sequence[object]]) -> _Choices:
        count = np.array([len(one) for one in lists])
        return cls(np.cumsum(count) - count, count)

    def draw(self, random: np.random.Generator, specialty: Array) -> Array:
        """One each; the first of a list are more usual."""
        return self.first[specialty] + (random.random(len(specialty)) ** 1.5 * self.count[specialty]).astype(np.int64)


_SERVICES_OF = _Choices.of([one.services for one in SPECIALTIES])
_DIAGNOSES_OF = _Choices.of([one.diagnoses for one in SPECIALTIES])
_PLACES_OF = _Choices.of([one.places for one in SPECIALTIES])


class Status(IntEnum):
    """Of a line."""

    PAID = 0
    DENIED = 1
    VOID = 2


@dataclass(frozen=True)
class Lines:
    """Claim lines; money in cents. `member`, `provider`, `plan`, `service` and the like are positions in lists."""

    claim: Array
    """Number of the claim."""
    line: Array
    member: Array
    plan: Array
    provider: Array
    kind: Array
    service_date: Array
    received_date: Array
    place: Array
    diagnosis: Array
    service: Array
    units: Array
    billed: Array
    allowed: Array
    paid: Array
    status: Array

    def __len__(self) -> int:
        return len(self.claim)

    def only(self, which: Array) -> Lines:
        return Lines(**{one.name: getattr(self, one.name)[which] for one in fields(self)})

    def but(self, **columns: Array) -> Lines:
        return Lines(**{**vars(self), **columns})

    @staticmethod
    def together(parts: Sequence[Lines]) -> Lines:
        return Lines(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Lines)})


@dataclass(frozen=True)
class Cover:
    """Who is insured in a month, and whom they see: what the claims of the month need of the world."""

    member: Array
    plan: Array
    area: Array
    is_child: Array
    use: Array
    """Running total of how much care each needs."""
    deductible: Array
    """By plan, in cents."""
    share: Array
    """Of the allowed amount that the plan pays, by plan."""
    near: list[Array]
    """Providers by specialty and rating area (from 1; 0 is anywhere)."""

    @classmethod
    def of(cls, month: Month) -> Cover:
        who, members = month.insured, month.members
        return cls(
            member=who.astype(np.int32),
            plan=members.plan[who].astype(np.int16),
            area=members.area[who],
            is_child=members.band[who] == CHILD,
            use=np.cumsum(members.use()[who]),
            deductible=np.array([plan.deductible for plan in month.plans]),
            share=np.array([plan.actuarial_value for plan in month.plans]) / 10_000,
            near=_near(month.providers),
        )


def _near(providers: Providers) -> list[Array]:
    area = AREA_OF_PLACE[providers.place]
    found = []
    for specialty in range(len(SPECIALTIES)):
        anywhere = np.flatnonzero(providers.active & (providers.specialty == specialty))
        found.append(anywhere)
        for number in range(1, AREAS + 1):
            here = anywhere[area[anywhere] == number]
            found.append(here if len(here) else anywhere)
    return found


class Claims:
    """Makes the drop of any day of the months that it was shown, or the days before it; in any order."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._covers: dict[np.datetime64, Cover] = {}
        self._returning: dict[date, list[Lines]] = {}

    def see(self, month: Month) -> None:
        """Take from a month what its claims need, before the world moves on."""
        self._covers[np.datetime64(month.period.name, "M")] = Cover.of(month)

    def drop(self, day: date) -> Lines:
        """What is received on a day: new claims, then those that come back."""
        new = self._received(day)
        back = [self._back(day - timedelta(days=days))[at] for at, days in enumerate(RETURN_AFTER)]
        for gone in [known for known in self._returning if (day - known).days >= max(RETURN_AFTER)]:
            del self._returning[gone]
        return Lines.together([new, *back])

    def _back(self, day: date) -> list[Lines]:
        """Of the claims received on a day: those that come back, by the days after which they do."""
        if day not in self._returning:
            self._received(day)
        return self._returning[day]

    def _received(self, day: date) -> Lines:
        """The new claims of a day."""
        random = stream(self._sample.seed, Stream.CLAIMS, day.toordinal())
        service_dates = np.datetime64(day, "D") - np.arange(LONGEST_LAG + 1)
        counts = random.poisson(LAG_SHARES * [self._expected(service_date) for service_date in service_dates])
        service_date = np.repeat(service_dates, counts)
        lines = self._lines(random, day, service_date)
        self._returning[day] = self._sent_back(lines, day)
        return lines

    def _expected(self, day: np.datetime64) -> float:
        """Claims for services of a day; none before the first month."""
        month = day.astype("datetime64[M]")
        cover = self._covers.get(month)
        if cover is None or not len(cover.use):
            return 0.0
        length = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")
        by_day = WEEKDAYS[day.astype(object).weekday()] * SEASON[day.astype(object).month] / length.astype(int)
        return float(self._sample.use * CLAIMS_A_MONTH * cover.use[-1] * by_day)

    def _lines(self, random: np.random.Generator, day: date, service_date: Array) -> Lines:
        """Claims with these dates of service, in lines."""
        count = len(service_date)
        kind = one_of(random, KIND_SHARES, count)
        member, plan, specialty, provider = self._who(random, service_date, kind)
        inpatient = (_KINDS[specialty] == Kind.INSTITUTIONAL) & chance(random, INPATIENT, count)
        severity = np.exp(SPREAD_OF_CLAIM * random.standard_normal(count)) * np.where(inpatient, INPATIENT_TIMES, 1)
        place = np.where(inpatient, INPATIENT_PLACE, _PLACES_OF.draw(random, specialty))
        diagnosis = _DIAGNOSES_OF.draw(random, specialty)
        claim = int(f"{day:%y%m%d}") * 10_000_000 + 1 + np.arange(count)

        several = np.where(kind == Kind.INSTITUTIONAL, 0.28, np.where(kind == Kind.PHARMACY, 0.8, 0.5))
        sizes = random.geometric(several).clip(max=12)
        of = np.repeat(np.arange(count), sizes)
        total = len(of)
        service = _SERVICES_OF.draw(random, specialty[of])
        drug = kind[of] == Kind.PHARMACY
        units = np.where(drug, random.choice([30, 30, 30, 60, 90], total), random.geometric(0.8, total).clip(max=8))
        price = _PRICES[service] * severity[of] * np.exp(SPREAD_OF_LINE * random.standard_normal(total))
        worth = half_up(price * np.where(drug, units / 30, units)).clip(100, MOST_CENTS)
        denied = chance(random, DENIED, total)
        billed = half_up(worth * random.uniform(1.25, 3.2, total))
        allowed = np.where(denied, 0, worth)
        return Lines(
            claim=claim[of],
            line=np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1,
            member=member[of],
            plan=plan[of],
            provider=provider[of],
            kind=kind[of],
            service_date=service_date[of],
            received_date=np.full(total, np.datetime64(day, "D")),
            place=place[of],
            diagnosis=diagnosis[of],
            service=service,
            units=units,
            billed=billed,
            allowed=allowed,
            paid=self._paid(service_date[of], plan[of], allowed),
            status=np.where(denied, Status.DENIED, Status.PAID),
        )

    def _who(self, random: np.random.Generator, service_date: Array, kind: Array) -> tuple[Array, Array, Array, Array]:
        """Member, plan, specialty and provider of each claim, as they were in the month of the service."""
        count = len(service_date)
        point, spot, is_near = random.random(count), random.random(count), chance(random, NEAR, count)
        specialty = np.zeros(count, np.int64)
        for one in Kind:
            of_kind = np.flatnonzero(kind == one)
            specialty[of_kind] = one_of(random, _CLAIM_SHARES * (one == _KINDS), len(of_kind))
        member, plan, provider = (np.zeros(count, np.int64) for _ in range(3))
        for at, cover in self._by_month(service_date):
            seat = np.searchsorted(cover.use, point[at] * cover.use[-1], side="right").clip(max=len(cover.use) - 1)
            member[at], plan[at] = cover.member[seat], cover.plan[seat]
            specialty[at] = np.where(cover.is_child[seat], _OF_CHILDREN[specialty[at]], _OF_ADULTS[specialty[at]])
            group = specialty[at] * (AREAS + 1) + np.where(is_near[at], cover.area[seat], 0)
            for one in np.unique(group):
                here = at[group == one]
                choice = cover.near[one]
                # some providers see many more than others
                provider[here] = choice[(spot[here] ** 1.6 * len(choice)).astype(np.int64)]
        return member, plan, specialty, provider

    def _by_month(self, service_date: Array) -> list[tuple[Array, Cover]]:
        month = service_date.astype("datetime64[M]")
        return [(np.flatnonzero(month == one), self._covers[one]) for one in np.unique(month)]

    def _paid(self, service_date: Array, plan: Array, allowed: Array) -> Array:
        """What the plan pays of the allowed amounts."""
        paid = np.zeros(len(allowed), np.int64)
        for at, cover in self._by_month(service_date):
            beyond = allowed[at] - np.minimum(allowed[at], cover.deductible[plan[at]] // PARTS_OF_DEDUCTIBLE)
            paid[at] = half_up(beyond * cover.share[plan[at]])
        return paid

    def _sent_back(self, lines: Lines, day: date) -> list[Lines]:
        """The claims of a day that come back, by the days after which they do."""
        random = stream(self._sample.seed, Stream.RETURNS, day.toordinal())
        starts = np.flatnonzero(lines.line == 1)
        fate = random.random(len(starts))
        after = random.integers(len(RETURN_AFTER), size=len(starts))
        bounds = [0.0, VOIDED, VOIDED + ADJUSTED]
        sizes = np.diff([*starts, len(lines)])
        fates, afters = np.repeat(fate, sizes), np.repeat(after, sizes)
        voided, adjusted = ((low <= fates) & (fates < high) for low, high in pairwise(bounds))
        return [
            Lines.together(
                [
                    self._adjusted(random, lines.only(adjusted & (afters == at)), day, days),
                    _again(lines.only(voided & (afters == at)), day, days, Status.VOID),
                ]
            )
            for at, days in enumerate(RETURN_AFTER)
        ]

    def _adjusted(self, random: np.random.Generator, lines: Lines, day: date, days: int) -> Lines:
        """The same claims with other amounts; what was denied is mostly allowed now."""
        share = random.uniform(0.3, 1.0, len(lines))
        still = (lines.status == Status.DENIED) & chance(random, 0.3, len(lines))
        worth = np.where(lines.status == Status.DENIED, lines.billed // 2, lines.allowed)
        allowed = np.where(still, 0, half_up(worth * share).clip(min=1))
        paid = self._paid(lines.service_date, lines.plan, allowed)
        again = _again(lines, day, days, Status.PAID)
        return again.but(allowed=allowed, paid=paid, status=np.where(still, Status.DENIED, Status.PAID))


def _again(lines: Lines, day: date, days: int, status: Status) -> Lines:
    received = np.full(len(lines), np.datetime64(day, "D") + days)
    return lines.but(received_date=received, status=np.full(len(lines), status))


def last_of_each(lines: Lines) -> Lines:
    """What became of each line, when some came back among them."""
    backwards = np.arange(len(lines))[::-1]
    _, last = np.unique(np.stack([lines.claim, lines.line])[:, backwards], axis=1, return_index=True)
    return lines.only(np.sort(backwards[last]))
