"""Gates: real suites on real tables. Each kind of bad data fails, named, and nothing personal shows."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from loader.codegen.derive import derive
from loader.contracts import Contract, Grain, Period, find_contract, read_contracts
from loader.errors import EnvironmentFailedError, UsageError
from loader.gates import run_parquet_gate
from tests.conftest import REPOSITORY, Project
from tests.support.gating import broken, gate, insert, knows_patterns, shown, with_contract

SECRET = "Geheimnis"
CONTRACT = r"""
datasets:
  tickets:
    title: Tickets
    description: Everything that a suite can say.
    file_name: 'tickets_(?P<period>\d{4}-\d{2})\.csv'
    format: {type: csv}
    grain: month
    kind: full
    key: [office, number]
    columns:
      office: {type: varchar(3), description: Office., required: true, pattern: '^[A-Z]{1,3}$'}
      number: {type: integer, description: Number., required: true, personal: true}
      state: {type: varchar(9), description: State., allowed: [it's new, '100 %']}
      code: {type: varchar(20), description: Code., pattern: '^(?:a:b|50%|it''s|[{]x[}]|\d{2})$'}
      price: {type: 'decimal(8,2)', description: Price., min: 0.5, max: 99.5}
      opened_on: {type: date, description: Opened., min: 2000-01-01, max: period_end}
      closed_at: {type: timestamp, description: Closed., max: period_end}
      channel: {type: varchar(9), description: Channel., required: true, since: 2025-02}
      owner: {type: varchar(20), description: Owner., required: true, personal: true, pattern: '^G'}
      owner_kind: {type: varchar(20), description: Kind., personal: true, allowed: [Gast, Gemeinde]}
      owner_born_on: {type: date, description: Born., personal: true, min: 1900-01-01}
    row_rules:
      - {name: opened_first, description: A ticket is opened before it is closed., check: 'opened_on <= closed_at'}
      - {name: cheap_if_new, description: New tickets are cheap., check: "state <> 'it''s new' or price < 50"}
"""
GOOD: dict[str, Any] = {
    "office": "ABC",
    "number": 4711,
    "state": "it's new",
    "code": "a:b",
    "price": 9.5,
    "opened_on": "2025-02-01",
    "closed_at": "2025-02-28 23:59:59",
    "channel": "mail",
    "owner": "Gast",
    "owner_kind": "Gast",
    "owner_born_on": "1990-01-01",
    "_data_period": "2025-02",
    "_source_row": 2,
}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing key": ({"office": None}, "office is filled", "1 of 3 rows without a value"),
    "pattern with braces": ({"office": "abc"}, "office matches ^[A-Z]{1,3}$", "1 row, e.g. _data_period=2025-02"),
    "pattern with all signs": ({"code": "a-b"}, r"code matches ^(?:a:b|50%|it's|[{]x[}]|\d{2})$", "code=a-b"),
    "value not allowed": ({"state": "old"}, "state is one of it's new, 100 %", "1 of 3 rows, e.g. old"),
    "too small": ({"price": 0.49}, "price is at least 0.5 and at most 99.5", "1 of 3 rows, e.g. 0.49"),
    "too large": ({"price": 99.51, "state": None}, "price is at least 0.5 and at most 99.5", "e.g. 99.51"),
    "too early": ({"opened_on": "1999-12-31"}, "opened_on is at least 2000-01-01", "1 of 3 rows, e.g. 1999-12-31"),
    "a day after its period": (
        {"opened_on": "2025-03-01", "closed_at": None},
        "opened_on is not after its period",
        "opened_on=2025-03-01",
    ),
    "a moment after its period": (
        {"closed_at": "2025-03-01 00:00:00"},
        "closed_at is not after its period",
        "closed_at",
    ),
    "missing since": (
        {"channel": None},
        "channel is filled since 2025-02",
        "1 row, e.g. _data_period=2025-02, office=ABC",
    ),
    "row rule": (
        {"opened_on": "2025-02-03", "closed_at": "2025-02-02 12:00:00"},
        "opened_first: A ticket is opened before it is closed.",
        "1 row",
    ),
    "row rule with quotes": ({"price": 50}, "cheap_if_new: New tickets are cheap.", "1 row"),
    "same key twice": ({"number": 4711}, "office + number is unique in its period", "number=***, _copies=2"),
    "missing personal": ({"owner": None}, "owner is filled", "1 of 3 rows without a value"),
    "personal pattern": ({"owner": f"x{SECRET}"}, "owner matches ^G", "1 row"),
    "personal not allowed": (
        {"owner_kind": SECRET},
        "owner_kind is one of Gast, Gemeinde",
        "1 of 3 rows (values are personal",
    ),
    "personal too early": (
        {"owner_born_on": "1899-03-17"},
        "owner_born_on is at least 1900-01-01",
        "1 of 3 rows (values are",
    ),
}


@pytest.fixture
def tickets(project: Project) -> Project:
    """A project with one dataset, its derived files and its empty stage table."""
    return with_contract(project, CONTRACT)


def test_good_rows_of_several_periods_pass(tickets: Project) -> None:
    january = {
        "_data_period": "2025-01",
        "opened_on": "2025-01-31",
        "closed_at": "2025-01-31 23:59:59.999999",
        "channel": None,  # it came in February
    }
    sparse = {name: None for name in GOOD if name not in ("office", "number", "channel", "owner", "_data_period")}
    insert(tickets, "stage.tickets", GOOD, GOOD | january, GOOD | {"number": 1} | sparse)
    for number, code in enumerate(["50%", "it's", "{x}", "42"], start=2):
        insert(tickets, "stage.tickets", GOOD | {"number": number, "code": code})
    result = gate(tickets)
    skipped = 0 if knows_patterns(tickets) else 3
    unasked = [check.check.partition(" ")[0] for check in result.checks if check.result != "passed"]
    assert unasked == ["office", "code", "owner"][:skipped]
    assert result.passed
    verdict = "3 skipped, all others passed" if skipped else "all passed"
    assert result.summary.startswith(f"stage gate: {len(result.checks)} checks on 1 table, {verdict}, ")
    assert len(result.checks) == len(suite(tickets, "stage", "tickets")["expectations"])


def test_an_empty_table_passes(tickets: Project) -> None:
    assert gate(tickets).passed


def test_a_suite_may_lie_in_several_files_and_a_query_in_several_lines(tickets: Project) -> None:
    own = tickets.root / "gx/expectations/stage/support/tickets.json"
    own.parent.mkdir()
    query = ["select office", "from {batch}  -- every one", "where office is not null"]
    check = {
        "type": "unexpected_rows_expectation",
        "description": "no office",
        "kwargs": {"unexpected_rows_query": query},
    }
    own.write_text(json.dumps({"name": "stage.tickets", "expectations": [check]}), encoding="utf-8")
    insert(tickets, "stage.tickets", GOOD)
    result = gate(tickets)
    assert list(broken(result)) == ["no office"]
    assert len(result.checks) == len(suite(tickets, "stage", "tickets")["expectations"]) + 1


def suite(project: Project, layer: str, table: str) -> dict[str, Any]:
    return json.loads((project.root / f"gx/expectations/{layer}/{table}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", BAD)
def test_each_kind_of_bad_row_fails_its_check_alone(
    tickets: Project, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    change, check, details = BAD[kind]
    insert(tickets, "stage.tickets", GOOD, GOOD | {"number": 12}, GOOD | {"number": 13, "_source_row": 9} | change)
    result = gate(tickets)
    if " matches " in check and not knows_patterns(tickets):
        assert (result.passed, [one.result for one in result.checks if one.check == check]) == (True, ["skipped"])
        return
    assert not result.passed
    assert list(broken(result)) == [check]
    assert details in broken(result)[check]
    assert result.failed == 1
    everything = shown(result) + repr(result.checks) + caplog.text + "".join(capfd.readouterr())
    for hidden in (SECRET, "4711", "1899-03-17"):
        assert hidden not in everything


@pytest.mark.parametrize("grain", [Grain.YEAR, Grain.QUARTER, Grain.MONTH, Grain.DAY])
def test_the_last_day_of_a_period_is_in_it_and_the_next_is_not(project: Project, grain: Grain) -> None:
    days = [dt.date(2023, 12, 25) + dt.timedelta(days=one) for one in range(0, 450, 29)]
    names = {
        Grain.YEAR: lambda day: f"{day:%Y}",
        Grain.QUARTER: lambda day: f"{day:%Y}-Q{(day.month + 2) // 3}",
        Grain.MONTH: lambda day: f"{day:%Y-%m}",
        Grain.DAY: lambda day: f"{day:%Y-%m-%d}",
    }
    periods = [Period.parse(name, grain) for name in sorted({names[grain](day) for day in days})]
    with_contract(
        project,
        f"""
datasets:
  visits:
    title: Visits
    description: Visits.
    file_name: 'visits_(?P<period>.*)\\.csv'
    format: {{type: csv}}
    grain: {grain}
    kind: full
    key: [id]
    columns:
      id: {{type: integer, description: Id., required: true}}
      seen_on: {{type: date, description: Seen., max: period_end}}
""",
    )

    def visits(offset: int) -> list[dict[str, Any]]:
        return [
            {
                "id": 1 + offset,
                "seen_on": period.end.date() + dt.timedelta(days=offset - 1),
                "_data_period": period.name,
            }
            for period in periods
        ]

    insert(project, "stage.visits", *visits(0))
    assert gate(project).passed
    insert(project, "stage.visits", *visits(1))
    assert broken(gate(project))["seen_on is not after its period"].startswith(f"{len(periods)} row")


def test_what_the_database_says_of_a_value_stays_hidden(tickets: Project, capfd: pytest.CaptureFixture[str]) -> None:
    path = tickets.root / "gx/expectations/stage/tickets.json"
    query = "select owner from {batch} where cast(owner as integer) > 0"
    document = suite(tickets, "stage", "tickets")
    document["expectations"] = [
        {"type": "unexpected_rows_expectation", "description": "nonsense", "kwargs": {"unexpected_rows_query": query}},
        {"type": "expect_column_values_to_not_be_null", "description": "gone", "kwargs": {"column": "gone"}},
        document["expectations"][0],
    ]
    path.write_text(json.dumps(document), encoding="utf-8")
    insert(tickets, "stage.tickets", GOOD | {"owner": f"G'{SECRET}\" x"})
    result = gate(tickets)
    assert [check.result for check in result.checks] == ["error", "error", "passed"]
    assert result.checks[0].details
    assert '"gone"' in result.checks[1].details
    assert SECRET not in shown(result) + repr(result) + "".join(capfd.readouterr())


def test_a_missing_table_is_an_error_of_that_table_only(tickets: Project) -> None:
    tickets.sql("drop table stage.tickets")
    result = gate(tickets)
    (check,) = result.checks
    assert (check.result, check.table, check.details) == (
        "error",
        "tickets",
        "stage.tickets is missing or not readable",
    )


def test_the_warehouse_can_be_written_again_after_a_gate(tickets: Project) -> None:
    assert gate(tickets).passed
    insert(tickets, "stage.tickets", GOOD)
    assert tickets.sql("select count(*) from stage.tickets") == [(1,)]


def test_failures_come_first_and_what_passed_is_one_line_per_table(tickets: Project) -> None:
    insert(tickets, "stage.tickets", GOOD | {"state": "old"})
    result = gate(tickets)
    brief = [line for line in shown(result, verbose=False).splitlines() if "tickets" in line]
    skipped = result.count("skipped")
    assert len(brief) == 2 + skipped
    assert brief[0].split()[0] == "failed"
    assert f"{len(result.checks) - 1 - skipped} of {len(result.checks)} checks" in brief[-1]
    full = [line for line in shown(result).splitlines() if "tickets" in line]
    assert len(full) == len(result.checks)


# --- one delivery before it is loaded ---------------------------------------------------------------------------


def a_contract(project: Project) -> Contract:
    return find_contract(read_contracts(project.root), "tickets")


def write_parquet(path: Path, *rows: Mapping[str, Any], without: str = "") -> Path:
    import duckdb

    types = {column.name: str(column.type) for column in a_contract_of(CONTRACT).columns} | {"_source_row": "bigint"}
    kept = {name: kind for name, kind in types.items() if name != without}
    with closing(duckdb.connect()) as connection:
        connection.execute(f"create table delivery ({', '.join(f'{name} {kind}' for name, kind in kept.items())})")
        for row in rows:
            values = [row[name] for name in kept]
            connection.execute(f"insert into delivery values ({', '.join('?' * len(values))})", values)
        connection.execute("copy delivery to '{}' (format parquet)".format(path.as_posix().replace("'", "''")))
    return path


def a_contract_of(text: str) -> Contract:
    ((name, fields),) = yaml.safe_load(text)["datasets"].items()
    return Contract.model_validate({"name": name, **fields})


@pytest.fixture
def tickets_folder(new_project: Callable[..., Project]) -> Project:
    project = new_project("duckdb")
    (project.root / "datasets_config.yml").write_text(CONTRACT, encoding="utf-8")
    derive(project.root, read_contracts(project.root))
    return project


def test_the_stage_suite_judges_a_parquet_file_too(tickets_folder: Project) -> None:
    path = write_parquet(tickets_folder.root / "it's 100% :x.parquet", GOOD, GOOD | {"number": 2})
    result = run_parquet_gate(tickets_folder.root, a_contract(tickets_folder), path, "2025-02")
    assert result.passed
    assert len(result.checks) == len(suite(tickets_folder, "stage", "tickets")["expectations"])
    early = run_parquet_gate(tickets_folder.root, a_contract(tickets_folder), path, "2025-01")
    assert list(broken(early)) == ["opened_on is not after its period", "closed_at is not after its period"]


def test_a_bad_parquet_file_is_refused_with_the_row_in_its_source(tickets_folder: Project) -> None:
    bad = GOOD | {"number": 2, "code": "no", "_source_row": 77, "owner": SECRET}
    path = write_parquet(tickets_folder.root / "bad.parquet", GOOD, bad)
    result = run_parquet_gate(tickets_folder.root, a_contract(tickets_folder), path, "2025-02")
    (details,) = broken(result).values()
    assert details == "1 row, e.g. _data_period=2025-02, office=ABC, code=no, _source_row=77"


def test_a_column_that_the_file_lacks_is_null(tickets_folder: Project) -> None:
    path = write_parquet(tickets_folder.root / "old.parquet", GOOD, without="state")
    assert run_parquet_gate(tickets_folder.root, a_contract(tickets_folder), path, "2025-02").passed
    path = write_parquet(tickets_folder.root / "older.parquet", GOOD, without="owner")
    result = run_parquet_gate(tickets_folder.root, a_contract(tickets_folder), path, "2025-02")
    assert broken(result) == {"owner is filled": "1 of 1 row without a value"}


LAZY = """
import sys
from pathlib import Path
from loader.contracts import read_contracts
from loader.gates import run_parquet_gate

root, parquet = Path(sys.argv[1]), Path(sys.argv[2])
result = run_parquet_gate(root, read_contracts(root).get("tickets"), parquet, "2025-02")
print(*(f"{check.result}: {check.check} {check.details}" for check in result.checks[-1:]))
print(*sorted({"altair.vegalite", "scipy.stats._stats_py"} & set(sys.modules)))
"""


def test_what_few_expectations_need_is_loaded_for_them_only(tickets_folder: Project) -> None:
    """Of altair and scipy.stats there is nothing in the process until an expectation uses them, and then it can."""
    project = tickets_folder
    path = write_parquet(project.root / "tickets.parquet", GOOD, GOOD | {"number": 2, "state": "100 %"})

    def gated() -> list[str]:
        command = [sys.executable, "-c", LAZY, str(project.root), str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
        return result.stdout.splitlines()

    verdict, loaded = gated()
    assert (verdict.partition(":")[0], loaded) == ("passed", "")
    suite_file = project.root / "gx/expectations/stage/tickets.json"
    result = suite(project, "stage", "tickets")
    shares = {"values": ["it's new", "100 %"], "weights": [0.9, 0.1]}
    kwargs = {"column": "state", "partition_object": shares, "threshold": 0.1}
    result["expectations"].append({"type": "expect_column_kl_divergence_to_be_less_than", "kwargs": kwargs})
    suite_file.write_text(json.dumps(result), encoding="utf-8")
    verdict, loaded = gated()
    # half and half where nine to one is expected: (ln(0.5 / 0.9) + ln(0.5 / 0.1)) / 2
    assert verdict.startswith("failed: state expect_column_kl_divergence_to_be_less_than found 0.51")
    assert loaded == "scipy.stats._stats_py"


# --- wrong usage ------------------------------------------------------------------------------------------------


def test_what_cannot_be_gated_is_said_in_one_line(tickets_folder: Project) -> None:
    project = tickets_folder
    with pytest.raises(EnvironmentFailedError, match=r"the gate cannot read the warehouse: .*does not exist") as caught:
        gate(project)
    assert "\n" not in str(caught.value)
    with pytest.raises(EnvironmentFailedError, match=r"nothing\.parquet: .*No files found"):
        run_parquet_gate(project.root, a_contract(project), project.root / "nothing.parquet", "2025-02")
    with pytest.raises(UsageError, match="'land' is not a valid layer; layers are stage, core, mart"):
        gate(project, "land")
    with pytest.raises(UsageError, match="no suite for people; stage suites are made by `loader derive`"):
        gate(project, "stage", ["people"])
    path = project.root / "gx/expectations/stage/tickets.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"tickets\.json: is not a valid suite"):
        gate(project)
