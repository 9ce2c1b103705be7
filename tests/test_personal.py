"""`personal: true`: values are in stage, core, mart, the archive, the rejects and the landed files, and nowhere else.

Everything that can go wrong with a delivery goes wrong here, with values that are found wherever they may be written.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loader.disclosure import without_values
from loader.files import sha256_of
from loader.project import Project as LoaderProject
from loader.reports.site.data_docs import write_data_docs
from loader.warehouse.engines.registry import engine_class
from tests.conftest import Project
from tests.support import club
from tests.support.club import deliver, expect, member, visit
from tests.support.effort import effort
from tests.support.engines import Engine
from tests.support.queries import WORDS, Queries
from tests.support.shop import prepared

NUMBER, NAME, RANK, WRONG = "66600999", "Zqxvname", "Zqxvrank", "Zqxvwrong"
BORN, FEE = "11.11.1911", "73313.37"
MARKERS = (NUMBER, "Zqxv", BORN, "1911-11-11", "73313", "66600998")
PERSON = member(66600999, name=NAME, rank=RANK, born=BORN, fee=FEE)
OTHERS = [member(number) for number in range(1, 6)]
SHAPES = effort(15, 300)
HOME = ("data/landing/", "data/stage/cleaned/", "data/stage/rejects/", "data/warehouse.duckdb")
"""Where values may be."""


class Ear:
    """Runs commands and keeps what they say."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.heard: list[str] = []

    def __call__(self, *args: object, exit_code: int | None = None) -> str:
        done = self.project.loader(*args)
        assert exit_code is None or done.exit_code == exit_code, done.output
        assert "Traceback" not in done.output
        self.heard.append(f"$ loader {args[0]}\n{done.output}")
        return done.output

    def assert_nothing_personal(self) -> None:
        for text in self.heard:
            assert found_in(text) == [], text
        for path in self.project.root.rglob("*"):
            name = path.relative_to(self.project.root).as_posix()
            if path.is_file() and not name.startswith(HOME):
                assert found_in(path.read_bytes().decode("utf-8", "replace")) == [], name
        for schema, table in self.project.sql("select table_schema, table_name from information_schema.tables"):
            if schema not in ("stage", "core", "mart", "pg_catalog", "information_schema"):
                assert found_in(repr(self.project.sql(f"select * from {schema}.{table}"))) == [], f"{schema}.{table}"


def found_in(text: str) -> list[str]:
    return [marker for marker in MARKERS if re.search(_alone(marker) if marker.isdigit() else re.escape(marker), text)]


def _alone(figures: str) -> str:
    """Figures that are not part of a longer number or a hash: dbt writes down both, times to the microsecond."""
    return rf"(?<![0-9a-f]){figures}(?![0-9a-f])"


@pytest.fixture
def ear(engine: Engine, new_project: Callable[..., Project]) -> Ear:
    return Ear(prepared(new_project, engine, club.open_club))


def people(*rows: dict[str, str]) -> list[dict[str, str]]:
    return [*OTHERS, *rows]


@pytest.mark.slow
def test_deliveries_that_are_refused_or_rejected(ear: Ear) -> None:
    project = ear.project

    commands = itertools.cycle([["load"], ["load", "--json"], ["load", "--force"]])

    def say(rows: Iterable[dict[str, str]], **options: Any) -> None:
        path = deliver(project, "members", "2025-01", [*rows], **options)
        ear("plan", path)
        ear(*next(commands))

    say(people(PERSON))  # the first goes well
    say(people({**PERSON, "name": "Zqxvother", "fee": "73313.38"}))
    say([{**PERSON, "member_no": "66600998", "name": f"Zqxv{number}"} for number in range(3)])  # one key thrice
    say([{**PERSON, "member_no": f"6660099{number}"} for number in range(9)])  # the guard
    say([{**PERSON, "name": WRONG * 9}])
    say([{**PERSON, column: WRONG} for column in PERSON])
    say([{**PERSON, "joined": "1900-02-02"}])  # the rule across columns
    say([PERSON, {**PERSON, "born": "01.01.1899", "fee": "-73313.37"}])
    say([PERSON], header=list(PERSON.values()))  # data in the place of the header
    say([PERSON], header=["member_no", *[*PERSON.values()][1:]])
    say([PERSON], header=["member_no", "name", "born", *[*PERSON.values()][3:]])
    say([{**PERSON, "name": 'Zqxv"\n"broken'}, {**PERSON, "name": "Zqxv\0null"}])
    path = deliver(project, "members", "2025-01", people(PERSON))
    ear("plan", path, "--json")
    for content in (
        path.read_text(encoding="utf-8") + f'{NUMBER},"{NAME}',
        path.read_text(encoding="utf-8") + f"{NUMBER},{NAME}\n{NUMBER};{NAME};{BORN}\n",
        path.read_text(encoding="utf-8").encode().replace(b"Zqxv", b"Zqxv\xff"),
        f"member_no,name,born,fee,rank,city,joined,\n{NUMBER},{NAME},{BORN},{FEE},{RANK},Dresden,2010-01-01,Zqxv\n",
    ):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        ear("plan", path)
        ear("load")
    for command in ("status", "status --json", "versions --dataset members", "versions --dataset members --json"):
        ear(*command.split())
    ear.assert_nothing_personal()
    rejects = [path.read_bytes().decode("utf-8-sig") for path in (project.root / "data/stage/rejects").glob("*.csv")]
    assert any(WRONG in text for text in rejects)


def test_an_archive_that_does_not_fit_any_more(ear: Ear) -> None:
    project = ear.project
    for order, rows in enumerate((people(PERSON), people({**PERSON, "name": "Zqxvother"})), start=1):
        deliver(project, "members", "2025-01", rows, order=order)
        ear("load", exit_code=0)
    first, second = (project.root / "data/stage/cleaned" / name for (name,) in project.sql(
        "select parquet_path from meta.dataset_version order by version_no"))  # fmt: skip
    table = pq.read_table(first)
    words = pa.array([f"Zqxv{number}" for number in range(len(table))])
    pq.write_table(table.set_column(table.schema.get_field_index("fee"), "fee", words), first)
    ear("rollback", "--dataset", "members", "--period", "2025-01", exit_code=1)
    # of the same hash as meta has, so that the database itself finds the fault
    project.sql(f"update meta.dataset_version set parquet_sha256 = '{sha256_of(first)}' where version_no = 1")
    project.sql(f"update meta.validation_log set parquet_sha256 = '{sha256_of(first)}' where validation_id = 1")
    ear("rollback", "--dataset", "members", "--period", "2025-01", exit_code=1)
    ear("load-stage", "--file-id", 1, "--force", exit_code=1)
    deliver(project, "members", "2025-01", people(PERSON, member(7)), order=3)
    ear("rollback", "--dataset", "members", "--period", "2025-01", "--to", 0, exit_code=0)
    second.write_bytes(NAME.encode())
    ear("rollback", "--dataset", "members", "--period", "2025-01", "--to", 2, exit_code=1)
    project.sql(f"update meta.dataset_version set parquet_sha256 = '{sha256_of(second)}' where version_no = 2")
    ear("rollback", "--dataset", "members", "--period", "2025-01", "--to", 2)
    ear("load")
    ear.assert_nothing_personal()


def failing(column: str, least: str | None) -> list[dict[str, object]]:
    """Expectations of every shape that a table with a person breaks."""
    bounds = ("expect_column_max_to_be_between", "expect_column_min_to_be_between") if least else ()
    about = (
        ("expect_column_values_to_be_null", {"column": column}),
        ("expect_column_values_to_be_in_set", {"column": column, "value_set": ["nobody"]}),
        ("expect_column_distinct_values_to_be_in_set", {"column": column, "value_set": ["nobody"]}),
        ("expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": ["nobody"]}),
        ("expect_column_pair_values_to_be_equal", {"column_A": "city", "column_B": column}),
        ("expect_select_column_values_to_be_unique_within_record", {"column_list": [column, column]}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["city", column]}),
        *((bound, {"column": column, "max_value": least}) for bound in bounds),
    )
    queries = (
        f"select {column} from {{batch}}",
        "select * from {batch}",
        f"select max({column}) as most, upper(cast({column} as varchar(30))) as t from {{batch}} group by {column}",
        f"select upper(cast({column} as varchar(30))) t from {{batch}}",
        f"select u as v, w from (select {column} as u, concat({column}, 'x') as w from {{batch}}) as inner_rows",
        "select b from {batch} as b",
        f"select city from {{batch}} where cast({column} as integer) = 1",
        f"select city from {{batch}} where cast(cast({column} as varchar(30)) as date) is null",
        "select city from {batch} where cast(cast(fee as integer) as smallint) > 1 or fee * 1e38 * 1e300 > 1",
    )
    asked = ({"unexpected_rows_query": query} for query in queries)
    return [
        *({"type": kind, "kwargs": kwargs} for kind, kwargs in about),
        *({"type": "unexpected_rows_expectation", "kwargs": kwargs} for kwargs in asked),
    ]


def of_every_shape(project: Project) -> list[dict[str, object]]:
    """Queries that nobody thought of, in the words of the engine; tests/gates/test_lineage.py tries many more."""
    (words,) = (words for words in WORDS if words.grammar == engine_class(project.engine.name).grammar)
    readable = ("name", "rank", "city")
    queries = [Queries(random.Random(seed).choice, words, "{batch}", readable).query()[0] for seed in range(SHAPES)]
    return [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": one}} for one in queries]


@pytest.mark.slow
def test_failing_gates_of_each_layer(ear: Ear) -> None:
    project = ear.project
    deliver(project, "members", "2025-01", people(PERSON))
    deliver(project, "visits", "2025-01", [visit(1, 66600999, last_on="1911-11-11")])
    ear("load", exit_code=0)
    ear("build", exit_code=0)
    for table in ("stage.members", "core.members", "mart.fct_member"):
        expect(project, table, *failing("name", None), *failing("born", "1900-01-01"))
    expect(project, "mart.dim_member", *failing("member_no", None), *failing("fee", "1"), *of_every_shape(project))
    for layer in ("stage", "core", "mart"):
        assert "failed" in ear("gate", layer, exit_code=1)
    deliver(project, "members", "2025-02", people(PERSON))
    ear("run", "--json", exit_code=1)  # the suite judges a delivery too
    write_data_docs(LoaderProject.open(project.root), project.root / "target/docs/gx")
    ear.assert_nothing_personal()
    (output,) = [text for text in ear.heard if "mart gate" in text]
    for shown in ("found ***", "values are personal and not shown", "member_no=***", "most=***", "t=***", "v=***"):
        assert shown in output


def test_a_personal_column_is_known_by_any_name(ear: Ear) -> None:
    """A model calls it as it likes; what nothing is known of, and what a yml calls personal, is hidden too."""
    project = ear.project
    models = project.root / "dbt_project/models/marts"
    (models / "dim_member.sql").write_text(
        "with all_of_them as (select city, concat(upper(name), '.') as called, rank as place from {{ ref('members') }})"
        " select city, called, place, count(*) as members from all_of_them group by city, called, place",
        encoding="utf-8",
    )
    said = "version: 2\nmodels:\n  - name: dim_member\n    columns:\n"
    said += "      - {name: place, config: {meta: {personal: false}}}\n"
    (models / "dim_member.yml").write_text(said, encoding="utf-8")
    deliver(project, "members", "2025-01", [*OTHERS, {**PERSON, "rank": "first"}])
    ear("load", exit_code=0)
    ear("build", exit_code=0)
    query = {
        "unexpected_rows_query": "select city as c, called as d, place, members from {batch} where place = 'first'"
    }
    asked = (
        {"type": "unexpected_rows_expectation", "kwargs": query},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "called", "value_set": ["nobody"]}},
    )
    expect(project, "mart.dim_member", *asked)
    output = ear("gate", "mart", exit_code=1)

    assert "c=Leipzig, d=***, place=first, members=1" in output
    assert "values are personal and not shown" in output
    assert "gx/expectations/mart/dim_member.json: `meta: {personal: […]}` lacks called" in ear("derive", "--check")
    expect(project, "mart.dim_member", *asked, personal=["called"])
    assert "dim_member.json" not in ear("derive", "--check")
    shutil.rmtree(project.root / "target")
    output = ear("gate", "mart", exit_code=1)
    assert "c=***, d=***, place=***, members=***" in output
    ear.assert_nothing_personal()


@pytest.mark.slow
def test_dbt_that_fails_on_a_value(ear: Ear) -> None:
    project = ear.project
    models = project.root / "dbt_project/models/marts"
    (models / "_models.yml").write_text(
        """
version: 2
models:
  - name: dim_member
    columns:
      - {name: name, data_tests: [{accepted_values: {arguments: {values: [nobody]}}}]}
      - {name: rank, data_tests: [{accepted_values: {arguments: {values: [nobody]}, config: {severity: warn}}}]}
  - name: fct_member
    columns:
      - {name: member_no, data_tests: [unique]}
""",
        encoding="utf-8",
    )
    for period in ("2025-01", "2025-02"):
        deliver(project, "members", period, people(PERSON))
    ear("load", exit_code=0)
    assert "Got 6 results, configured to fail if != 0" in ear("build", exit_code=1)
    ear.assert_nothing_personal()
    (models / "_models.yml").unlink()
    for cast in ("cast(name as integer)", "cast(fee as smallint)", "cast(rank as date)"):
        (models / "agg_member.sql").write_text(
            f"select {cast} as number from {{{{ ref('dim_member') }}}}", encoding="utf-8"
        )
        output = ear("build", exit_code=1)
        assert "model agg_member: " in output
        ear.assert_nothing_personal()


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ('relation "core.members" does not exist', 'relation "core.members" does not exist'),
        ('(psycopg2.errors.UndefinedColumn) column "name" does not exist', 'column "name" does not exist'),
        ('invalid input syntax for type integer: "Zqxv"', "invalid input syntax for type integer: …"),
        ("Could not convert string 'Zqxv' to INT32", "Could not convert string …"),
        ("Could not convert string 'Zqxv", "Could not convert string …"),
        ("Failed to cast decimal value 73313 to type INT16", "Failed to cast decimal value …"),
        ("Overflow in addition of INT32 (1 + 73313)!", "Overflow in addition of INT32 …"),
        ('null in column "name" DETAIL: row (Zqxv, Dresden)', 'null in column "name" DETAIL: row …'),
        ("the sum of 1 and 2", "the sum of 1 and …"),
    ],
)  # fmt: skip
def test_what_a_database_says_is_told_without_values(message: str, masked: str) -> None:
    assert without_values(message, ["core.members", "name", "1"]) == masked
