"""Small deliveries for tests: citizens as a workbook, people as a CSV file, and what loading made of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from loader.contracts import Contract

if TYPE_CHECKING:
    from tests.conftest import Project

Row = Mapping[str, Any]

CITIZEN_HEADERS = {
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
"""Headers of the citizens by column, as they are written until 2025-03."""

LATER_CITIZEN_HEADERS = {**CITIZEN_HEADERS, "email": "Email address"}
"""The same from 2025-04 on."""

PEOPLE = r"""
  people:
    title: People
    description: People of a small register, one row per person.
    file_name: 'people_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv, dates: ['%d.%m.%Y'], null_values: ['-']}
    grain: month
    kind: full
    key: person_id
    columns:
      person_id: {type: varchar(4), description: Number of the person., required: true, pattern: '^[0-9]{4}$'}
      name: {type: varchar(20), description: Name of the person., required: true, personal: true}
      born: {type: date, description: Day of birth., personal: true, min: 1900-01-01, max: period_end}
      city: {type: varchar(20), description: Place of the home., allowed: [Dresden, Leipzig, Chemnitz]}
      visits: {type: integer, description: Visits in the month., min: 0, max: 99}
      paid: {type: 'decimal(8,2)', description: Euros paid in the month.}
    row_rules:
      - {name: paid_when_visited, description: Only visitors pay., check: visits > 0 or paid = 0}
    invalid_rows: {action: reject_rows, max_share: 0.5}
    guard: {ended: 0.5, changed: 0.5}
"""
"""A contract for `people_<period>[_v<order>].csv`, with headers as the columns are named."""

PEOPLE_HEADER = ("person_id", "name", "born", "city", "visits", "paid")


def citizen_rows(count: int, **every: Any) -> list[dict[str, Any]]:
    """Valid citizens `000000001`, `000000002`, … by column; `every` overrides columns in each row."""
    rows = []
    for number in range(1, count + 1):
        row = {
            "citizen_id": f"{number:09}",
            "first_name": f"Anna{'abcdefghij'[number % 10]}",
            "last_name": "Schönherr",
            "birth_date": date(1950 + number % 50, 1 + number % 12, 1 + number % 28),
            "gender": "FMX"[number % 3],
            "email": f"anna{number}@example.org",
            "phone": "+493023125042",
            "street": "Prager Straße",
            "house_number": f"{number % 200 + 1}a",
            "postal_code": "01069",
            "city": "Dresden",
            "moved_in_on": date(2014, 9, 1),
        }
        rows.append({**row, **every})
    return rows


def people_rows(count: int, **every: Any) -> list[dict[str, Any]]:
    """Valid people `0001`, `0002`, … by column, as text; `every` overrides columns in each row."""
    row = {"name": "Anna", "born": "29.02.1988", "city": "Dresden", "visits": "3", "paid": "12.50"}
    return [{"person_id": f"{number:04}", **row, **every} for number in range(1, count + 1)]


def write_citizens(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    """A workbook with the headers that the period in the name of the file asks for; options of `write_workbook`."""
    headers = CITIZEN_HEADERS if path.stem.split("_")[1] <= "2025-03" else LATER_CITIZEN_HEADERS
    cells = [[row.get(column) for column in headers] for row in rows]
    return write_workbook(path, cells, **{"header": list(headers.values()), **options})


def write_workbook(
    path: Path,
    rows: Iterable[Sequence[Any]],
    *,
    header: Sequence[Any],
    above: Iterable[Sequence[Any]] = (),
    below: Iterable[Sequence[Any]] = (),
    sheet: str = "Sheet1",
) -> Path:
    """A workbook of one sheet: rows `above` the header, the header, rows, and rows `below` (totals)."""
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.worksheets[0].title = sheet
    for number, row in enumerate([*above, header, *rows, *below], start=1):
        for column, value in enumerate(row, start=1):
            if value is not None:
                workbook.worksheets[0].cell(number, column, value)
    workbook.save(path)
    return path


def write_people(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    """A CSV file of people; options of `write_csv`."""
    cells = [[row[column] for column in PEOPLE_HEADER] for row in rows]
    return write_csv(path, cells, **{"header": PEOPLE_HEADER, **options})


def write_csv(
    path: Path,
    rows: Iterable[Sequence[Any]],
    *,
    header: Sequence[Any],
    above: Iterable[Sequence[Any]] = (),
    below: Iterable[Sequence[Any]] = (),
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """A text file: rows `above` the header, the header, rows, and rows `below`; None is an empty cell."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([*above, header, *rows, *below])
    return path


def contract_of(text: str) -> Contract:
    """The first contract of a text as it stands below `datasets:`."""
    name, fields = next(iter(yaml.safe_load(text).items()))
    return Contract.model_validate({"name": name, **fields})


def add_contract(project: Project, text: str = PEOPLE) -> None:
    """Append a contract to those of the project, and make everything that follows from it."""
    config = project.root / "datasets_config.yml"
    config.write_text(f"{config.read_text(encoding='utf-8').rstrip()}\n{text}", encoding="utf-8")
    follow_contracts(project)


def project_with_people(new_project: Callable[..., Project]) -> Project:
    """A project on DuckDB that knows people too and is migrated; prepared once for all tests of a process."""
    project = new_project("duckdb")
    if not _PREPARED:
        before = {name: (project.root / name).read_bytes() for name in files_below(project.root)}
        add_contract(project)
        after = {name: (project.root / name).read_bytes() for name in files_below(project.root)}
        _PREPARED.update({name: content for name, content in after.items() if before.get(name) != content})
    for name, content in _PREPARED.items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_bytes(content)
    return project


_PREPARED: dict[str, bytes] = {}


def change_contract(project: Project, old: str, new: str) -> None:
    """Replace a text that stands in the contracts once, and make everything that follows."""
    config = project.root / "datasets_config.yml"
    text = config.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the contracts"
    config.write_text(text.replace(old, new), encoding="utf-8")
    follow_contracts(project)


def follow_contracts(project: Project) -> None:
    """`loader derive` and `loader migrate`."""
    for command in ("derive", "migrate"):
        result = project.loader(command)
        assert result.exit_code == 0, result.output


def rejects(project: Project, name: str = "") -> list[tuple[str, ...]]:
    """The rows of the one rejects file whose name begins with `name`: (row, column, value, rule)."""
    (path,) = (project.root / "data/stage/rejects").glob(f"{name}*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["row", "column", "value", "rule"]
    return [tuple(row) for row in rows]


def files_below(folder: Path) -> list[str]:
    """Every file below a folder, by its path from there."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
