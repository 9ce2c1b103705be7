"""The members: who they are, where they live, what they cost."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Self

import numpy as np

from loader.samples.data.aca.draws import Array, chance, one_of
from loader.samples.data.aca.places import AREA_CODES, AREA_OF_PLACE, HOME_SHARES
from loader.samples.data.aca.plans import BAND_STARTS
from loader.samples.data.aca.words import Words

AGES = ((0, 17, 0.12), (18, 25, 0.10), (26, 34, 0.17), (35, 44, 0.18), (45, 54, 0.20), (55, 64, 0.23))
"""From age, to age, share: about those of the marketplaces (CMS, open enrollment public use files)."""
GENDERS = np.array(["F", "M", "X"])
GENDER_SHARES = np.array([0.535, 0.46, 0.005])
TOBACCO = 0.08
UNSUBSIDIZED = 0.1

USE_BY_BAND = np.array([0.45, 0.6, 0.8, 1.0, 1.5, 2.1])
"""How often members see a doctor, by age band, against those in their forties."""
FRAILTY = 1.15
"""Spread (sigma of a lognormal) of that beside age: a few members cause most of the claims."""


@dataclass
class Members:
    """Everybody who ever was a member, one position each; who is insured now is `plan` >= 0."""

    number: Array
    """Of the member id."""
    first_name: Array
    last_name: Array
    birth: Array
    gender: Array
    mail_name: Array
    """Last name in the e-mail address."""
    mailbox: Array
    """Number in the e-mail address; -1 for none."""
    phone: Array
    """Area code x 100 + number; -1 for none."""
    house_number: Array
    street: Array
    place: Array
    tobacco: Array
    frailty: Array
    contribution: Array
    """What the member can pay of a premium in a month, in cents; -1 for those without a subsidy."""
    plan: Array
    """Position of the plan; -1 when not insured."""
    band: Array
    """Age band of the premium, as of the beginning of the cover in this year."""
    effective: Array
    """Since when the member has this plan."""
    late: Array
    """Whether the member file still lacks them in this month."""

    def __len__(self) -> int:
        return len(self.number)

    @property
    def area(self) -> Array:
        return np.asarray(AREA_OF_PLACE[self.place])

    def with_others(self, others: Members) -> Members:
        return Members(
            **{one.name: np.concatenate([getattr(self, one.name), getattr(others, one.name)]) for one in fields(self)}
        )

    @classmethod
    def new(cls, random: np.random.Generator, words: Words, numbers: Array, begin: date) -> Self:
        """People who apply for a cover from `begin` on; without a plan yet."""
        count = len(numbers)
        gender = one_of(random, GENDER_SHARES, count)
        men = words.men_from + random.integers(len(words.first_names) - words.men_from, size=count)
        women = random.integers(words.men_from, size=count)
        # those who are neither have the name of either
        first_name = np.where((gender == 1) | ((gender == 2) & chance(random, 0.5, count)), men, women)
        group = one_of(random, np.array([share for *_, share in AGES]), count)
        youngest, oldest = (np.array([ages[end] for ages in AGES])[group] for end in (0, 1))
        days = random.integers(youngest * 1461 // 4, (oldest + 1) * 1461 // 4)
        birth = np.datetime64(begin, "D") - days.astype("timedelta64[D]")
        child = days < 18 * 1461 // 4
        last_name = random.integers(len(words.last_names), size=count)
        contribution = np.floor(random.gamma(1.1, 5500, count)).astype(np.int64)
        return cls(
            number=numbers,
            first_name=first_name,
            last_name=last_name,
            birth=birth,
            gender=gender,
            mail_name=last_name.copy(),
            mailbox=np.where(child | chance(random, 0.1, count), -1, random.integers(10, 10_000, count)),
            phone=np.where(child | chance(random, 0.08, count), -1, _phones(random, count)),
            house_number=random.integers(1, 19_000, count),
            street=random.integers(len(words.streets), size=count),
            place=one_of(random, HOME_SHARES, count),
            tobacco=chance(random, TOBACCO, count) & ~child,
            frailty=random.lognormal(-FRAILTY * FRAILTY / 2, FRAILTY, count),
            contribution=np.where(chance(random, UNSUBSIDIZED, count), -1, contribution),
            plan=np.full(count, -1, np.int32),
            band=np.zeros(count, np.int8),
            effective=np.full(count, np.datetime64(begin, "D")),
            late=np.zeros(count, np.bool_),
        )

    def move(self, random: np.random.Generator, who: Array, words: Words) -> None:
        self.house_number[who] = random.integers(1, 19_000, len(who))
        self.street[who] = random.integers(len(words.streets), size=len(who))
        self.place[who] = one_of(random, HOME_SHARES, len(who))

    def marry(self, random: np.random.Generator, who: Array, words: Words) -> None:
        self.last_name[who] = random.integers(len(words.last_names), size=len(who))

    def change_contact(self, random: np.random.Generator, who: Array) -> None:
        self.mail_name[who] = self.last_name[who]
        self.mailbox[who] = random.integers(10, 10_000, len(who))
        self.phone[who] = _phones(random, len(who))

    def use(self) -> Array:
        """How much care each needs, against the average of those in their forties."""
        return np.asarray(self.frailty * USE_BY_BAND[self.band])


def _phones(random: np.random.Generator, count: int) -> Array:
    return random.integers(len(AREA_CODES), size=count) * 100 + random.integers(100, size=count)


def band_on(birth: Array, day: date) -> Array:
    """The age band of a premium on a day."""
    years, months, days = day.year, day.month, day.day
    born = birth.astype("datetime64[M]").astype(np.int64)  # months since 1970
    born_day = (birth - birth.astype("datetime64[M]")).astype(np.int64) + 1
    age = ((years - 1970) * 12 + months - 1 - born - (born_day > days)) // 12
    return np.asarray(np.searchsorted(BAND_STARTS, age, side="right") - 1, np.int8)
