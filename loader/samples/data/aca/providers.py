"""The providers: who treats, where, and what for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from loader.contracts import Period
from loader.samples.data.aca.draws import Array, Stream, one_of, stream
from loader.samples.data.aca.places import HOME_SHARES, HOMES, PLACES
from loader.samples.data.aca.words import Words

MOVING, CHANGING_NETWORK, ARRIVING, LEAVING = 0.007, 0.012, 0.004, 0.003
OUT_OF_NETWORK = 0.09


class Kind(IntEnum):
    """Of claims, and of who sends them."""

    PROFESSIONAL = 0
    INSTITUTIONAL = 1
    PHARMACY = 2


class Specialty(NamedTuple):
    """What a provider does. Services are HCPCS level II or revenue codes with their usual price in dollars."""

    name: str
    kind: Kind
    providers: float
    """Share of the providers."""
    claims: float
    """Share of the claims of its kind."""
    places: tuple[str, ...]
    """Codes of the place of service (CMS), the usual one first."""
    services: tuple[tuple[str, int], ...]
    diagnoses: tuple[str, ...]
    """ICD-10-CM."""
    far_away: bool = False
    """Whether it may sit in another state."""


_PROFESSIONAL, _INSTITUTIONAL, _PHARMACY = Kind
SPECIALTIES = (
    Specialty(
        "Family Medicine",
        _PROFESSIONAL,
        0.20,
        0.34,
        ("11", "02", "11"),
        (("T1015", 115), ("G0439", 140), ("G0008", 28), ("G0447", 42), ("J3420", 22), ("G0444", 24)),
        ("I10", "E11.9", "J06.9", "Z00.00", "E78.5", "M54.50", "R05.9"),
    ),
    Specialty(
        "Internal Medicine",
        _PROFESSIONAL,
        0.12,
        0.16,
        ("11", "11", "22"),
        (("T1015", 130), ("G0438", 175), ("G2211", 18), ("J1100", 15), ("G0009", 30), ("J0696", 24)),
        ("I10", "E11.65", "E78.2", "K21.9", "N18.30", "J44.9"),
    ),
    Specialty(
        "Pediatrics",
        _PROFESSIONAL,
        0.07,
        0.09,
        ("11",),
        (("T1015", 110), ("S0302", 60), ("G0008", 27), ("S9445", 55)),
        ("Z00.129", "J06.9", "H66.90", "J45.909", "J02.9"),
    ),
    Specialty(
        "Behavioral Health",
        _PROFESSIONAL,
        0.11,
        0.13,
        ("11", "10", "53"),
        (("H0004", 95), ("H0031", 165), ("G0444", 25), ("H2011", 140)),
        ("F41.1", "F32.9", "F33.1", "F90.9", "F43.23"),
    ),
    Specialty(
        "Urgent Care",
        _PROFESSIONAL,
        0.05,
        0.10,
        ("20",),
        (("S9083", 185), ("S9088", 45), ("J1885", 18), ("G0480", 90)),
        ("J02.9", "S93.401A", "N39.0", "J20.9", "L03.90"),
    ),
    Specialty(
        "Cardiology",
        _PROFESSIONAL,
        0.05,
        0.05,
        ("11", "22"),
        (("G0463", 160), ("C8929", 640), ("G0403", 32), ("J2785", 260)),
        ("I25.10", "I48.91", "I50.9", "I10", "R07.9"),
    ),
    Specialty(
        "Physical Therapy",
        _PROFESSIONAL,
        0.07,
        0.08,
        ("11",),
        (("G0283", 30), ("S9131", 120), ("G0151", 110)),
        ("M54.50", "M25.511", "M25.561", "M62.81"),
    ),
    Specialty(
        "Oncology",
        _PROFESSIONAL,
        0.03,
        0.015,
        ("22", "11"),
        (("G0463", 210), ("J9271", 5600), ("J9035", 1900), ("J2469", 130), ("G0498", 420)),
        ("C50.919", "C34.90", "C18.9", "Z51.11"),
    ),
    Specialty(
        "Clinical Laboratory",
        _PROFESSIONAL,
        0.03,
        0.08,
        ("81",),
        (("G0103", 26), ("G0480", 85), ("G0145", 38), ("P9612", 9), ("U0003", 55)),
        ("Z00.00", "E78.5", "E11.9", "Z12.5", "R73.03"),
        far_away=True,
    ),
    Specialty(
        "Hospital",
        _INSTITUTIONAL,
        0.05,
        0.55,
        ("22", "23", "21"),
        (("0450", 820), ("0300", 95), ("0320", 210), ("0351", 640), ("0250", 75), ("0636", 460), ("0730", 130)),
        ("R07.9", "R10.9", "S06.0X0A", "K35.80", "I21.4", "J18.9", "O80"),
    ),
    Specialty(
        "Ambulatory Surgery",
        _INSTITUTIONAL,
        0.04,
        0.20,
        ("24",),
        (("0490", 1150), ("G0121", 620), ("0370", 280), ("0710", 190), ("0278", 540)),
        ("K63.5", "H25.13", "Z12.11", "M17.11", "K40.90"),
    ),
    Specialty(
        "Imaging Center",
        _INSTITUTIONAL,
        0.04,
        0.25,
        ("49", "22"),
        (("0611", 520), ("0402", 160), ("0403", 150), ("0320", 90)),
        ("Z12.31", "M54.50", "R91.8", "M25.561"),
    ),
    Specialty("Pharmacy", _PHARMACY, 0.12, 0.93, ("01",), (("", 62),), ("I10", "E11.9", "E78.5", "F41.1", "J45.909")),
    Specialty(
        "Mail-Order Pharmacy",
        _PHARMACY,
        0.02,
        0.07,
        ("01",),
        (("", 240),),
        ("E11.9", "M06.9", "L40.0", "I10"),
        far_away=True,
    ),
)
_FACILITIES = {
    "Clinical Laboratory": "Clinical Laboratory",
    "Hospital": "Regional Hospital",
    "Ambulatory Surgery": "Surgery Center",
    "Imaging Center": "Imaging Center",
    "Pharmacy": "Pharmacy",
    "Mail-Order Pharmacy": "Home Delivery Pharmacy",
    "Urgent Care": "Urgent Care",
}
_DEGREES = {"Behavioral Health": "LCSW", "Physical Therapy": "DPT"}
IS_FACILITY = np.array([one.name in _FACILITIES for one in SPECIALTIES])


@dataclass(frozen=True)
class Providers:
    """Everybody who ever was a provider, one position each, as known in a month."""

    provider_id: Array
    name: Array
    specialty: Array
    """Position in `SPECIALTIES`."""
    house_number: Array
    street: Array
    place: Array
    in_network: Array
    active: Array

    def __len__(self) -> int:
        return len(self.provider_id)


def first_providers(seed: int, words: Words, count: int) -> Providers:
    random = stream(seed, Stream.PROVIDERS)
    return _new(random, words, np.zeros(0, np.int64), max(count, 2 * len(SPECIALTIES)))


def next_providers(providers: Providers, month: Period, seed: int, words: Words) -> Providers:
    """The providers a month later: a few moved, joined or left the network, came, or closed."""
    random = stream(seed, Stream.PROVIDERS, month.start.year, month.start.month)
    count = len(providers)
    moving, changing, leaving = (random.random(count) < share for share in (MOVING, CHANGING_NETWORK, LEAVING))
    # the last of its kind does not close
    sole = np.bincount(providers.specialty, providers.active, len(SPECIALTIES))[providers.specialty] < 3
    near = providers.place < len(HOMES)
    later = replace(
        providers,
        house_number=np.where(moving, random.integers(1, 9000, count), providers.house_number),
        street=np.where(moving, random.integers(len(words.streets), size=count), providers.street),
        place=np.where(moving & near, one_of(random, HOME_SHARES, count), providers.place),
        in_network=providers.in_network ^ changing,
        active=providers.active & ~(leaving & ~sole),
    )
    new = _new(random, words, later.provider_id, int(random.binomial(count, ARRIVING)))
    return Providers(
        **{name: np.concatenate([values, getattr(new, name)]) for name, values in vars(later).items()},
    )


def _new(random: np.random.Generator, words: Words, known: Array, count: int) -> Providers:
    specialty = one_of(random, np.array([one.providers for one in SPECIALTIES]), count)
    if len(known) == 0:  # one of each at least
        specialty[: len(SPECIALTIES)] = np.arange(len(SPECIALTIES))
    far = np.array([one.far_away for one in SPECIALTIES])[specialty]
    far_place = len(HOMES) + random.integers(len(PLACES) - len(HOMES), size=count)
    first = random.integers(len(words.first_names), size=count)
    last = random.integers(len(words.last_names), size=count)
    names = [
        _name(SPECIALTIES[kind].name, words.first_names[given], words.last_names[family])
        for kind, given, family in zip(specialty, first, last, strict=True)
    ]
    return Providers(
        provider_id=_identifiers(random, known, count),
        name=np.array(names, dtype=object),
        specialty=specialty,
        house_number=random.integers(1, 9000, count),
        street=random.integers(len(words.streets), size=count),
        place=np.where(far, far_place, one_of(random, HOME_SHARES, count)),
        in_network=random.random(count) >= OUT_OF_NETWORK,
        active=np.ones(count, np.bool_),
    )


def _name(specialty: str, first: str, last: str) -> str:
    if specialty in _FACILITIES:
        return f"{last} {_FACILITIES[specialty]}"
    return f"{first} {last}, {_DEGREES.get(specialty, 'MD')}"


def _identifiers(random: np.random.Generator, known: Array, count: int) -> Array:
    """New provider numbers, each unlike the others and the known ones."""
    found: list[int] = []
    taken = set(known.tolist())
    while len(found) < count:
        body = 200_000_000 + int(random.integers(100_000_000))
        number = body * 10 + check_digit(body)
        if number not in taken:
            taken.add(number)
            found.append(number)
    return np.array(found, np.int64)


def check_digit(body: int) -> int:
    """The last digit of a provider number whose first nine are `body`.

    It is Luhn over 80840 and the number (45 CFR 162.406, CMS "NPI check digit").
    """
    total = 0
    for position, digit in enumerate(reversed(f"80840{body:09}")):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value // 10 + value % 10
    return -total % 10
