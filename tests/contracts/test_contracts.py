"""Contracts: what may be said, what is refused with line and reason, and what follows for a period."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from loader.contracts import ColumnType, find_contract, read_contracts
from loader.contracts.contract import OWN_RULES
from loader.errors import RefusedError, UsageError
from loader.validation import match_header
from loader.validation.rules import Kind, Rule
from tests.conftest import REPOSITORY, Project
from tests.support.deliveries import PEOPLE, contract_of

CONTRACT = r"""datasets:
  people:
    title: People
    description: People of a small register.
    file_name: 'people_(?P<period>\d{4})\.csv'
    format: {type: csv}
    grain: year
    kind: full
    key: person_id
    columns:
      person_id:
        type: varchar(4)
        description: Number of the person.
        required: true
      visits:
        type: integer
        description: Visits in the year.
      state: {type: varchar(5), description: State of the person.}
      born: {type: date, description: Day of birth.}
    guard: {ended: 0.1}
"""
VISITS = "description: Visits in the year."


def refusal(folder: Path, text: str | bytes) -> str:
    """What is said of a wrong file of contracts."""
    path = folder / "datasets_config.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as error:
        read_contracts(folder)
    return error.value.message


def test_the_contract_of_the_table_below_is_right(tmp_path: Path) -> None:
    (tmp_path / "datasets_config.yml").write_text(CONTRACT, encoding="utf-8")
    contract = find_contract(read_contracts(tmp_path), "people")
    assert contract.key == ("person_id",)
    assert [column.name for column in contract.columns] == ["person_id", "visits", "state", "born"]


@pytest.mark.parametrize(
    ("written", "instead_of", "line", "reason"),
    [
        # the form of the file
        ("      state:\n      state:", "      state:", 19, "'state' is written twice"),
        ("\ttitle: People", "    title: People", 3, "is not valid YAML"),
        ("title: {{ name }}", "title: People", 3, "unhashable"),
        ("title: [", "title: People", 5, "is not valid YAML"),
        # words
        ("titel: People", "title: People", 3, "people.titel: is not a word that a contract knows here"),
        ("titel: People", "title: People", 2, "people.title: is required"),
        ("requird: true", "required: true", 14, "person_id.requird: is not a word"),
        ("{type: date}", "{type: date, description: Day of birth.}", 19, "born.description: is required"),
        ("born: date", "born: {type: date, description: Day of birth.}", 19, "born: is a mapping"),
        ("born: {name: birth, type: date", "born: {type: date", 10, "'born' has its name already"),
        ("guard: 5", "guard: {ended: 0.1}", 20, "guard: is a mapping"),
        ("guard: {ended: 10}", "guard: {ended: 0.1}", 20, "guard.ended: Input should be less than or equal to 1"),
        # names
        ("  People:", "  people:", 2, "dataset name 'People': lower case letters"),
        ("      Visits:", "      visits:", 15, "column name 'Visits': lower case letters"),
        ("      dbt_visits:", "      visits:", 15, "names that begin with dbt_ belong to the history"),
        ("      order:", "      visits:", 15, "column name 'order' is a word of SQL; take another"),
        (
            "      _visits:",
            "      visits:",
            15,
            "column name '_visits': lower case letters, digits and _, at most 50, a letter",
        ),
        ("      lateral:", "      visits:", 15, "column name 'lateral' is a word of SQL; take another"),
        ("      percent:", "      visits:", 15, "column name 'percent' is a word of SQL; take another"),
        ("      xmin:", "      visits:", 15, "column name 'xmin' is a word of SQL; take another"),
        ("      no:", "      visits:", 15, "is text: write it in quotes"),
        # types and rules
        ("type: int", "type: integer", 16, "type 'int' is not understood; known are: varchar(n), integer"),
        ("type: varchar", "type: varchar(4)", 12, "type 'varchar' is not understood"),
        ("type: varchar(0)", "type: varchar(4)", 12, "a length is between 1 and 4000"),
        ("type: 'decimal(2,3)'", "type: integer", 16, "scale at most the precision"),
        (f"{VISITS}\n        pattern: '[0-9]+'", VISITS, 18, "'pattern' is for varchar columns"),
        (f"{VISITS}\n        min: lots", VISITS, 18, "'min: lots' does not match integer"),
        (f"{VISITS}\n        min: 0.5", VISITS, 18, "'min: 0.5' does not match integer"),
        (f"{VISITS}\n        max: period_end", VISITS, 18, "'max: period_end' does not match integer"),
        ("{type: date, min: 2025-02-30,", "{type: date,", 19, "'2025-02-30': day is out of range"),
        ("{type: date, min: 1900,", "{type: date,", 19, "'min: 1900' does not match date"),
        (
            "varchar(5), min: 1,",
            "varchar(5),",
            18,
            "'min' is for integer, bigint, decimal, double, date, timestamp columns",
        ),
        ("varchar(5), pattern: '[',", "varchar(5),", 18, "state.pattern: '[' is not a valid regular expression"),
        ("varchar(5), pattern: '(?=a)',", "varchar(5),", 18, "'(?=a)' is not a valid regular expression"),
        ("varchar(5), allowed: [yes, 'no'],", "varchar(5),", 18, "YAML reads True there"),
        ("varchar(5), allowed: ['1', 01067],", "varchar(5),", 18, "YAML reads 567 there"),
        ("varchar(5), allowed: live,", "varchar(5),", 18, "state.allowed: is a list"),
        ("varchar(5), clean: [trimm],", "varchar(5),", 18, "unknown cleaning rule 'trimm'; known are: trim"),
        ("varchar(5), clean: [{zero_pad: {}}],", "varchar(5),", 18, "option 'width' is required"),
        # a contract is tried when it is read
        (f"{VISITS}\n        min: 2147483648", VISITS, 18, "'min: 2147483648' does not match integer"),
        (f"{VISITS}\n        min: yes", VISITS, 18, "YAML reads True there; a bound is a number or a date"),
        (f"{VISITS}\n        min: [1]", VISITS, 18, "is one value: a text, a number or a date"),
        (
            f"{VISITS}\n        min: 5\n        max: 4",
            VISITS,
            18,
            "'min: 5' is above 'max: 4', so that no value is valid",
        ),
        ("'decimal(12,2)', min: 0.005,", "varchar(5),", 18, "'min: 0.005' does not match decimal(12,2)"),
        ("'decimal(4,2)', max: 100,", "varchar(5),", 18, "'max: 100' does not match decimal(4,2)"),
        ("double, max: .inf,", "varchar(5),", 18, "'max: inf' does not match double"),
        ("{type: date, min: 2025-02-28 10:00:00,", "{type: date,", 19, "does not match date"),
        ("{type: timestamp, min: 2025-02-28T10:00:00Z,", "{type: date,", 19, "does not match timestamp"),
        ("{type: date, min: 2025-03-01, max: 2025-02-28,", "{type: date,", 19, "is above 'max: 2025-02-28'"),
        ("varchar(5), allowed: [Dresden],", "varchar(5),", 18, "'Dresden' does not match varchar(5)"),
        ("varchar(5), allowed: ['a '],", "varchar(5),", 18, "'a ' is empty or has a blank at one end"),
        ("varchar(5), allowed: [u\u0308],", "varchar(5),", 18, "has decomposed characters; write it in Unicode NFC"),
        ("varchar(5), allowed: [],", "varchar(5),", 18, "allowed: "),
        ("varchar(5), allowed: [a, 1a], pattern: '^[a-z]',", "varchar(5),", 18, "'1a' does not match the pattern"),
        ("varchar(5), pattern: '^[0-9]{9}$',", "varchar(5),", 18, "pattern '^[0-9]{9}$' matches no text of varchar(5)"),
        ("varchar(5), allowed: [a, '-'], null_values: ['-'],", "varchar(5),", 18, "'-' is among null_values"),
        ("varchar(5), map: {yes: a},", "varchar(5),", 18, "YAML reads True there, not text; write what a cell holds"),
        ("varchar(5), map: {a: 1},", "varchar(5),", 18, "state.map.a: '1' does not match varchar(5)"),
        ("varchar(5), map: {a: b}, allowed: [a],", "varchar(5),", 18, "map.a: 'b' is not among the allowed values"),
        ("varchar(5), map: {'-': b}, null_values: ['-'],", "varchar(5),", 18, "map.-: '-' is among null_values"),
        (f"{VISITS}\n        map: {{none: 0.5}}", VISITS, 18, "map.none: '0.5' does not match integer"),
        (f"{VISITS}\n        map: {{none: true}}", VISITS, 18, "map.none: 'True' does not match integer"),
        (f"{VISITS}\n        map: {{none: 0}}\n        min: 1", VISITS, 18, "map.none: '0' is below 'min: 1'"),
        (f"{VISITS}\n        map: {{many: 9}}\n        max: 5", VISITS, 18, "map.many: '9' is above 'max: 5'"),
        (f"{VISITS}\n        map: [a]", VISITS, 18, "map: is a mapping"),
        # how values are written
        (f"{VISITS}\n        dates: ['%d.%m.%Y']", VISITS, 18, "'dates' is for date, timestamp columns"),
        (
            f"{VISITS}\n        percent: true",
            VISITS,
            18,
            "'percent' is for decimal, double columns, this one is integer",
        ),
        (f"{VISITS}\n        thousands: '.'", VISITS, 18, "'decimal' and 'thousands' are both '.'"),
        (f"{VISITS}\n        grouping: indian", VISITS, 18, "'grouping: indian' needs 'thousands'"),
        (f"{VISITS}\n        negative: [brackets]", VISITS, 18, "'trailing', 'parentheses' or 'minus_sign'"),
        (
            f"{VISITS}\n        currency: '%'",
            VISITS,
            18,
            "currency '%' is no money; write 'percent: true' in the column",
        ),
        (f"{VISITS}\n        decimal: ';'", VISITS, 18, "visits.decimal: Input should be '.' or ','"),
        ("boolean, true_values: ['0'],", "varchar(5),", 18, "'0' is among both true_values and false_values"),
        ("boolean, true_values: [yes],", "varchar(5),", 18, "true_values: is text: write it in quotes"),
        ("boolean, true_values: [],", "varchar(5),", 18, "true_values: "),
        (
            "timestamp, zone: Berlin,",
            "varchar(5),",
            18,
            "zone 'Berlin' is unknown; write it like Europe/Berlin, or UTC",
        ),
        ("timestamp, zone: ../etc/passwd,", "varchar(5),", 18, "is unknown; write it like Europe/Berlin"),
        ("timestamp, dates: ['%d.%m.%Y %H:%M %Z'],", "varchar(5),", 18, "is not a valid date format"),
        ("type: csv, currency: '%'", "type: csv", 6, "currency '%' is no money"),
        ("type: csv, grouping: indian", "type: csv", 6, "'grouping: indian' needs 'thousands'"),
        ("type: csv, dates: []", "type: csv", 6, "dates: "),
        ("type: csv, null_values: [' -']", "type: csv", 6, "' -' is empty or has a blank at one end"),
        # file name and format
        ("people_2025", r"people_(?P<period>\d{4})", 5, "needs a named group (?P<period>…)"),
        (r"(?P<period>\d{4})(?P<part>\d)", r"(?P<period>\d{4})", 5, "a group 'part' tells nothing; known are period"),
        (r"(?P<period>\d{4}", r"(?P<period>\d{4})", 5, "is not a valid regular expression"),
        ("type: json", "type: csv", 6, "'json'"),
        ("type: workbook, delimiter: ';'", "type: csv", 6, "format.delimiter: is not a word"),
        ("type: workbook, sheet: 0", "type: csv", 6, "sheets are counted from 1"),
        ("type: csv, encoding: utf-88", "type: csv", 6, "encoding 'utf-88' is unknown; for example utf-8, cp1252"),
        ("type: csv, quote: '||'", "type: csv", 6, "format.quote: String should have at most 1 character"),
        ("type: csv, totals: '*'", "type: csv", 6, "totals: '*' is not a valid regular expression"),
        ("type: csv, dates: ['DD.MM.YYYY']", "type: csv", 6, "'DD.MM.YYYY' is not a valid date format"),
        ("type: workbook, formulas: guessed", "type: csv", 6, "format.formulas"),
        ("type: csv, thousands: '.'", "type: csv", 6, "'decimal' and 'thousands' are both '.'"),
        ("type: csv, currency: '-'", "type: csv", 6, "currency '-' could be read as part of a number"),
        ("type: csv, currency: 'US dollar'", "type: csv", 6, "format.currency: String should have at most 5"),
        # what hangs together
        ("grain: decade", "grain: year", 7, "'year', 'quarter', 'month', 'week', 'day', 'fiscal' or 'window'"),
        ("key: number", "key: person_id", 2, "key column 'number' is not among the columns"),
        ("key: [person_id, person_id]", "key: person_id", 2, "each once"),
        ("key: []", "key: person_id", 2, "a dataset needs a natural key"),
        ("required: false", "required: true", 2, "key column 'person_id' must be 'required: true'"),
        ("required: true\n        since: 2024", "required: true", 2, "key column 'person_id' cannot have 'since'"),
        ("required: true\n        until: 2024", "required: true", 2, "key column 'person_id' cannot have 'until'"),
        (
            f"{VISITS}\n        optional: true\n        required: true",
            VISITS,
            18,
            "required column cannot be 'optional",
        ),
        (f"{VISITS}\n        since: 2024\n        until: 2023", VISITS, 19, "'until: 2023' is before 'since: 2024'"),
        (f"{VISITS}\n        until: 2024-06", VISITS, 2, "'2024-06' is not a year period; write it like 2025"),
        ("ignore: ['Notes (']\n    guard: {}", "guard: {ended: 0.1}", 20, "is not a valid regular expression"),
        (
            "ignore: [Notes]\n    format: {type: csv, header: none}",
            "format: {type: csv}",
            2,
            "'ignore' belongs to a file with a header",
        ),
        ("kind: delta", "kind: full", 2, "a delta needs one"),
        (
            "kind: delta\n    end_marker: {column: state, value: deceased}",
            "kind: full",
            9,
            "end_marker.value: end_marker value 'deceased' does not match varchar(5)",
        ),
        ("kind: full\n    end_marker: {column: state, value: gone}", "kind: full", 2, "belongs to 'kind: delta'"),
        ("kind: delta\n    end_marker: {column: gone, value: x}", "kind: full", 2, "'gone' is not among the columns"),
        (f"{VISITS}\n        since: 2024-06", VISITS, 2, "'2024-06' is not a year period; write it like 2025"),
        (f"{VISITS}\n        header: STATE", VISITS, 2, "columns 'visits' and 'state' have the same header"),
        (f"{VISITS}\n        header: 2024", VISITS, 18, "header: is text: write it in quotes"),
        (f"{VISITS}\n        header: [{{header: a, from: 2025, until: 2024}}]", VISITS, 18, "ends before it begins"),
        (
            "guard: {}\n    invalid_rows: {max_share: 0.1}",
            "guard: {ended: 0.1}",
            21,
            "belongs to 'action: reject_rows'",
        ),
        ("guard: {}\n    invalid_rows: {action: skip}", "guard: {ended: 0.1}", 21, "'reject_file' or 'reject_rows'"),
        (
            "row_rules: [{name: visits, description: d, check: visits > 0}]",
            "guard: {ended: 0.1}",
            20,
            "row rule 'visits' has the name of a column or of another rule",
        ),
        (
            "row_rules: [{name: type date, description: d, check: visits > 0}]",
            "guard: {ended: 0.1}",
            20,
            "row rule 'type date' has the name of a column or of another rule",
        ),
        (
            "row_rules: [{name: a, description: d, check: visits > 0},\n {name: a, description: d, check: visits > 1}]",
            "guard: {ended: 0.1}",
            21,
            "two row rules are called 'a'",
        ),
        (
            "duplicates: {keep: {max: person_id}}",
            "guard: {ended: 0.1}",
            2,
            "'person_id' is not among the columns besides",
        ),
        ("duplicates: {keep: {max: since}}", "guard: {ended: 0.1}", 2, "'since' is not among the columns besides"),
        ("duplicates: {keep: middle}", "guard: {ended: 0.1}", 20, "'first'"),
        (
            "kind: delta\n    rejected_rows: absent\n    end_marker: {column: state, value: gone}",
            "kind: full",
            2,
            "'rejected_rows' belongs to 'kind: full'",
        ),
        (
            "rejected_rows: absent\n    unreadable_keys: refuse",
            "guard: {ended: 0.1}",
            2,
            "belongs to 'rejected_rows: unknown'",
        ),
        (
            "row_rules: [{name: later, description: d, check: visit > 0}]",
            "guard: {ended: 0.1}",
            20,
            "row rule 'later' is not a valid condition on a row: Binder Error: Referenced column \"visit\"",
        ),
    ],
)
def test_a_wrong_contract_is_refused_with_line_and_reason(
    tmp_path: Path, written: str, instead_of: str, line: int, reason: str
) -> None:
    assert CONTRACT.count(instead_of) == 1
    message = refusal(tmp_path, CONTRACT.replace(instead_of, written))
    assert any(
        one.startswith(f"datasets_config.yml, line {line}: ") and reason in one for one in message.splitlines()
    ), message


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "datasets: is required"),
        ("- people", 1, "is a mapping"),
        ("datasets: people", 1, "is a mapping of names"),
        ("datasets:\n  people: all of them", 2, "datasets.people: is a mapping"),
        (f"{CONTRACT}  people: {{}}\n", 21, "'people' is written twice"),
        (f"{CONTRACT}# \0", 21, "is not valid YAML: control characters are not allowed"),
        (f"{CONTRACT}# {'ü' * 200}\n#\n#\n# \x01", 24, "is not valid YAML: control characters are not allowed"),
        (CONTRACT.encode() + "# für alle".encode("cp1252"), 21, "is not UTF-8, but likely an encoding of Windows"),
    ],
)
def test_a_file_that_holds_no_contracts_is_refused_too(
    tmp_path: Path, text: str | bytes, line: int, reason: str
) -> None:
    message = refusal(tmp_path, text)
    assert message.startswith(f"datasets_config.yml, line {line}: ")
    assert reason in message


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    wrong = CONTRACT.replace("grain: year", "grain: decade").replace("type: integer", "type: int")
    lines = refusal(tmp_path, wrong).splitlines()
    assert [line.split(":")[0] for line in lines] == [f"datasets_config.yml, line {at}" for at in (7, 16)]


def test_the_command_line_says_the_same_and_exits_with_2(new_project: Callable[..., Project]) -> None:
    project = new_project()
    path = project.root / "datasets_config.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: full", "kind: fool", 1), encoding="utf-8")
    result = project.loader("status")
    assert result.exit_code == 2
    assert (
        "usage: datasets_config.yml, line 14: datasets.citizens.kind: Input should be 'full' or 'delta'"
        in result.output
    )
    assert "Traceback" not in result.output


def test_an_unknown_dataset_is_told_the_known_ones(new_project: Callable[..., Project]) -> None:
    result = new_project().loader("versions", "--dataset", "citizen")
    assert result.exit_code == 2
    assert "dataset 'citizen' has no contract in datasets_config.yml; known are: citizens" in result.output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("varchar(4)", "varchar(4)"),
        (" VARCHAR( 4 )", None),
        ("Decimal(12, 2)", "decimal(12,2)"),
        ("decimal(38,38)", "decimal(38,38)"),
        ("decimal(39,0)", None),
        ("decimal(12)", None),
        ("date", "date"),
        ("date(3)", None),
        ("timestamp", "timestamp"),
        ("text", None),
        ("", None),
    ],
)
def test_types_are_read_as_they_are_shown(text: str, shown: str | None) -> None:
    if shown is None:
        with pytest.raises(ValueError, match="type '"):
            ColumnType.parse(text)
        return
    assert str(ColumnType.parse(text)) == shown
    assert ColumnType.parse(shown) == ColumnType.parse(text)


FIRMS = r"""
  firms:
    title: Firms
    description: Listed firms.
    file_name: 'firms_(?P<period>\d{4}-Q[1-4])\.csv'
    format: {type: csv}
    grain: quarter
    kind: full
    key: symbol
    columns:
      symbol: {type: varchar(8), description: d, required: true, header: Ticker}
      title:
        type: varchar(60)
        description: d
        header: [{header: Name, until: 2023-Q1}, {header: Security, from: 2023-Q2}]
      sector: {type: varchar(60), description: d, required: true, since: 2024-Q1, header: Name}
      fax: {type: varchar(20), description: d, header: [{header: Fax, until: 2023-Q4}]}
      city: {type: varchar(20), description: d}
"""


@pytest.mark.parametrize(
    ("period", "headers"),
    [
        ("2022-Q4", {"symbol": "Ticker", "title": "Name", "fax": "Fax", "city": "city"}),
        ("2023-Q1", {"symbol": "Ticker", "title": "Name", "fax": "Fax", "city": "city"}),
        ("2023-Q2", {"symbol": "Ticker", "title": "Security", "fax": "Fax", "city": "city"}),
        ("2024-Q1", {"symbol": "Ticker", "title": "Security", "sector": "Name", "city": "city"}),
    ],
)
def test_headers_hold_for_their_periods(period: str, headers: dict[str, str]) -> None:
    contract = contract_of(FIRMS)
    assert contract.headers(contract.period(period)) == {name: (header,) for name, header in headers.items()}


@pytest.mark.parametrize(
    ("headers", "period", "accepted"),
    [
        ("[Place, Ort]", "2024-Q1", ("Place", "Ort")),
        ("[{header: A, until: 2024-Q1}, B]", "2024-Q1", ("A",)),
        ("[{header: A, until: 2024-Q1}, B]", "2024-Q2", ("B",)),
        ("[A, {header: B, from: 2024-Q2}]", "2024-Q1", ("A",)),
        ("[A, {header: B, from: 2024-Q2}]", "2024-Q2", ("B",)),
        ("[{header: A, until: 2024-Q2}, {header: B, from: 2024-Q2}]", "2024-Q2", ("A", "B")),
        ("[{header: A, until: 2024-Q2}, {header: B, from: 2024-Q2}]", "2024-Q3", ("B",)),
    ],
)
def test_of_several_headers_that_are_valid_a_file_has_one(headers: str, period: str, accepted: tuple[str, ...]) -> None:
    contract = contract_of(FIRMS.replace("description: d}", f"description: d, header: {headers}}}"))
    period_of = contract.period(period)
    assert contract.headers(period_of)["city"] == accepted
    found = [cells[0] for name, cells in contract.headers(period_of).items() if name != "city"]
    for header in accepted:
        assert match_header("f", [*found, header], contract, period_of)["city"] == len(found)
    with pytest.raises(RefusedError, match=f"missing: {' or '.join(accepted)}"):
        match_header("f", found, contract, period_of)
    if len(accepted) > 1:
        with pytest.raises(RefusedError, match=f"twice: {', '.join(accepted).lower()}"):
            match_header("f", [*found, *accepted], contract, period_of)


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ("type: 'decimal(12,2)', min: 0.05, max: 9999999999.99", True),
        ("type: 'decimal(2,2)', min: 0, max: 0.99", True),
        ("type: 'decimal(38,0)', max: 99999999999999999999999999999999999999", True),
        ("type: 'decimal(38,0)', max: 100000000000000000000000000000000000000", False),
        ("type: bigint, min: -9223372036854775808, max: 9223372036854775807", True),
        ("type: bigint, max: 9223372036854775808", False),
        ("type: double, max: 9007199254740992, min: 1.0e-300", True),
        ("type: double, max: 9007199254740993", False),
        ("type: timestamp, min: 2025-02-28, max: period_end", True),
        ("type: timestamp, min: 2025-02-28, max: 2025-02-28 10:00:00", True),
        ("type: date, min: period_end", True),
        ("type: varchar(1), pattern: '^[[:alpha:]]$'", True),
        ("type: varchar(4), pattern: '^(ab|cde)$|^$'", True),
        ("type: varchar(1), pattern: 'ab|cde'", False),
        ("type: 'decimal(5,1)', map: {few: 1, half: 0.5}, decimal: ',', thousands: '.'", True),
    ],
)
def test_what_a_contract_states_is_tried_against_its_type(words: str, stands: bool) -> None:
    text = FIRMS.replace("{type: varchar(20), description: d}", f"{{{words}, description: d}}")
    assert text != FIRMS
    if stands:
        contract_of(text)
    else:
        with pytest.raises(ValueError, match=r"does not match|matches no text"):
            contract_of(text)


def test_a_row_rule_has_the_name_of_no_other_rule() -> None:
    for kind in Kind:
        detail = {Kind.CLEAN: "upper", Kind.TYPE: "decimal(8,2)", Kind.MIN: "1900-01-01"}.get(kind, 5)
        assert kind is Kind.ROW_RULE or OWN_RULES.fullmatch(str(Rule(kind, detail))), kind


def test_two_columns_may_have_one_header_after_each_other_only() -> None:
    with pytest.raises(ValueError, match="columns 'title' and 'sector' have the same header 'Name'"):
        contract_of(FIRMS.replace("until: 2023-Q1", "until: 2024-Q1").replace("from: 2023-Q2", "from: 2024-Q2"))


def test_the_fingerprint_changes_with_what_a_delivery_becomes() -> None:
    plain = contract_of(PEOPLE)
    assert contract_of(PEOPLE).fingerprint == plain.fingerprint
    for old, new in [
        ("varchar(20), description: Name", "varchar(30), description: Name"),
        ("max: 99", "max: 100"),
        ("null_values: ['-']", "null_values: []"),
        ("max_share: 0.5", "max_share: 0.4"),
        ("check: visits > 0", "check: visits >= 0"),
        ("pattern: '^[0-9]{4}$'", "pattern: '^[0-9]{4}$', clean: [trim]"),
        ("min: 0, max: 99", "min: 0, max: 99, map: {none: 0}"),
        ("min: 0, max: 99", "min: 0, max: 99, thousands: ','"),
        ("min: 0, max: 99", "min: 0, max: 99, fill_down: true"),
        ("null_values: ['-']", "null_values: ['-'], zone: Europe/Berlin"),
    ]:
        assert PEOPLE.count(old) == 1
        assert contract_of(PEOPLE.replace(old, new)).fingerprint != plain.fingerprint, new


def test_the_fingerprint_cares_for_no_words_nor_for_the_guard() -> None:
    plain = contract_of(PEOPLE)
    for old, new in [
        ("title: People", "title: Persons"),
        ("Visits in the month.", "How often they came."),
        ("guard: {ended: 0.5", "guard: {ended: 0.1"),
        ("personal: true, min", "min"),
        ("min: 0, max: 99", "min: 0, max: 99, tracked: false"),
    ]:
        assert PEOPLE.count(old) == 1
        assert contract_of(PEOPLE.replace(old, new)).fingerprint == plain.fingerprint, new


def test_the_contracts_of_the_repository_are_right() -> None:
    assert "citizens" in [contract.name for contract in read_contracts(REPOSITORY)]


# --- the JSON schema, by which editors check and complete --------------------------------------------------------


def schema_errors(text: str) -> list[str]:
    """What an editor says of contracts: YAML as YAML 1.2 reads it, dates being text."""
    import jsonschema

    schema = json.loads((REPOSITORY / "datasets_config.schema.json").read_text(encoding="utf-8"))
    document = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def test_the_schema_takes_every_contract_that_the_loader_takes() -> None:
    assert schema_errors((REPOSITORY / "datasets_config.yml").read_text(encoding="utf-8")) == []
    delta = PEOPLE.replace("kind: full", "kind: delta\n    end_marker: {column: city, value: Leipzig}")
    for text in (PEOPLE, delta, PEOPLE.replace("key: person_id", "key: [person_id, name]")):
        contract_of(text)
        assert schema_errors(f"datasets:{text}") == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("kind: full", "kind: complete", "'complete' is not one of ['full', 'delta']"),
        ("title: People", "titel: People", "'titel' was unexpected"),
        ("type: csv", "type: csv, sheet: 2", "is not valid under any of the given schemas"),
        ("type: integer", "type: integer, clean: [trimm]", "'trimm' is not valid"),
        ("type: integer", "type: integer, clean: [{zero_pad: {wide: 9}}]", "is not valid"),
        ("description: Number of the person., ", "", "'description' is a required property"),
        ("max_share: 0.5", "max_share: 50", "50 is greater than the maximum of 1"),
    ],
)
def test_the_schema_marks_mistakes(old: str, new: str, reason: str) -> None:
    assert PEOPLE.count(old) == 1
    assert any(reason in message for message in schema_errors(f"datasets:{PEOPLE.replace(old, new)}"))
