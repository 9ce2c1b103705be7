"""A delivery in the notation of its sender, by the words of its contract: what stage holds, and what is sent back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from tests.conftest import Project
from tests.support.deliveries import rejects
from tests.support.shop import open_shop

CONTRACT = r"""datasets:
  bookings:
    title: Bookings
    description: What was booked, one row per booking.
    file_name: 'bookings_(?P<period>\d{4}-\d{2})\.csv'
    format: {type: csv, delimiter: ';', decimal: ',', thousands: '.', dates: ['%d.%m.%Y'], null_values: ['-']}
    grain: month
    kind: full
    key: [branch, number]
    columns:
      branch: {type: varchar(9), description: Branch., required: true, fill_down: true, header: [Branch, Filiale]}
      number: {type: integer, description: Number., required: true}
      amount: {type: 'decimal(12,2)', description: Amount., negative: [trailing, parentheses]}
      usd: {type: 'decimal(12,2)', description: In dollars., decimal: '.', thousands: ',', currency: $}
      rate: {type: 'decimal(7,4)', description: Rate., percent: true}
      booked: {type: date, description: Day.}
      shipped: {type: date, description: Day., dates: ['%m/%d/%Y'], null_values: [none]}
      seen: {type: timestamp, description: Moment., zone: Europe/Berlin}
      paid: {type: boolean, description: Whether it is paid., true_values: [ja], false_values: [nein]}
      pending: {type: boolean, description: Whether it is pending., map: {'1': false, '2': true}}
    invalid_rows: {action: reject_rows, max_share: 0.5}
"""
FILE = """Filiale;number;amount;usd;rate;booked;shipped;seen;paid;pending
Nord;1.000;1.234,50-;$1,234.50;15,5 %;03.02.2025;02/03/2025;2025-07-01T10:00Z;JA;2
;2;(7);-;-0,25%;-;none;2025-07-01 10:00:00;nein;1
;1e3;1;1;1%;03.02.2025;-;2025-10-26T00:30Z;true;3
Nord
;4;1;1;1%;03.02.2025;none;2025-07-01 10:00:00;ja;1
Sued;5;1,5;1.5;100 %;03.02.2025;none;2025-01-01 10:00:00;ja;1
"""


def test_each_column_is_read_by_its_own_words(new_project: Callable[..., Project]) -> None:
    project = open_shop(new_project("duckdb"), CONTRACT)
    (project.landing / "bookings_2025-02.csv").write_text(FILE, encoding="utf-8")
    result = project.loader("load")
    assert result.exit_code == 0, result.output
    columns = "branch, number, amount, usd, rate, booked, shipped, seen, paid, pending"
    assert project.sql(f"select {columns} from stage.bookings order by _source_row") == [
        (
            "Nord",
            1000,
            Decimal("-1234.50"),
            Decimal("1234.50"),
            Decimal("0.1550"),
            dt.date(2025, 2, 3),
            dt.date(2025, 2, 3),
            dt.datetime(2025, 7, 1, 12),
            True,
            True,
        ),
        ("Nord", 2, -7, None, Decimal("-0.0025"), None, None, dt.datetime(2025, 7, 1, 10), False, False),
        (
            "Sued",
            5,
            Decimal("1.5"),
            Decimal("1.5"),
            1,
            dt.date(2025, 2, 3),
            None,
            dt.datetime(2025, 1, 1, 10),
            True,
            False,
        ),
    ]
    assert sorted(rejects(project)) == [
        ("4", "number", "1e3", "type integer"),
        ("4", "paid", "true", "type boolean"),
        ("4", "pending", "3", "type boolean"),
        ("4", "seen", "2025-10-26T00:30Z", "type timestamp"),
        ("4", "shipped", "-", "type date"),
        ("5", "", "1 cells", "10 cells expected"),
        ("6", "branch", "", "fill down"),
    ]


def test_a_key_that_stands_for_the_one_above_is_purged(new_project: Callable[..., Project]) -> None:
    project = open_shop(new_project("duckdb"), CONTRACT)
    delivery = project.landing / "bookings_2025-02.csv"
    delivery.write_text("".join(FILE.splitlines(keepends=True)[:3]), encoding="utf-8")
    assert project.loader("load").exit_code == 0
    result = project.loader("purge", "--dataset", "bookings", "--key", "Nord,2", "--yes")
    assert delivery.name in result.output, result.output
    assert project.sql("select number from stage.bookings") == [(1000,)]
