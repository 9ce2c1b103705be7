"""CSV files as a clerk publishes them, with faults that contracts cure, and a few rows that nothing cures.

Money is `$4,500 ` in one cell and `1234.5` in the next, what is not there is `Not Applicable`, `Not Covered` or blank,
dates come in two forms, codes lose the zero in front, and texts have blanks at their ends. The rows beyond cure are
extra rows of nobody, left by somebody's test of the sender's system: the world is whole without them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from loader.samples.data.aca.claims import DIAGNOSES, PLACES_OF_SERVICE, SERVICES, Lines, Status
from loader.samples.data.aca.draws import Array, Stream, chance, stream
from loader.samples.data.aca.people import GENDERS
from loader.samples.data.aca.places import AREA_CODES, AREAS, PLACES
from loader.samples.data.aca.plans import ISSUERS, Plan
from loader.samples.data.aca.providers import IS_FACILITY, SPECIALTIES, Kind
from loader.samples.data.aca.words import without_accents
from loader.samples.data.aca.world import Month, Sample

BAD = 0.002
"""Rows beyond cure, as a share of a claim file."""
LATIN_1 = "latin-1"

Row = dict[str, str]
Columns = dict[str, pa.Array]
_NONE = pa.scalar(None, pa.string())


def write_members(folder: Path, sample: Sample, month: Month) -> Path:
    """`members_<month>.csv`: the insured, without those whose papers are late."""
    members, words = month.members, sample.words
    who = month.insured
    who = who[~members.late[who]]
    random = _random(sample, month, 0)
    first, last = _of(words.first_names, members.first_name[who]), _of(words.last_names, members.last_name[who])
    places = members.place[who]
    columns = {
        "Member ID": _cased(_member_ids(members.number[who]), random, 0.01),
        "First Name": _named(first, random),
        "Last Name": _named(last, random),
        "Date of Birth": _dates(members.birth[who], random, usual_is_iso=False),
        "Gender": _cased(_of(GENDERS, members.gender[who]), random, 0.02),
        "Email": _mail(sample, month, who, random),
        "Phone": _phones(members.phone[who], random),
        "Street Address": _street(words.streets, members.house_number[who], members.street[who], random),
        **_place_columns(places, random),
        "Rating Area": _rating_areas(members.area[who], random),
        "Tobacco Use": _cased(_of(["N", "Y"], members.tobacco[who]), random, 0.02),
    }
    future, nobody = f"01/01/{month.period.end.year + 1}", {"Member ID": "TEST-0001"}
    bad: list[Row] = [nobody, {"Date of Birth": future}, {"Gender": "?"}, {"ZIP Code": "0"}]
    return _write(folder / f"members_{month.period}.csv", columns, bad[: _few(len(who))], _TEST_MEMBER, LATIN_1)


def write_plans(folder: Path, sample: Sample, month: Month) -> Path:
    """`plans_<month>.csv`: the plans that are sold in the month."""
    plans = [plan for plan in month.plans if plan.is_sold_in(month.period)]
    random = _random(sample, month, 1)
    rows = [_plan_row(plan, random) for plan in plans]
    columns = {header: pa.array([row[header] for row in rows], pa.string()) for header in rows[0]}
    bad: list[Row] = [{"Metal Level": "Bronce"}]
    return _write(folder / f"plans_{month.period}.csv", columns, bad, _TEST_PLAN)


def write_providers(folder: Path, sample: Sample, month: Month) -> Path:
    """`providers_<month>.csv`: all providers."""
    providers = month.providers
    which = np.flatnonzero(providers.active)
    random = _random(sample, month, 2)
    specialty = providers.specialty[which]
    columns = {
        "NPI": pc.cast(pa.array(providers.provider_id[which]), pa.string()),
        "Provider Name": _blanks(pa.array(providers.name[which], pa.string()), random, 0.04),
        "Provider Type": _of(["Individual", "Facility"], IS_FACILITY[specialty]),
        "Specialty": _blanks(_of([one.name for one in SPECIALTIES], specialty), random, 0.03),
        "Street Address": _street(sample.words.streets, providers.house_number[which], providers.street[which], random),
        **_place_columns(providers.place[which], random),
        "Network Status": _blanks(_of(["Out of network", "In network"], providers.in_network[which]), random, 0.03),
    }
    bad: list[Row] = [{"NPI": "2000000"}, {"Network Status": "Pending"}]
    return _write(folder / f"providers_{month.period}.csv", columns, bad[: _few(len(which))], _TEST_PROVIDER, LATIN_1)


def write_enrollments(folder: Path, sample: Sample, month: Month) -> Path:
    """`enrollments_<month>.csv`: the insured and their plans."""
    members, who = month.members, month.insured
    random = _random(sample, month, 3)
    premiums = month.premiums()
    last_day = np.datetime64(month.period.end.date(), "D") - 1
    ends = np.where(month.ending[who], last_day, np.datetime64("NaT", "D"))
    columns = {
        "Member ID": _cased(_member_ids(members.number[who]), random, 0.01),
        "Plan ID": _of([plan.health_plan_id for plan in month.plans], members.plan[who]),
        "Coverage Effective Date": _dates(members.effective[who], random, usual_is_iso=False),
        "Coverage Termination Date": _dates(ends, random, usual_is_iso=False),
        "Monthly Premium": _money(premiums, random),
        "Advance Premium Tax Credit": _money(month.subsidies(premiums), random),
    }
    bad: list[Row] = [{"Advance Premium Tax Credit": "$1,000.00"}, {"Plan ID": "TBD"}]
    return _write(folder / f"enrollments_{month.period}.csv", columns, bad[: _few(len(who))], _TEST_ENROLLMENT)


def write_claims(folder: Path, sample: Sample, month: Month, lines: Lines, day: Any) -> Path:
    """`claims_<day>.csv`: the claim lines received on the day; `month` is any from that day's on."""
    random = stream(sample.seed, Stream.EXPORT, day.toordinal())
    drug = lines.kind == Kind.PHARMACY
    service = pc.if_else(pa.array(drug), pa.scalar("Not Applicable"), _of(SERVICES, lines.service))
    columns = {
        "Claim ID": pc.binary_join_element_wise("C", _digits(lines.claim, 13), ""),
        "Line Number": _digits(lines.line),
        "Member ID": _member_ids(month.members.number[lines.member]),
        "Plan ID": _of([plan.health_plan_id for plan in month.plans], lines.plan),
        "Provider NPI": _digits(month.providers.provider_id[lines.provider]),
        "Claim Type": _blanks(_of(["Professional", "Institutional", "Pharmacy"], lines.kind), random, 0.02),
        "Service Date": _dates(lines.service_date, random, usual_is_iso=True),
        "Received Date": _dates(lines.received_date, random, usual_is_iso=True),
        "Place of Service": _without_zeros(_of(PLACES_OF_SERVICE, lines.place), random, 0.1),
        "Diagnosis Code": _cased(_of(DIAGNOSES, lines.diagnosis), random, 0.02),
        "Procedure Code": _without_zeros(service, random, 0.1),
        "Units": _digits(lines.units),
        "Billed Amount": _money(lines.billed, random),
        "Allowed Amount": _money(lines.allowed, random),
        "Paid Amount": _money(lines.paid, random),
        "Member Amount": _money(lines.allowed - lines.paid, random),
        "Line Status": _of([status.name.capitalize() for status in Status], lines.status),
    }
    # a small day has none, so that no day is refused for its share
    count = min(int(random.poisson(BAD * len(lines))), len(lines) // 60)
    wrong = [{"Paid Amount": "10.00"}, {"Billed Amount": "1.00"}, {"Units": "0"}, {"Line Status": "Open"}]
    bad = [{"Claim ID": f"C{9_999_999_999_999 - at}", **wrong[at % len(wrong)]} for at in range(count)]
    return _write(folder / f"claims_{day}.csv", columns, bad, _TEST_LINE)


def _random(sample: Sample, month: Month, dataset: int) -> np.random.Generator:
    return stream(sample.seed, Stream.EXPORT, month.period.start.toordinal(), dataset)


# --- rows beyond cure: whole but for one cell


def _few(rows: int) -> int:
    """How many rows beyond cure a monthly file has: few enough for its contract, whatever its size."""
    return min(rows // 60, 1 + rows // 1000, 4)


_TEST_MEMBER: Row = {"Member ID": "M99999999", "First Name": "Test", "Last Name": "Test", "Email": "", "Phone": ""}
_TEST_PLAN: Row = {"Plan ID": "11111FL9990001", "Issuer ID": "11111", "Plan Marketing Name": "TEST DO NOT USE"}
_TEST_PROVIDER: Row = {"NPI": "2999999992", "Provider Name": "TEST DO NOT USE"}
_TEST_ENROLLMENT: Row = {"Member ID": "M99999999", "Monthly Premium": "100.00", "Advance Premium Tax Credit": "0.00"}
_TEST_LINE: Row = {
    "Line Number": "1",
    "Billed Amount": "200.00",
    "Allowed Amount": "100.00",
    "Paid Amount": "0.00",
    "Member Amount": "100.00",
    "Line Status": "Paid",
}


def _write(
    path: Path,
    columns: Columns,
    bad: Sequence[Row],
    test_row: Row,
    encoding: str = "utf-8",
) -> Path:
    """The columns as a CSV file, the rows beyond cure at its end; all else of these is as in the first row."""
    table = pa.table(columns)
    if bad and table.num_rows:
        rows = [{**table.slice(0, 1).to_pylist()[0], **test_row, **row} for row in bad]
        table = pa.concat_tables([table, pa.Table.from_pylist(rows, table.schema)])
    text = io.BytesIO()
    pacsv.write_csv(table, text, pacsv.WriteOptions(quoting_style="needed"))
    content = text.getvalue()
    path.write_bytes(content if encoding == "utf-8" else content.decode().encode(encoding))
    return path


# --- cells


def _of(words: Any, positions: Array) -> pa.Array:
    return pa.array(list(words), pa.string()).take(pa.array(np.asarray(positions, np.int64)))


def _digits(numbers: Array, width: int = 1) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width=width, padding="0")


def _member_ids(numbers: Array) -> pa.Array:
    return pc.binary_join_element_wise("M", _digits(numbers, 8), "")


def _where(which: Array, changed: pa.Array, cells: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(which), changed, cells)


def _blanks(cells: pa.Array, random: np.random.Generator, share: float) -> pa.Array:
    """Blanks at the end of some cells."""
    return _where(chance(random, share, len(cells)), pc.binary_join_element_wise(cells, "  ", ""), cells)


def _cased(cells: pa.Array, random: np.random.Generator, share: float) -> pa.Array:
    """Small letters in some codes."""
    return _where(chance(random, share, len(cells)), pc.utf8_lower(cells), cells)


def _named(cells: pa.Array, random: np.random.Generator) -> pa.Array:
    return _blanks(_where(chance(random, 0.04, len(cells)), pc.utf8_upper(cells), cells), random, 0.03)


def _without_zeros(cells: pa.Array, random: np.random.Generator, share: float) -> pa.Array:
    """Codes as a spreadsheet leaves them when it takes them for numbers."""
    shorter = pc.replace_substring_regex(cells, "^0+([0-9]+)$", r"\1")
    return _where(chance(random, share, len(cells)), shorter, cells)


def _rating_areas(areas: Array, random: np.random.Generator) -> pa.Array:
    number = _digits(areas)
    return _where(chance(random, 0.9, len(number)), pc.binary_join_element_wise("Rating Area", number, " "), number)


def _street(streets: list[str], numbers: Array, which: Array, random: np.random.Generator) -> pa.Array:
    return _blanks(pc.binary_join_element_wise(_digits(numbers), _of(streets, which), " "), random, 0.03)


def _place_columns(places: Array, random: np.random.Generator) -> Columns:
    return {
        "City": _blanks(_of([place.city for place in PLACES], places), random, 0.04),
        "County": _blanks(_of([place.county for place in PLACES], places), random, 0.02),
        "State": _of([place.state for place in PLACES], places),
        "ZIP Code": _without_zeros(_of([place.postal_code for place in PLACES], places), random, 0.5),
    }


def _dates(days: Array, random: np.random.Generator, *, usual_is_iso: bool) -> pa.Array:
    """Most dates in one form, some in the other; no date is a blank, or nothing at all."""
    missing = np.isnat(days)
    iso = pa.array(np.where(missing, "2000-01-01", np.datetime_as_string(days, unit="D")), pa.string())
    american = pc.replace_substring_regex(iso, "^([0-9]{4})-([0-9]{2})-([0-9]{2})$", r"\2/\3/\1")
    other = chance(random, 0.05, len(iso))
    cells = _where(other == usual_is_iso, american, iso)
    blank = _where(chance(random, 0.5, len(iso)), pa.scalar("  "), pa.scalar(""))
    return _where(missing, blank, cells)


def _money(cents: Array, random: np.random.Generator) -> pa.Array:
    """Dollars in the notations of different systems."""
    cents = np.asarray(cents, np.int64)
    dollars, rest = np.divmod(cents, 100)
    draw = random.random(len(cents))
    whole = _digits(dollars)
    plain = pc.binary_join_element_wise(whole, _digits(rest, 2), ".")
    if not len(cents):
        return plain
    grouped = pc.replace_substring_regex(whole, "^([0-9]+)([0-9]{3})$", r"\1,\2")
    grouped = pc.replace_substring_regex(grouped, "^([0-9]+)([0-9]{3}),", r"\1,\2,")
    with_cents = pc.binary_join_element_wise(grouped, _digits(rest, 2), ".")
    # $4,500 for whole dollars, else $4,500.25
    short = _where(rest == 0, grouped, with_cents)
    dollar = pc.binary_join_element_wise("$", short, "")
    cells = _where(draw < 0.15, with_cents, plain)
    cells = _where((draw >= 0.15) & (draw < 0.25), dollar, cells)
    return _where(draw >= 0.95, pc.binary_join_element_wise(dollar, " ", ""), cells)


def _mail(sample: Sample, month: Month, who: Array, random: np.random.Generator) -> pa.Array:
    members, words = month.members, sample.words
    first = _of([without_accents(name) for name in words.first_names], members.first_name[who])
    last = _of([without_accents(name) for name in words.last_names], members.mail_name[who])
    mailbox = members.mailbox[who]
    domain = _of(["example.com", "example.org", "example.net"], mailbox % 3)
    address = pc.binary_join_element_wise(first, ".", last, _digits(np.abs(mailbox)), "@", domain, "")
    address = _where(chance(random, 0.02, len(who)), pc.binary_join_element_wise("mailto:", address, ""), address)
    return _where(mailbox < 0, pa.scalar(""), address)


def _phones(phones: Array, random: np.random.Generator) -> pa.Array:
    area, number = np.divmod(np.abs(phones), 100)
    code, end = _of(AREA_CODES, area), pc.binary_join_element_wise("01", _digits(number, 2), "")
    notations = [
        pc.binary_join_element_wise("(", code, ") 555-", end, ""),
        pc.binary_join_element_wise(code, "-555-", end, ""),
        pc.binary_join_element_wise("+1 ", code, " 555 ", end, ""),
        pc.binary_join_element_wise(code, "555", end, ""),
        pc.binary_join_element_wise("1-", code, "-555-", end, ""),
    ]
    kind = random.integers(len(notations), size=len(phones))
    written = pc.choose(pa.array(kind), *notations)
    return _where(phones < 0, pa.scalar(""), written)


def _plan_row(plan: Plan, random: np.random.Generator) -> dict[str, str]:
    bands = ("Child", "Age 21", "Age 30", "Age 40", "Age 50", "Age 60")
    missing = ["Not Covered", *["Not Applicable"] * (len(bands) - 1)]
    premiums = {
        f"Premium {band}": nothing if cents is None else _price(cents, random)
        for band, nothing, cents in zip(bands, missing, plan.premiums, strict=True)
    }
    value = plan.actuarial_value / 10_000
    return {
        "Plan ID": plan.health_plan_id,
        "Issuer ID": plan.issuer_id,
        "Issuer Name": ISSUERS[plan.issuer_id] + "  " * int(random.random() < 0.1),
        "Plan Marketing Name": plan.name + " " * int(random.random() < 0.1),
        "Metal Level": plan.tier + " " * int(random.random() < 0.05),
        "Actuarial Value": "Not Applicable" if plan.tier == "Catastrophic" else f"{value:.4f}",
        "Network Type": plan.network_type,
        "State": "FL",
        "Deductible": f"${plan.deductible // 100:,} ",
        "Maximum Out of Pocket": f"${plan.maximum // 100:,} ",
        **premiums,
        **{f"Rating Area {area} Factor": f"{plan.area_factors[area - 1] / 10_000:.4f}" for area in range(1, AREAS + 1)},
        "Plan Effective Date": f"{plan.effective:%m/%d/%Y}",
        "Plan Termination Date": f"{plan.termination:%m/%d/%Y}" if plan.termination else " " * int(random.integers(3)),
    }


def _price(cents: int, random: np.random.Generator) -> str:
    text = f"{cents // 100:,}.{cents % 100:02}"
    return f"${text}" if random.random() < 0.5 else text
