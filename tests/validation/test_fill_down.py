"""Cells that stand for the one above them: across batches, and below rows in which nobody knows the columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from loader.contracts import Contract
from loader.readers.table import Batch, ShortRow
from loader.validation.checks import check_batch
from loader.validation.fill_down import FillDown
from tests.support.deliveries import PEOPLE, contract_of


def filling(*columns: str) -> Contract:
    text = PEOPLE
    for column in columns:
        text = text.replace(f"      {column}: {{", f"      {column}: {{fill_down: true, ")
    return contract_of(text)


TORN = "torn"
"""A row of the wrong length."""


def batch_of(rows: list[str | None], first_row: int) -> Batch:
    """A column of cells, the rows counted from `first_row`."""
    at = {number: cell for number, cell in enumerate(rows, start=first_row) if cell is not TORN}
    torn = [ShortRow(number, 1, 6, ("x",)) for number, cell in enumerate(rows, start=first_row) if cell is TORN]
    return Batch([pa.array(at.values(), pa.string())], pa.array(at, pa.int64()), torn)


def naive(rows: list[str | None]) -> list[tuple[str | None, bool]]:
    """Value and doubt of each row of the right length."""
    found: list[tuple[str | None, bool]] = []
    above: tuple[str | None, bool] = (None, False)
    for cell in rows:
        if cell is TORN:
            above = (None, True)
        elif cell is not None and cell.strip():
            above = (cell.strip(), False)
            found.append(above)
        else:
            found.append(above)
    return found


cells = st.sampled_from(["a", "b ", None, None, "", " ", TORN])


@given(st.lists(st.lists(cells, max_size=6), min_size=1, max_size=5))
@example([["a"], [TORN], [None, "b", None]])
@example([[None], [], ["a", None]])
def test_an_empty_cell_is_the_one_above(batches: list[list[str | None]]) -> None:
    fill = FillDown(filling("city"), {"city": 0})
    found: list[tuple[Any, bool]] = []
    row = 2
    for rows in batches:
        filled = fill(batch_of(rows, row))
        found += zip(filled.cells[0].to_pylist(), filled.doubtful[0].to_pylist(), strict=True)
        row += len(rows)
    assert found == naive([cell for rows in batches for cell in rows])


def test_a_doubtful_cell_is_rejected_and_a_rejected_row_counts_as_delivered() -> None:
    contract = filling("city")
    people = {
        "person_id": ["0001", "0002", "0003", "0005"],
        "name": ["Anna"] * 4,
        "city": ["Atlantis", "-", None, None],
    }
    positions = {name: at for at, name in enumerate(people)}
    batch = Batch(
        [pa.array(column) for column in people.values()],
        pa.array([2, 3, 4, 6], pa.int64()),
        [ShortRow(5, 1, 3, ("x",))],
    )
    checked = check_batch(FillDown(contract, positions)(batch), positions, contract, contract.period("2025-01"))
    assert [(found.column, str(found.rule), found.source_rows) for found in checked.invalid] == [
        ("city", "fill down", [6]),
        ("city", "allowed values", [2]),
    ]
    assert checked.rows.select(["person_id", "city"]).to_pylist() == [
        {"person_id": "0002", "city": None},  # `-` stands for nothing, and so does the cell below
        {"person_id": "0003", "city": None},
    ]


def test_nothing_is_copied_where_no_column_is_filled() -> None:
    batch = batch_of(["a", None], 2)
    assert FillDown(filling(), {"city": 0})(batch) is batch
