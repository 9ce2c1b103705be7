"""Readers give the cells as text, whatever the format does to them."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook

from loader.contracts import XlsxFormat
from loader.readers.workbook import open_workbook


def test_numbers_of_a_workbook_keep_all_their_digits(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for cells in (["number", "mixed"], [1 / 3, "1.123456789"], [1e15 / 3, 0.1], ["abc", 1 / 7], [1.5, None]):
        sheet.append(cells)
    workbook.save(tmp_path / "digits.xlsx")

    table = open_workbook(tmp_path / "digits.xlsx", XlsxFormat(type="xlsx"))
    [batch] = table.batches
    numbers, mixed = (column.to_pylist() for column in batch.cells)

    assert [numbers[0], numbers[1], mixed[2]] == ["0.3333333333333333", "333333333333333.3125", "0.1428571428571428"]
    assert [numbers[2], numbers[3]] == ["abc", "1.5"]
    assert [mixed[0], mixed[1], mixed[3]] == ["1.123456789", "0.1", None]
