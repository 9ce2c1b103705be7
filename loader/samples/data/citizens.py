"""Sample deliveries: monthly workbooks of the citizens of a Saxon register, as dirty as real workbooks are.

Nobody in them exists. Names and streets come from Faker; telephone numbers from the ranges that the
Bundesnetzagentur keeps free for fiction ("Rufnummern für Medienproduktionen", Mitteilung 148/2021);
e-mail domains from RFC 2606. Cities and postal codes are real. The same arguments give the same bytes, so a
delivery made twice is the same delivery.

A month passes in two steps: the register changes (people move, arrive, leave, return, marry), then a clerk
exports it with all the usual faults of notation. Faults of notation are cured by the contract; a few rows are
beyond cure.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from loader.contracts import Grain, Period

SEED = 20250101

# shares of the register that change in a month
MOVING, ARRIVING, LEAVING = 0.01, 0.005, 0.004
RETURNING = 0.08  # of those who left before
MARRYING, CONTACT_CHANGING = 0.001, 0.005
NEWBORN = 0.2  # of those who arrive
BAD = 0.001  # rows beyond cure

EMAIL_HEADER_CHANGES = "2025-04"
MOST_CORRECTIONS = 20
_WORTH_PROCESSES = 10_000
"""Rows in all from which on a second process pays for its start."""

PLACES = {
    "Dresden": ["01067", "01069", "01097", "01099", "01127", "01159", "01187", "01219", "01277", "01309"],
    "Leipzig": ["04103", "04105", "04107", "04109", "04155", "04177", "04229", "04277", "04315"],
    "Chemnitz": ["09111", "09112", "09113", "09120", "09126", "09130"],
    "Zwickau": ["08056", "08058", "08060"],
    "Plauen": ["08523", "08525", "08527"],
    "Görlitz": ["02826", "02827", "02828"],
    "Riesa": ["01587", "01589", "01591"],
    "Freiberg": ["09599"],
    "Bautzen": ["02625"],
    "Pirna": ["01796"],
    "Freital": ["01705"],
    "Radebeul": ["01445"],
    "Meißen": ["01662"],
    "Döbeln": ["04720"],
    "Torgau": ["04860"],
    "Zittau": ["02763"],
    "Bad Muskau": ["02953"],
}
POSTAL_CODES = [(code, city) for city, codes in PLACES.items() for code in codes]
# how the letters of a name are written in an e-mail address; other marks fall away
ASCII_LETTERS = {letter: letter for letter in ascii_lowercase} | {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
FICTION_NUMBERS = ["30 23125", "40 66969", "69 90009", "89 99998", "221 4710"]


@dataclass(frozen=True)
class Address:
    street: str
    house_number: str
    postal_code: str
    city: str


@dataclass(frozen=True)
class Citizen:
    """One person as the register knows it, before the clerk's export. `phone` is '<area code> <number>'."""

    citizen_id: str
    first_name: str
    last_name: str
    birth_date: date
    gender: str
    email: str | None
    phone: str | None
    address: Address
    moved_in_on: date


DEMO_CITIZEN_ID = "004711042"
DEMO_CITIZEN = Citizen(
    citizen_id=DEMO_CITIZEN_ID,
    first_name="Anna Lena",
    last_name="Schönherr",
    birth_date=date(1988, 2, 29),
    gender="F",
    email="anna.schoenherr@example.org",
    phone="30 23125042",
    address=Address("Prager Straße", "12a", "01069", "Dresden"),
    moved_in_on=date(2014, 9, 1),
)
# the delivery (counted from 0) that first shows a new address; she registers each move in the month after it
DEMO_MOVES = {
    1: Address("Alaunstraße", "7", "01099", "Dresden"),
    3: Address("Karl-Liebknecht-Straße", "21", "04107", "Leipzig"),
    5: Address("Straße der Nationen", "33b", "09111", "Chemnitz"),
}

Register = dict[str, Citizen]


def make_deliveries(
    folder: Path, *, rows: int = 5000, periods: int = 6, first: str = "2025-01", seed: int = SEED
) -> list[Path]:
    """Write `citizens_<period>.xlsx` for that many months from `first` on; returns their paths in order.

    rows: people in the first delivery, at least 1; later ones grow by about 0.1% a month.
    Raises ValueError when `first` is not a month.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [
        (period, list(_exported(list(register.values()), month, period, seed)))
        for month, period, register in _months(rows, periods, first, seed)
    ]
    paths = [folder / f"citizens_{period}.xlsx" for period, _ in sheets]
    for path, workbook in zip(paths, _workbooks(sheets), strict=True):
        path.write_bytes(workbook)
    return paths


def make_correction(
    folder: Path, period: str = "2025-03", *, rows: int = 5000, first: str = "2025-01", seed: int = SEED
) -> Path:
    """Write `citizens_<period>_v2.xlsx`: the month delivered again, with the moves that were registered late.

    The demo citizen and about twenty others had moved in that month already, which the register learned in
    the next. All else is as in the first delivery of the period, made with the same arguments.

    Raises:
        ValueError: `period` or `first` is not a month, or `period` lies before `first`.
    """
    wanted = Period.parse(period, Grain.MONTH)
    start = Period.parse(first, Grain.MONTH)
    months = 12 * (wanted.start.year - start.start.year) + wanted.start.month - start.start.month
    if months < 0:
        raise ValueError(f"the correction of {period} lies before the first delivery {first}")
    *_, (month, _, register), (_, _, later) = _months(rows, months + 2, first, seed)

    late = [
        now.citizen_id
        for now in register.values()
        if (then := later.get(now.citizen_id)) and then.address != now.address and then.moved_in_on < wanted.end.date()
    ]
    late.sort(key=lambda citizen_id: citizen_id != DEMO_CITIZEN_ID)  # she comes first
    corrected = register | {
        citizen_id: replace(
            register[citizen_id], address=later[citizen_id].address, moved_in_on=later[citizen_id].moved_in_on
        )
        for citizen_id in late[: MOST_CORRECTIONS + 1]
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"citizens_{period}_v2.xlsx"
    path.write_bytes(_workbook(wanted, _exported(list(corrected.values()), month, wanted, seed)))
    return path


def make_broken(folder: Path, period: str = "2025-07", *, seed: int = SEED) -> Path:
    """Write `citizens_<period>.xlsx` cut off in the middle, as a broken transfer leaves it.

    Raises ValueError when `period` is not a month.
    """
    wanted = Period.parse(period, Grain.MONTH)
    (month, _, register), *_ = _months(200, 1, period, seed)
    whole = _workbook(wanted, _exported(list(register.values()), month, wanted, seed))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"citizens_{period}.xlsx"
    path.write_bytes(whole[: len(whole) // 2])
    return path


# --- the register and its months


@dataclass(frozen=True)
class Vocabulary:
    first_names: dict[str, list[str]]
    last_names: list[str]
    streets: list[str]


def _vocabulary(seed: int) -> Vocabulary:
    """Faker is slow per call, so its words are drawn once."""
    from faker import Faker

    faker = Faker("de_DE")
    faker.seed_instance(seed)

    def words(draw: Any, times: int) -> list[str]:
        # 'Koch II' and 'Dussen van' are slips of the vocabulary
        return [word for word in dict.fromkeys(draw() for _ in range(times)) if " " not in word]

    female, male = words(faker.first_name_female, 500), words(faker.first_name_male, 500)
    last_names = words(faker.last_name, 1500)
    noble = [f"von {name}" for name in last_names[:8]] + [f"van der {name}" for name in last_names[8:12]]
    streets = [street.replace("str.", "straße") for street in words(faker.street_name, 1500)]
    return Vocabulary({"F": female, "M": male, "X": female + male}, last_names + noble, streets)


class _People:
    """Draws people and what happens to them."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng([seed, 0])
        self._words = _vocabulary(seed)
        self._ids = {DEMO_CITIZEN_ID}

    def one_of(self, values: Sequence[Any]) -> Any:
        return values[int(self._random.integers(len(values)))]

    def happens(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def some(self, ids: Sequence[str], share: float) -> list[str]:
        """That share of these ids, in a random order; the demo citizen has a life of her own."""
        others = [citizen_id for citizen_id in ids if citizen_id != DEMO_CITIZEN_ID]
        chosen = self._random.permutation(len(others))[: round(share * len(others))]
        return [others[position] for position in chosen]

    def day(self, start: date, end: date) -> date:
        """A day in [start, end)."""
        return start + timedelta(days=int(self._random.integers(max((end - start).days, 1))))

    def address(self) -> Address:
        letter = self.one_of("abc") if self.happens(0.1) else ""
        house_number = f"{self._random.integers(1, 140)}{letter}"
        postal_code, city = self.one_of(POSTAL_CODES)
        return Address(self.one_of(self._words.streets), house_number, postal_code, city)

    def last_name(self) -> str:
        return str(self.one_of(self._words.last_names))

    def phone(self) -> str | None:
        if self.happens(0.1):
            return None
        return f"{self.one_of(FICTION_NUMBERS)}{self._random.integers(1000):03}"

    def email(self, first_name: str, last_name: str) -> str | None:
        if self.happens(0.1):
            return None
        names = [first_name, last_name.rsplit(maxsplit=1)[-1]]
        ascii_names = ["".join(ASCII_LETTERS.get(letter, "") for letter in name.lower()) for name in names]
        return f"{'.'.join(ascii_names)}@{self.one_of(['example.org', 'example.com', 'example.net'])}"

    def citizen(self, births: tuple[date, date], moves_in: tuple[date, date]) -> Citizen:
        """Somebody born and moved in within these half-open intervals."""
        gender = "X" if self.happens(0.005) else self.one_of("FM")
        first_name, last_name = self.one_of(self._words.first_names[gender]), self.last_name()
        birth_date = self.day(*births)
        is_child = moves_in[1].year - birth_date.year < 14
        return Citizen(
            citizen_id=self._new_id(),
            first_name=first_name,
            last_name=last_name,
            birth_date=birth_date,
            gender=gender,
            email=None if is_child else self.email(first_name, last_name),
            phone=None if is_child else self.phone(),
            address=self.address(),
            moved_in_on=self.day(max(birth_date, moves_in[0]), moves_in[1]),
        )

    def _new_id(self) -> str:
        citizen_id = f"{self._random.integers(1_000_000, 300_000_000):09}"
        if citizen_id in self._ids:
            return self._new_id()
        self._ids.add(citizen_id)
        return citizen_id


def _months(rows: int, periods: int, first: str, seed: int) -> Iterator[tuple[int, Period, Register]]:
    """The register at the end of each month: (number from 0, period, register)."""
    people = _People(seed)
    period = Period.parse(first, Grain.MONTH)
    opening = period.start.date()
    newcomers = (people.citizen((date(1930, 1, 1), opening), (date(1985, 1, 1), opening)) for _ in range(rows - 1))
    register = {citizen.citizen_id: citizen for citizen in (DEMO_CITIZEN, *newcomers)}
    left: Register = {}
    for month in range(periods):
        if month > 0:
            period = Period.parse(f"{period.end:%Y-%m}", Grain.MONTH)
            register = _next_month(people, register, left, month, period)
        yield month, period, register


def _next_month(people: _People, before: Register, left: Register, month: int, period: Period) -> Register:
    """The register one month later; who leaves is moved to `left`, who returns comes from there."""
    start, end = period.start.date(), period.end.date()
    register = dict(before)

    def moved(citizen: Citizen, earliest: date) -> Citizen:
        return replace(
            citizen, address=people.address(), moved_in_on=people.day(max(citizen.birth_date, earliest), end)
        )

    returning = people.some(list(left), RETURNING)
    for citizen_id in people.some(list(before), LEAVING):
        left[citizen_id] = register.pop(citizen_id)
    for citizen_id in people.some(list(register), MOVING):
        # many register late: they moved in the month before
        register[citizen_id] = moved(register[citizen_id], start - timedelta(days=20))
    for citizen_id in people.some(list(register), MARRYING):
        register[citizen_id] = replace(register[citizen_id], last_name=people.last_name())
    for citizen_id in people.some(list(register), CONTACT_CHANGING):
        citizen = register[citizen_id]
        email = people.email(citizen.first_name, citizen.last_name)
        register[citizen_id] = replace(citizen, email=email, phone=people.phone())
    for citizen_id in returning:
        register[citizen_id] = moved(left.pop(citizen_id), start)
    for _ in range(round(ARRIVING * len(before))):
        births = (start, end) if people.happens(NEWBORN) else (date(1950, 1, 1), start)
        citizen = people.citizen(births, (start, end))
        register[citizen.citizen_id] = citizen

    if month in DEMO_MOVES:
        moving_day = (start - timedelta(days=1)).replace(day=24)
        demo = replace(register[DEMO_CITIZEN_ID], address=DEMO_MOVES[month], moved_in_on=moving_day)
        register[DEMO_CITIZEN_ID] = demo
    return register


# --- the clerk's export

HEADERS = {
    "citizen_id": "Citizen ID",
    "first_name": "First name",
    "last_name": "Last name",
    "birth_date": "Birth date",
    "gender": "Gender",
    "email": "E-mail",
    "phone": "Phone",
    "street": "Street",
    "house_number": "House number",
    "postal_code": "Postal code",
    "city": "City",
    "moved_in_on": "Moved in",
}
NBSP = "\u00a0"
DAY_ZERO = date(1899, 12, 30)  # of the serial numbers in the 1900 date system of Excel
ERROR_CELL = "#N/A"


def _exported(citizens: list[Citizen], month: int, period: Period, seed: int) -> Iterator[list[Any]]:
    """The cells of all rows, header first; where the faults are depends on seed, month and row only."""
    random = np.random.default_rng([seed, 1, month])
    columns = list(HEADERS)
    if month % 6 == 4:  # a clerk who orders the columns in another way
        columns.append(columns.pop(columns.index("phone")))
    yield [_header(column, month, period) for column in columns]

    draws = random.random((len(citizens), len(HEADERS)))
    blank_before = random.random(len(citizens)) < 0.002
    defects = _bad_rows(citizens, random)
    for position, citizen in enumerate(citizens):
        cells = _row(citizen, draws[position].tolist())
        if position in defects:
            cells |= _defect(defects[position], period)
        if blank_before[position]:
            yield [None] * len(columns)
        yield [cells[column] for column in columns]
    yield [None] * len(columns)
    yield [f"Total: {len(citizens)}"] + [None] * (len(columns) - 1)


def _header(column: str, month: int, period: Period) -> str:
    if column == "email" and period.name >= EMAIL_HEADER_CHANGES:
        return "Email address"
    if column == "house_number" and month % 2 == 1:
        return "House\nnumber"
    return HEADERS[column]


def _bad_rows(citizens: list[Citizen], random: np.random.Generator) -> dict[int, int]:
    """Position of each row beyond cure, and the number of its defect; never the demo citizen."""
    count = max(round(BAD * len(citizens)), min(3, len(citizens) // 100))
    positions = [int(position) for position in random.permutation(len(citizens))]
    chosen = [position for position in positions if citizens[position].citizen_id != DEMO_CITIZEN_ID][:count]
    return {position: defect for defect, position in enumerate(chosen)}


def _defect(number: int, period: Period) -> dict[str, Any]:
    defects: list[dict[str, Any]] = [
        {"birth_date": period.end + timedelta(days=400)},
        {"gender": "?"},
        {"last_name": ERROR_CELL},
    ]
    return defects[number % len(defects)]


def _row(citizen: Citizen, draws: list[float]) -> dict[str, Any]:
    """The cells of one person; each draw in [0, 1) decides how the cell of one column is written."""
    draw = dict(zip(HEADERS, draws, strict=True))
    address = citizen.address
    return {
        "citizen_id": _perhaps_number(citizen.citizen_id, draw["citizen_id"], 0.1),
        "first_name": _written_name(citizen.first_name, draw["first_name"]),
        "last_name": _written_name(citizen.last_name, draw["last_name"]),
        "birth_date": _written_date(citizen.birth_date, draw["birth_date"]),
        "gender": citizen.gender.lower() if draw["gender"] < 0.02 else citizen.gender,
        "email": _written_email(citizen.email, draw["email"]),
        "phone": _written_phone(citizen.phone, draw["phone"]),
        "street": _written_street(address.street, draw["street"]),
        "house_number": _written_house_number(address.house_number, draw["house_number"]),
        "postal_code": _perhaps_number(address.postal_code, draw["postal_code"], 0.2),
        "city": _with_blanks(address.city, draw["city"]),
        "moved_in_on": _written_date(citizen.moved_in_on, draw["moved_in_on"]),
    }


def _perhaps_number(digits: str, draw: float, share: float) -> str | int:
    """As a number, which loses leading zeros, in that share of the rows."""
    return int(digits) if draw < share else digits


def _with_blanks(text: str, draw: float) -> str:
    if draw > 0.03:
        return text
    return [f" {text}", f"{text}  ", f"{text}{NBSP}"][int(draw * 100)]


def _written_name(name: str, draw: float) -> str:
    if draw > 0.97:
        return "ß".join(part.upper() for part in name.split("ß"))  # 'SS' for ß would not come back
    if draw > 0.96:
        return name.lower()
    return _with_blanks(name, draw)


def _written_date(day: date, draw: float) -> datetime | int | str:
    if draw < 0.1:
        return (day - DAY_ZERO).days
    if draw < 0.2:
        return f"{day:%d.%m.%Y}"
    if draw < 0.25:
        return day.isoformat()
    return datetime(day.year, day.month, day.day)


def _written_email(email: str | None, draw: float) -> str | None:
    if email is None:
        return " " if draw < 0.1 else None
    if draw < 0.01:
        return f"mailto:{email}"
    if draw < 0.02:
        return f"<{email}>"
    if draw < 0.04:
        local, domain = email.split("@")
        return f"{local}@{domain.upper()}"
    return _with_blanks(email, 1 - draw)


def _written_phone(phone: str | None, draw: float) -> str | int | None:
    if phone is None:
        return None
    area, number = phone.split(" ")
    notations: list[str | int] = [
        f"+49{area}{number}",
        f"0{area} {number}",
        f"0{area}/{number}",
        f"(0{area}) {number[:3]} {number[3:]}",
        f"+49 {area} {number}",
        f"+49 (0){area} {number}",
        f"0049 {area} {number[:4]}-{number[4:]}",
        f"0{area}{NBSP}{number}",
        int(area + number),
    ]
    return notations[int(draw * len(notations))]


def _written_street(street: str, draw: float) -> str:
    if draw > 0.9 and street.endswith(("straße", "Straße")):
        return street.removesuffix("aße") + "."
    return _with_blanks(street, draw)


def _written_house_number(house_number: str, draw: float) -> str | int:
    if house_number.isdigit():
        return _perhaps_number(house_number, draw, 0.6)
    if draw < 0.3:
        return f"{house_number[:-1]} {house_number[-1]}"
    return f"{house_number[:-1]}{house_number[-1].upper()}" if draw < 0.4 else house_number


# --- the workbook


def _workbooks(sheets: list[tuple[Period, list[list[Any]]]]) -> list[bytes]:
    """On every core when there is much to write: openpyxl takes a second for 5,000 rows."""
    if sum(len(rows) for _, rows in sheets) < _WORTH_PROCESSES:
        return [_workbook(period, rows) for period, rows in sheets]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_workbook, *zip(*sheets, strict=True)))


def _workbook(period: Period, rows: Iterable[list[Any]]) -> bytes:
    """A workbook of one sheet, the same bytes for the same cells."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    workbook.properties.creator = "Register office"
    workbook.properties.created = period.end
    sheet = workbook.create_sheet("Citizens")
    for cells in rows:
        sheet.append(cells)
    saved = io.BytesIO()
    workbook.save(saved)
    return _without_clock(saved.getvalue(), period.end)


def _without_clock(workbook: bytes, moment: datetime) -> bytes:
    """The same workbook as if saved at that moment: openpyxl writes the time of the run in two places."""
    from openpyxl.packaging.core import DocumentProperties
    from openpyxl.xml.constants import ARC_CORE
    from openpyxl.xml.functions import fromstring, tostring

    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(rewritten, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == ARC_CORE:
                properties = DocumentProperties.from_tree(fromstring(content))  # type: ignore[arg-type]
                properties.modified = moment  # type: ignore[union-attr]
                content = tostring(properties.to_tree())  # type: ignore[assignment, union-attr]
            entry = zipfile.ZipInfo(member.filename, moment.timetuple()[:6])
            entry.create_system = 0  # the same on every system
            target.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return rewritten.getvalue()
