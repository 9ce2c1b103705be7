"""Wrong values: cells that do not fit what the contract says of them, and values that only look dangerous."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.broken.cases import HEADER, PEOPLE_CELLS, book, content, loaded, named, people, refused, sheet_xml

EVERY_CELL = "Every bad cell is listed in data/stage/rejects/"
CYRILLIC = "Dr\u0435sden"
ARABIC_DIGIT = "\u0663"


def system_1904(path: Path) -> None:
    """Dates count from 1904, as in workbooks from old Macs."""
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    workbook = openpyxl.Workbook()
    workbook.epoch = CALENDAR_MAC_1904
    for row in (HEADER, *([*row[:2], dt.date(1988, 2, 29), *row[3:]] for row in PEOPLE_CELLS)):
        workbook.worksheets[0].append(row)
    workbook.save(path)


CASES = [
    refused(
        "formula errors", "xlsx", book(visits="#DIV/0!", paid="#REF!"), "visits: error cell (1); paid: error cell (1)"
    ),
    refused("formula error in an ods", "ods", book(visits="#DIV/0!"), "visits: error cell (1)"),
    refused("error text in a text file", "csv", content(people(name="#REF!")), "name: error cell (1)"),
    refused(
        "formula that was never calculated", "xlsx", book(visits="=1+1"), "the formula in cell E3 was never calculated"
    ),
    refused(
        "number beyond integer", "csv", content(people(visits="99999999999")), "visits: type integer (1)", EVERY_CELL
    ),
    refused("number beyond decimal", "csv", content(people(paid="1e300")), "paid: type decimal(8,2) (1)"),
    refused("number of 10,000 digits", "csv", content(people(paid="9" * 10_000)), "paid: type decimal(8,2) (1)"),
    refused("exponent beyond reason", "csv", content(people(paid="1e999999999")), "paid: type decimal(8,2) (1)"),
    refused("exponent far below zero", "csv", content(people(paid="1e-999999999")), "paid: type decimal(8,2) (1)"),
    refused("no number", "csv", content(people(paid="NaN")), "paid: type decimal(8,2) (1)"),
    refused("infinite", "csv", content(people(paid="Infinity")), "paid: type decimal(8,2) (1)"),
    refused("digits of another script", "csv", content(people(visits=ARABIC_DIGIT)), "visits: type integer (1)"),
    refused("fraction of a whole number", "csv", content(people(visits="1.5")), "visits: type integer (1)"),
    refused("exponent in a whole number", "csv", content(people(visits="1e1")), "visits: type integer (1)"),
    refused("grouped digits", "csv", content(people(paid='"1,250.00"')), "paid: type decimal(8,2) (1)"),
    refused("minus after the number", "csv", content(people(paid="100-")), "paid: type decimal(8,2) (1)"),
    refused("percentage", "csv", content(people(paid="15.5%")), "paid: type decimal(8,2) (1)"),
    refused("decimal comma", "csv", content(people(paid='"12,50"')), "paid: type decimal(8,2) (1)"),
    refused("decimal comma without quotes", "csv", content(people(paid="12,50")), "row: 6 cells expected (1)"),
    refused("date before 1900", "csv", content(people(born="31.12.1899")), "born: min 1900-01-01 (1)"),
    refused("date before 1900 in a workbook", "xlsx", book(born=-5), "born: type date (1)"),
    refused("29 February 1900", "xlsx", sheet_xml(b"29.02.1988", b"29.02.1900"), "born: type date (1)"),
    refused("day that never was", "csv", content(people(born="31.02.1988")), "born: type date (1)"),
    refused("year 0", "csv", content(people(born="01.01.0000")), "born: type date (1)"),
    refused("year 10000", "csv", content(people(born="01.01.10000")), "born: type date (1)"),
    refused("year 0 in ISO 8601", "csv", content(people(born="0000-01-01")), "born: type date (1)"),
    refused("week for a day", "csv", content(people(born="1988-W09")), "born: type date (1)"),
    refused("time with an offset for a day", "csv", content(people(born="1988-02-29T00:00:00Z")), "born: type date"),
    refused("month before day", "csv", content(people(born="02/29/1988")), "born: type date (1)"),
    refused("rows of a later month", "csv", content(people(born="01.01.2024")), "born: max period_end (1)"),
    refused("rows of a later month in a workbook", "xlsx", book(born=dt.date(2024, 1, 1)), "born: max period_end (1)"),
    refused("key missing", "csv", content(people(person_id="")), "person_id: required (1)"),
    refused("key twice", "csv", content(people(person_id="0001")), "person_id: unique key (2)"),
    refused("key without its zeros", "xlsx", book(person_id=2), "person_id: pattern (1)"),
    refused("text too long", "csv", content(people(name="Anna " * 5)), "name: length 20 (1)"),
    refused("32,767 letters in a cell", "xlsx", book(name="a" * 32_767), "name: length 20 (1)"),
    refused("value that is not allowed", "csv", content(people(city="Atlantis")), "city: allowed values (1)"),
    refused("letter of another alphabet", "csv", content(people(city=CYRILLIC)), "city: allowed values (1)"),
    refused("rule across columns", "csv", content(people(visits="0")), "row: paid_when_visited (1)"),
    refused("sum row at the end", "csv", content(f"{people()}Total,,,,9,37.50\n"), "person_id: length 4 (1)"),
    refused("formula in a wrong value", "csv", content(people(city="=cmd|'/C calc'!A0")), "city: allowed values (1)"),
    refused(
        "codes for the terminal in a wrong value", "csv", content(people(city="\x1b[2J")), "city: allowed values (1)"
    ),
    loaded("1904 date system", "xlsx", system_1904),
    loaded("SQL in a value", "csv", content(people(name="'; DROP TABLE x; --")), named("'; DROP TABLE x; --")),
    loaded("path in a value", "csv", content(people(name="../../etc/passwd")), named("../../etc/passwd")),
    loaded("formula in a value", "csv", content(people(name="=cmd|'/C calc'!A0")), named("=cmd|'/C calc'!A0")),
    loaded("template in a value", "csv", content(people(name="{{ 7*7 }} ${x} %s")), named("{{ 7*7 }} ${x} %s")),
    loaded("markup in a value", "csv", content(people(name="[red]An[/] :cat:")), named("[red]An[/] :cat:")),
    loaded("NULL as a word", "csv", content(people(name="NULL")), named("NULL")),
    loaded(
        "signs beyond the basic plane",
        "csv",
        content(people(name="\U0001f469\u200d\U0001f467")),
        named("\U0001f469\u200d\U0001f467"),
    ),
    loaded("writing from right to left", "csv", content(people(name="\u202eannA")), named("\u202eannA")),
]
