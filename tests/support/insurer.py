"""A small insurer: what it delivers, as CSV files, and what a star over that should say, in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import REPOSITORY, Project
from tests.support.deliveries import write_csv

Row = dict[str, Any]
Deliveries = dict[tuple[str, str], list[Row]]
"""Rows by dataset and period."""

CONTRACTS = yaml.safe_load((REPOSITORY / "datasets_config.yml").read_text(encoding="utf-8"))["datasets"]
FILES = {
    "members": "members",
    "health_plans": "plans",
    "providers": "providers",
    "enrollments": "enrollments",
    "claims": "claims",
}
"""First word of a dataset's files."""
UNTRACKED = {"members": ("email", "phone")}
BANDS = ((60, "60+"), (50, "50-59"), (40, "40-49"), (30, "30-39"), (21, "21-29"), (0, "00-20"))
AMOUNTS = ("billed_amount", "allowed_amount", "paid_amount", "member_amount")
SUMMED = ("claim_line_count", "units", *AMOUNTS)


def member(number: int, **changes: Any) -> Row:
    home = {"city": "Miami", "county": "Miami-Dade", "state": "FL", "postal_code": "33101", "rating_area": "1"}
    return {
        "member_id": f"M{number:08d}",
        "first_name": "Anna",
        "last_name": "Nuñez",
        "birth_date": "1988-02-29",
        "gender": "F",
        "email": "anna@example.org",
        "phone": None,
        "street": "1 Main St",
        "tobacco_use": "N",
        **home,
        **changes,
    }


def health_plan(number: int, **changes: Any) -> Row:
    premiums = {"premium_child": "200.00", **{f"premium_{age}": f"{250 + age}.00" for age in (21, 30, 40, 50, 60)}}
    return {
        "health_plan_id": f"11111FL{number:07d}",
        "issuer_id": "11111",
        "issuer_name": "Example Health",
        "plan_name": f"Plan {number}",
        "metal_tier": "Silver",
        "actuarial_value": "0.7000",
        "network_type": "HMO",
        "state": "FL",
        "deductible": "$4,500 ",
        "out_of_pocket_maximum": "9000",
        **premiums,
        **{f"area_factor_{area}": "1.0000" for area in range(1, 7)},
        "effective_date": "2024-01-01",
        "termination_date": None,
        **changes,
    }


def provider(number: int, **changes: Any) -> Row:
    return {
        "provider_id": f"1{number:09d}",
        "provider_name": f"Clinic {number}",
        "provider_type": "Facility",
        "specialty": "Family Medicine",
        "street": "9 Ocean Dr",
        "city": "Orlando",
        "county": "Orange",
        "state": "FL",
        "postal_code": "32801",
        "network_status": "In network",
        **changes,
    }


def enrollment(member_number: int, plan_number: int, premium: str, subsidy: str = "0.00") -> Row:
    return {
        "member_id": f"M{member_number:08d}",
        "health_plan_id": f"11111FL{plan_number:07d}",
        "effective_date": "2024-01-01",
        "termination_date": None,
        "premium_amount": premium,
        "subsidy_amount": subsidy,
    }


def claim_line(
    claim: int,
    line: int,
    member_number: int,
    plan_number: int,
    provider_number: int,
    served: str,
    paid: str,
    **changes: Any,
) -> Row:
    """A line of which the plan pays `paid` dollars and the member 12.34."""
    return {
        "claim_id": f"C{claim:013d}",
        "line_number": str(line),
        "member_id": f"M{member_number:08d}",
        "health_plan_id": f"11111FL{plan_number:07d}",
        "provider_id": f"1{provider_number:09d}",
        "claim_type": "Professional",
        "service_date": served,
        "place_of_service": "11",
        "diagnosis_code": "E11.9",
        "procedure_code": "G0439",
        "units": "2",
        "billed_amount": str(Decimal(paid) + Decimal("112.34")),
        "allowed_amount": str(Decimal(paid) + Decimal("12.34")),
        "paid_amount": paid,
        "member_amount": "12.34",
        "line_status": "Paid",
        **changes,
    }


def deliver(project: Project, dataset: str, period: str, rows: Iterable[Row], *, order: int | None = None) -> Path:
    """Put a file into the landing folder; a claim is received on the day of its drop."""
    columns = CONTRACTS[dataset]["columns"]
    cells = [[{"received_date": period, **row}[name] for name in columns] for row in rows]
    name = f"{FILES[dataset]}_{period}{'' if order is None else f'_v{order}'}.csv"
    encoding = CONTRACTS[dataset]["format"].get("encoding", "utf-8")
    header = [columns[name]["header"] for name in columns]
    return write_csv(project.landing / name, cells, header=header, encoding=encoding)


@dataclass(frozen=True)
class Version:
    """A row, and the first day of the periods in a row that showed it."""

    row: Row
    valid_from: dt.date


@dataclass
class Expected:
    """The facts that follow from deliveries; each row has the versions it points to, None for unknown."""

    deliveries: Deliveries
    lines: dict[tuple[str, str], Row] = field(init=False)
    enrollments: dict[tuple[str, str], Row] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = {key: self._line(*stated) for key, stated in self._living_lines().items()}
        self.enrollments = {
            (row["member_id"], period): self._enrollment(row, period)
            for (dataset, period), rows in self.deliveries.items()
            if dataset == "enrollments"
            for row in rows
        }

    def version(self, dataset: str, key: str, day: dt.date) -> Version | None:
        """The version in force on a day; else the last one before, or the first one."""
        column = CONTRACTS[dataset]["key"]
        periods = sorted(period for name, period in self.deliveries if name == dataset)
        shown = [
            next((row for row in self.deliveries[dataset, period] if row[column] == key), None) for period in periods
        ]
        known = [number for number, row in enumerate(shown) if row is not None]
        if not known:
            return None
        number = max((one for one in known if first_day(periods[one]) <= day), default=known[0])
        row = shown[number]
        while number and shown[number - 1] is not None and tracked(dataset, shown[number - 1]) == tracked(dataset, row):
            number -= 1
        assert row is not None
        return Version(shown[number] or row, first_day(periods[number]))

    def _living_lines(self) -> dict[tuple[str, str], tuple[Row, str]]:
        living: dict[tuple[str, str], tuple[Row, str]] = {}
        for dataset, period in sorted(self.deliveries):
            for row in self.deliveries[dataset, period] if dataset == "claims" else ():
                key = (row["claim_id"], row["line_number"])
                if row["line_status"] == "Void":
                    living.pop(key, None)
                else:
                    living[key] = (row, period)
        return living

    def _line(self, row: Row, period: str) -> Row:
        served = dt.date.fromisoformat(row["service_date"])
        who = self.version("members", row["member_id"], served)
        return {
            "period": period,
            "service_date": served,
            "service_month": served.replace(day=1),
            "member": who,
            "health_plan": self.version("health_plans", row["health_plan_id"], served),
            "provider": self.version("providers", row["provider_id"], served),
            "age_band": age_band(who, served.replace(day=1)),
            "claim_line_count": 1,
            "units": int(row["units"]),
            **{name: row[name] for name in ("claim_id", "line_number", "member_id", "health_plan_id", "provider_id")},
            **{name: Decimal(row[name]) for name in AMOUNTS},
        }

    def _enrollment(self, row: Row, period: str) -> Row:
        start = first_day(period)
        who = self.version("members", row["member_id"], start)
        premium, subsidy = Decimal(row["premium_amount"]), Decimal(row["subsidy_amount"])
        return {
            "service_month": start,
            "member": who,
            "health_plan": self.version("health_plans", row["health_plan_id"], start),
            "health_plan_id": row["health_plan_id"],
            "age_band": age_band(who, start),
            "member_months": 1,
            "premium_amount": premium,
            "subsidy_amount": subsidy,
            "net_premium_amount": premium - subsidy,
        }


def first_day(period: str) -> dt.date:
    return dt.date.fromisoformat(period if len(period) == 10 else f"{period}-01")


def tracked(dataset: str, row: Row | None) -> Row:
    return {name: value for name, value in (row or {}).items() if name not in UNTRACKED.get(dataset, ())}


def age_band(who: Version | None, on: dt.date) -> str:
    if who is None:
        return "unknown"
    born = dt.date.fromisoformat(who.row["birth_date"])
    years = max(0, on.year - born.year - ((on.month, on.day) < (born.month, born.day)))
    return next(name for first, name in BANDS if years >= first)


def sums(rows: Iterable[Row], by: Sequence[str], measures: Sequence[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Sum of each measure by the values of some columns; a row that lacks a measure counts with 0."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        cell = found.setdefault(tuple(row[name] for name in by), [0] * len(measures))
        for place, name in enumerate(measures):
            cell[place] += row.get(name, 0)
    return {key: tuple(cell) for key, cell in found.items()}


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """To four places, half up."""
    if not denominator:
        return None
    return (numerator / denominator).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def cube_row(row: Mapping[str, Any]) -> Row:
    """A fact with the dimensions of the cube."""
    plan, who = row["health_plan"], row["member"]
    return {
        **row,
        "metal_tier": plan.row["metal_tier"] if plan else "Unknown",
        "rating_area": int(who.row["rating_area"]) if who else -1,
    }
