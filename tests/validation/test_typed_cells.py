"""Cells of workbooks to declared types: what becomes of each kind of cell in each type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loader.archive.parquet import arrow_type
from loader.contracts import Column, ColumnType, WorkbookFormat
from loader.readers.plain_xlsx import DAY_ZERO_1904
from loader.readers.sheet_rows import DateText, ErrorText, batches
from loader.readers.table import DAY_ZERO, Cells
from loader.validation.checks import readings
from loader.validation.fill_down import FillDown

GERMAN = WorkbookFormat(type="workbook", decimal=",", thousands=".", dates=("%d.%m.%Y",))
PLAIN = WorkbookFormat(type="workbook")
TYPES = ("varchar(40)", "integer", "bigint", "decimal(12,2)", "double", "date", "timestamp", "time", "boolean")
NUMBERS = TYPES[1:5]


def read(value: Any, declared: str, fmt: WorkbookFormat = PLAIN, day_zero: dt.date = DAY_ZERO, **words: Any) -> Any:
    """What a cell becomes, alone and beside cells of every other kind; None when it is rejected."""
    column = Column(name="it", type=ColumnType.parse(declared), description="It.", **words)
    found = []
    for others in ([], ["x", 1.5, dt.date(2024, 1, 2), dt.time(1, 2), True, ErrorText("#N/A"), ""]):
        [batch] = batches([[one] for one in (value, *others)], 0, 1)
        values, bad = _read(batch.column(0), column, fmt, day_zero)
        assert values.type == arrow_type(column.type)
        found.append(None if bad[0] else values[0].as_py())
        assert bad[0] == (values[0].as_py() is None or found[-1] is None)
    assert found[0] == found[1], f"{value!r} depends on its neighbours"
    return found[0]


def _read(cells: Cells, column: Column, fmt: WorkbookFormat, day_zero: dt.date) -> tuple[pa.Array, list[bool]]:
    bad, values = [False] * len(cells.text), cells.text
    for _, values, unfit in readings(cells, column, fmt, day_zero):  # noqa: B007
        bad = bad if unfit is None else [one or bool(other.as_py()) for one, other in zip(bad, unfit, strict=True)]
    return values, bad


DAY, MOMENT = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 10, 30)
TABLE: list[tuple[Any, dict[str, Any]]] = [
    ("12.000", {"varchar(40)": "12.000", "integer": 12, "bigint": 12, "decimal(12,2)": Decimal(12), "double": 12.0}),
    ("2024-02-29", {"varchar(40)": "2024-02-29", "date": DAY, "timestamp": dt.datetime(2024, 2, 29)}),
    ("07:30", {"varchar(40)": "07:30", "time": dt.time(7, 30)}),
    ("07:30:15", {"varchar(40)": "07:30:15", "time": dt.time(7, 30, 15)}),
    ("24:00", {"varchar(40)": "24:00"}),
    ("yes", {"varchar(40)": "yes", "boolean": True}),
    (
        2024.0,
        {"varchar(40)": "2024", **dict.fromkeys(("integer", "bigint"), 2024), "decimal(12,2)": 2024, "double": 2024},
    ),
    (12.5, {"varchar(40)": "12.5", "decimal(12,2)": Decimal("12.5"), "double": 12.5}),
    (1e-10, {"varchar(40)": "0.0000000001", "double": 1e-10}),
    (1e300, {"double": 1e300}),
    (-0.0, {"varchar(40)": "0", **dict.fromkeys(NUMBERS, 0), "boolean": False}),
    (1, {"varchar(40)": "1", **dict.fromkeys(NUMBERS, 1), "boolean": True}),
    (
        0.1 + 0.2,
        {"varchar(40)": "0.30000000000000004", "decimal(12,2)": Decimal("0.30"), "double": 0.1 + 0.2},
    ),
    (2.0**53 - 1, {"varchar(40)": "9007199254740991", "bigint": 2**53 - 1, "double": 2.0**53 - 1}),
    (2.0**53, {"double": 2.0**53}),
    (-(2.0**53), {"double": -(2.0**53)}),
    (float("nan"), {}),
    (float("inf"), {}),
    (DAY, {"varchar(40)": "2024-02-29 00:00:00", "date": DAY, "timestamp": dt.datetime(2024, 2, 29)}),
    (MOMENT, {"varchar(40)": "2024-02-29 10:30:00", "timestamp": MOMENT}),
    (DateText("2024-02-29T10:30:00"), {"varchar(40)": "2024-02-29T10:30:00", "timestamp": MOMENT}),
    (dt.date(1900, 3, 1), {"varchar(40)": "1900-03-01 00:00:00", "date": dt.date(1900, 3, 1)}),
    (dt.date(1900, 2, 28), {}),
    (DateText("60"), {}),
    (DateText("2023-02-29"), {"varchar(40)": "2023-02-29"}),
    (dt.time(7, 30), {"time": dt.time(7, 30)}),
    (dt.time(0, 0), {"time": dt.time(0, 0)}),
    (dt.timedelta(hours=36), {}),
    (dt.timedelta(hours=1), {}),
    (True, {"varchar(40)": "true", "boolean": True}),
    (False, {"varchar(40)": "false", "boolean": False}),
    (ErrorText("#SPILL!"), {}),
]


@pytest.mark.parametrize("declared", TYPES)
@pytest.mark.parametrize(
    ("value", "expected"), TABLE, ids=lambda case: repr(case) if not isinstance(case, dict) else ""
)
def test_a_cell_of_each_kind_in_each_type(value: Any, expected: dict[str, Any], declared: str) -> None:
    if isinstance(value, dt.date) and value == dt.date(1900, 3, 1) and declared == "timestamp":
        expected = {"timestamp": dt.datetime(1900, 3, 1)}
    assert read(value, declared) == expected.get(declared)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.000", 12000), ("1.500,5", None), ("12.5", None), (12.5, None), (12000.0, 12000), ("12,0", 12)],
)
def test_signs_of_the_contract_are_those_of_texts(value: Any, expected: int | None) -> None:
    assert read(value, "integer", GERMAN) == expected


@pytest.mark.parametrize(
    ("serial", "day_zero", "declared", "expected"),
    [
        (45000.0, DAY_ZERO, "date", dt.date(2023, 3, 15)),
        (45000.0, DAY_ZERO_1904, "date", dt.date(2027, 3, 16)),
        (45000.5, DAY_ZERO, "date", None),
        (45000.5, DAY_ZERO, "timestamp", dt.datetime(2023, 3, 15, 12)),
        (61.0, DAY_ZERO, "date", dt.date(1900, 3, 1)),
        (60.0, DAY_ZERO, "date", None),
        (0.0, DAY_ZERO_1904, "date", dt.date(1904, 1, 1)),
        (-5.0, DAY_ZERO, "date", None),
        (2958465.0, DAY_ZERO, "date", dt.date(9999, 12, 31)),
        (2958466.0, DAY_ZERO, "date", None),
        (1e18, DAY_ZERO, "date", None),
    ],
)
def test_serial_numbers_are_days_where_the_contract_says_so(
    serial: float, day_zero: dt.date, declared: str, expected: Any
) -> None:
    assert read(serial, declared, PLAIN, day_zero, serials=True) == expected
    assert read(serial, declared, PLAIN, day_zero) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7.0, "007"), ("7", "007"), (True, "true"), (dt.time(7, 30), None), (1e16, None), (ErrorText("#N/A"), None)],
)
def test_cleaning_rules_work_on_the_text_of_a_cell(value: Any, expected: str | None) -> None:
    assert read(value, "varchar(40)", clean=[{"zero_pad": {"width": 3}}]) == expected


def naive(number: float, scale: int) -> Decimal | None:
    """The decimal of a double, or the one that it shows in 15 digits, when it has no more decimals than the type."""
    for text in (repr(number), f"{number:.15g}"):
        shown = Decimal(text)
        if shown == round(shown, scale) if abs(shown) < 10**11 else False:
            return round(shown, scale)
    return None


@settings(deadline=None)
@given(
    st.one_of(
        st.floats(-1e9, 1e9),
        st.decimals(-(10**9), 10**9, places=2).map(float),
        st.lists(st.decimals(-1000, 1000, places=2).map(float), max_size=9).map(sum),
    ),
    st.sampled_from([0, 2, 6]),
)
@example(10.96000000000005, 2)  # its 15 digits end with 1: the double is above the half that its shortest decimal is
@example(268435456.5583935, 6)  # the same the other way round: its shortest decimal is the half itself
def test_any_number_is_its_decimal_or_what_it_shows(number: float, scale: int) -> None:
    assert read(float(number), f"decimal(18,{scale})") == naive(float(number), scale)


@pytest.mark.parametrize(
    ("value", "declared", "words", "expected"),
    [
        (1.0, "varchar(9)", {"map": {"1": "male"}}, "male"),
        (2.0, "varchar(9)", {"map": {"1": "male"}}, "2"),
        ("x", "integer", {"map": {"x": 7}}, 7),
        (-99.0, "integer", {"null_values": ("-99",)}, None),
        (0.155, "decimal(12,3)", {"percent": True}, Decimal("0.155")),
        ("15.5 %", "decimal(12,3)", {"percent": True}, Decimal("0.155")),
    ],
)
def test_words_of_the_contract(value: Any, declared: str, words: dict[str, Any], expected: Any) -> None:
    column = Column(name="it", type=ColumnType.parse(declared), description="It.", **words)
    [batch] = batches([[value], [True]], 0, 1)
    values, bad = _read(batch.column(0), column, PLAIN, DAY_ZERO)
    assert (values[0].as_py(), bad[0]) == (expected, False)


def test_a_cell_that_is_filled_down_is_of_the_kind_of_the_one_above() -> None:
    values = ["12.000", "", 12.5, "", "12.000", ""]
    contract = SimpleNamespace(columns=[SimpleNamespace(name="it", fill_down=True)])
    fill = FillDown(contract, {"it": 0})  # type: ignore[arg-type]
    filled = [
        fill(batch) for part in (values[:3], values[3:4], values[4:]) for batch in batches([[v] for v in part], 0, 1)
    ]
    column = Column(name="it", type=ColumnType.parse("decimal(12,2)"), description="It.", fill_down=True)
    found = [value for batch in filled for value in _read(batch.column(0), column, GERMAN, DAY_ZERO)[0].to_pylist()]
    assert found == [12000, 12000, Decimal("12.5"), Decimal("12.5"), 12000, 12000]
