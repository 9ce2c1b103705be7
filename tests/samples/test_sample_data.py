"""The sample deliveries: the same for the same arguments, plausible, and dirty as meant."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from loader.cleaning import parse_rules
from loader.samples.data.citizens import (
    DEMO_CITIZEN_ID,
    DEMO_MOVES,
    HEADERS,
    make_broken,
    make_correction,
    make_deliveries,
)

ROWS, PERIODS = 600, 6
BIRTH = list(HEADERS).index("birth_date")
ADDRESS = ["street", "house_number", "postal_code", "city"]
RULES: dict[str, Any] = {
    "citizen_id": {"zero_pad": {"width": 9}},
    "first_name": "person_name",
    "last_name": "person_name",
    "gender": "upper",
    "email": "email",
    "phone": {"phone": {"region": "DE"}},
    "street": "street",
    "house_number": "house_number",
    "postal_code": {"postal_code": {"country": "DE"}},
    "city": "trim",
}


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_deliveries(tmp_path_factory.mktemp("landing"), rows=ROWS, periods=PERIODS)


def cells(path: Path) -> list[tuple[Any, ...]]:
    workbook = openpyxl.load_workbook(path, read_only=True)
    rows = list(workbook.worksheets[0].values)
    workbook.close()
    return rows


def as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def as_date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, int):
        return date(1899, 12, 30) + timedelta(days=value)
    return date.fromisoformat("-".join(reversed(value.split("."))) if "." in value else value)


def people(path: Path) -> pd.DataFrame:
    """The people of a delivery after cleaning, by citizen_id, the rows beyond cure included."""
    header, *rows = cells(path)
    names = {" ".join(header.split()): column for column, header in HEADERS.items()} | {"Email address": "email"}
    columns = [names[" ".join(text.split())] for text in header]
    full = [row for row in rows if any(cell is not None for cell in row) and not str(row[0]).startswith("Total")]
    table = pd.DataFrame([dict(zip_longest(columns, row)) for row in full], dtype=object)
    cleaned: dict[str, Any] = {}
    for column in HEADERS:
        if column in RULES:
            text = pd.Series([as_text(v) for v in table[column]], dtype=pd.ArrowDtype(pa.string()))
            values, invalid = parse_rules([RULES[column]])[0].apply(text)
            assert invalid is None or not invalid.any(), column
            cleaned[column] = values.to_numpy(dtype=object, na_value=None)
        else:
            cleaned[column] = [as_date(value) for value in table[column]]
    return pd.DataFrame(cleaned).set_index("citizen_id").sort_index()


def bad_ids(table: pd.DataFrame, period: str) -> set[str]:
    year, month = map(int, period.split("-"))
    end = date(year + month // 12, month % 12 + 1, 1)
    wrong = (table.birth_date >= end) | ~table.gender.isin(["F", "M", "X"]) | (table.last_name == "#N/A")
    return set(table.index[wrong])


def period_of(path: Path) -> str:
    return path.stem.split("_")[1]


def test_the_same_arguments_give_the_same_bytes(deliveries: list[Path], tmp_path: Path) -> None:
    again = make_deliveries(tmp_path, rows=ROWS, periods=2)
    assert [path.name for path in again] == ["citizens_2025-01.xlsx", "citizens_2025-02.xlsx"]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in deliveries[:2]]
    (other,) = make_deliveries(tmp_path / "other", rows=ROWS, periods=1, seed=7)
    assert cells(other) != cells(deliveries[0])


def test_headers_are_those_of_the_contract(deliveries: list[Path]) -> None:
    for path in deliveries:
        found = [" ".join(text.split()) for text in cells(path)[0]]
        expected = [text for text in HEADERS.values() if text != "E-mail"]
        expected.append("E-mail" if period_of(path) <= "2025-03" else "Email address")
        assert sorted(found) == sorted(expected)
    assert any("\n" in text for path in deliveries for text in cells(path)[0])


def test_a_month_changes_a_plausible_share(deliveries: list[Path]) -> None:
    first = people(deliveries[0])
    assert len(first) == ROWS
    assert first.index.is_unique
    assert first.index.str.fullmatch("[0-9]{9}").all()
    assert first.index.str.startswith("0").sum() > ROWS * 0.2
    for earlier, later in pairwise(deliveries):
        before, after = people(earlier), people(later)
        both = before.index.intersection(after.index)
        moved = (before.loc[both, ADDRESS] != after.loc[both, ADDRESS]).any(axis=1)
        assert 0.005 * ROWS <= moved.sum() <= 0.02 * ROWS
        assert 1 <= len(before.index.difference(after.index)) <= 0.01 * ROWS
        assert 1 <= len(after.index.difference(before.index)) <= 0.015 * ROWS


def test_somebody_returns(tmp_path: Path) -> None:
    months = [set(people(path).index) for path in make_deliveries(tmp_path, rows=ROWS, periods=12)]
    left = {citizen for before, after in pairwise(months) for citizen in before - after}
    assert left & months[-1]


def test_notation_never_makes_a_change(deliveries: list[Path]) -> None:
    """Names, births and genders in many notations clean to one value; only marriages change names."""
    tables = {period_of(path): people(path) for path in deliveries}
    bad = set().union(*(bad_ids(table, period) for period, table in tables.items()))
    married: set[str] = set()
    first, *later = tables.values()
    for table in later:
        both = first.index.intersection(table.index).difference(sorted(bad))
        for column in ["first_name", "birth_date", "gender"]:
            assert first.loc[both, column].equals(table.loc[both, column])
        married |= set(both[first.loc[both, "last_name"] != table.loc[both, "last_name"]])
    assert len(married) <= ROWS * 0.002 * PERIODS


def test_bad_rows_are_few_and_of_every_kind(deliveries: list[Path]) -> None:
    for path in deliveries:
        table = people(path)
        bad = bad_ids(table, period_of(path))
        assert 3 <= len(bad) <= 0.01 * len(table)
        assert DEMO_CITIZEN_ID not in bad
        assert "#N/A" in set(table.last_name)
        assert "?" in set(table.gender)
        assert (table.birth_date >= date(2026, 1, 1)).any()
        others = table.drop(index=sorted(bad))
        assert (others.moved_in_on >= others.birth_date).all()


def test_an_error_cell_is_a_real_one(deliveries: list[Path]) -> None:
    with zipfile.ZipFile(deliveries[0]) as workbook:
        assert re.search(r't="e"[^>]*><v>#N/A</v>', workbook.read("xl/worksheets/sheet1.xml").decode())


def kinds_of_cells(path: Path) -> Iterator[str]:
    header, *rows = cells(path)
    *rows, total = rows
    assert re.fullmatch(r"Total: \d+", total[0])
    for row in rows:
        if all(cell is None for cell in row):
            yield "blank row"
            continue
        birth = row[BIRTH]
        yield f"birth date as {type(birth).__name__}" + (" with dots" if "." in str(birth) else "")
        yield f"id as {type(row[0]).__name__}"
        yield f"postal code as {type(row[header.index('Postal code')]).__name__}"
        texts = [cell for cell in row if isinstance(cell, str)]
        yield from ("NBSP" for text in texts if "\u00a0" in text)
        yield from ("stray blank" for text in texts if text.startswith(" "))
        yield from ("capitals" for text in row[1:3] if isinstance(text, str) and text.isupper())


def test_the_usual_dirt_is_there(deliveries: list[Path]) -> None:
    assert set(kinds_of_cells(deliveries[0])) == {
        "blank row",
        "birth date as datetime",
        "birth date as int",
        "birth date as str",
        "birth date as str with dots",
        "id as int",
        "id as str",
        "postal code as int",
        "postal code as str",
        "NBSP",
        "stray blank",
        "capitals",
    }


def test_the_demo_citizen_moves(deliveries: list[Path]) -> None:
    lived = [tuple(people(path).loc[DEMO_CITIZEN_ID, ADDRESS]) for path in deliveries]
    assert [month for month in range(1, PERIODS) if lived[month] != lived[month - 1]] == sorted(DEMO_MOVES)
    for month, address in DEMO_MOVES.items():
        assert lived[month] == (address.street, address.house_number, address.postal_code, address.city)


def test_a_correction_differs_only_in_moves_registered_late(tmp_path: Path) -> None:
    rows = 2000
    paths = make_deliveries(tmp_path, rows=rows, periods=4)
    corrected = make_correction(tmp_path, "2025-03", rows=rows)
    assert corrected.name == "citizens_2025-03_v2.xlsx"
    assert make_correction(tmp_path / "again", "2025-03", rows=rows).read_bytes() == corrected.read_bytes()

    before, after, april = people(paths[2]), people(corrected), people(paths[3])
    assert before.index.equals(after.index)
    differs = before.ne(after) & ~(before.isna() & after.isna())
    assert set(differs.columns[differs.any()]) <= {*ADDRESS, "moved_in_on"}
    changed = differs.index[differs.any(axis=1)]
    assert DEMO_CITIZEN_ID in changed
    assert 3 <= len(changed) <= 21
    place = [*ADDRESS, "moved_in_on"]
    assert after.loc[changed, place].equals(april.loc[changed, place])
    assert (after.loc[changed, "moved_in_on"] < date(2025, 4, 1)).all()
    assert bad_ids(before, "2025-03") == bad_ids(after, "2025-03")


def test_a_correction_before_the_first_delivery_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="before the first delivery 2025-01"):
        make_correction(tmp_path, "2024-12", rows=10)


def test_a_broken_workbook_cannot_be_opened(tmp_path: Path) -> None:
    path = make_broken(tmp_path)
    assert path.name == "citizens_2025-07.xlsx"
    assert path.read_bytes().startswith(b"PK")
    assert not zipfile.is_zipfile(path)


def test_a_few_rows_are_enough(tmp_path: Path) -> None:
    (path,) = make_deliveries(tmp_path, rows=1, periods=1, first="2025-12")
    assert list(people(path).index) == [DEMO_CITIZEN_ID]
