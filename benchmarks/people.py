"""The people that are delivered: a table of 12 columns, as a register would send it, and its contracts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_CONTRACT = r"""
datasets:
  people:
    title: People
    description: People of a register, for measuring.
    file_name: 'people_(?P<period>\d{4}-\d{2})\.ENDING'
    format: {type: FORMAT}
    grain: month
    kind: full
    key: person_id
    columns:
      person_id: {type: varchar(9), required: true, pattern: '^[0-9]{9}$', description: Number.}
      first_name: {type: varchar(60), required: true, description: Given name.}
      last_name: {type: varchar(60), required: true, description: Family name.}
      birth_date: {type: date, required: true, min: 1900-01-01, max: period_end, description: Born.}
      gender: {type: varchar(1), required: true, allowed: [F, M, X], description: Gender.}
      email: {type: varchar(254), pattern: '^[^@ ]+@[^@ ]+$', description: E-mail.}
      street: {type: varchar(100), required: true, description: Street.}
      house_number: {type: varchar(10), required: true, description: House number.}
      postal_code: {type: varchar(5), required: true, pattern: '^[0-9]{5}$', description: Postal code.}
      city: {type: varchar(60), required: true, description: Place.}
      income: {type: 'decimal(12,2)', min: 0, max: 10000000, description: Income in euro a year.}
      moved_in_on: {type: date, min: 1900-01-01, description: Since when.}
"""
CSV = _CONTRACT.replace("ENDING", "csv").replace("FORMAT", "csv")
_PHONE = "      phone: {type: varchar(40), description: Phone number.}\n"
WORKBOOK = _CONTRACT.replace("ENDING", "xlsx").replace("FORMAT", "workbook") + _PHONE
WORKBOOK_PHONES_CLEANED = (
    WORKBOOK.replace("type: varchar(40)", "type: varchar(16), clean: [{phone: {region: DE}}]")
    + "    invalid_rows: {action: reject_rows, max_share: 0.05}\n"
)


def people(rows: int, *, moved: float = 0) -> Any:
    """An Arrow table of `rows` people, the same for the same number; a share of them has `moved` since."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(1)
    ids = np.char.zfill(np.arange(rows).astype(str), 9)

    def pick(words: list[str]) -> np.ndarray:
        return np.array(words)[random.integers(0, len(words), rows)]

    def day(first: str, span: int) -> np.ndarray:
        return np.datetime64(first) + random.integers(0, span, rows).astype("timedelta64[D]")

    columns = {
        "person_id": ids,
        "first_name": pick(["Anna", "Bernd", "Carla", "Dieter", "Emil", "Frieda", "Gustav", "Hanna"]),
        "last_name": np.char.add("Name", random.integers(0, 50_000, rows).astype(str)),
        "birth_date": day("1930-01-01", 33_000),
        "gender": pick(["F", "M", "X"]),
        "email": np.char.add(np.char.add("user", ids), "@example.org"),
        "street": np.char.add("Street ", random.integers(0, 3_000, rows).astype(str)),
        "house_number": random.integers(1, 200, rows).astype(str),
        "postal_code": np.char.zfill(random.integers(1_000, 99_999, rows).astype(str), 5),
        "city": pick(["Dresden", "Leipzig", "Chemnitz"]),
        "income": np.round(random.gamma(2, 20_000, rows), 2),
        "moved_in_on": day("1990-01-01", 12_000),
    }
    moving = random.random(rows) < moved
    columns["street"] = np.where(moving, np.char.add("New ", columns["street"]), columns["street"])
    return pa.table(columns)


def write_csv(path: Path, rows: int, moved: float = 0) -> None:
    """Write `rows` people as a text file."""
    import pyarrow.csv as pacsv

    path.parent.mkdir(parents=True, exist_ok=True)
    pacsv.write_csv(people(rows, moved=moved), path, pacsv.WriteOptions(quoting_style="none"))


def write_workbook(path: Path, rows: int) -> None:
    """Write `rows` people with their phone numbers as a workbook."""
    from benchmarks.workbook import file as workbook_file
    from benchmarks.workbook.phone_numbers import phone_numbers

    path.parent.mkdir(parents=True, exist_ok=True)
    table = people(rows)
    columns = dict(zip(table.column_names, table.columns, strict=True))
    workbook_file.write_workbook(path, {**columns, "phone": phone_numbers(rows)})


def main(path: Path, rows: int, moved: float = 0) -> None:
    if path.suffix == ".xlsx":
        write_workbook(path, rows)
    else:
        write_csv(path, rows, moved)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))
