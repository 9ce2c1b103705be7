"""Stage holds every value as the archive has it, on every engine."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import Project
from tests.support.deliveries import write_csv
from tests.support.effort import effort
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, stage

THINGS = r"""
datasets:
  things:
    title: Things
    description: A column of every type.
    file_name: 'things_(?P<period>\d{4}-\d{2})\.csv'
    format: {type: csv}
    grain: month
    kind: full
    key: number
    columns:
      number: {type: integer, description: Number of the thing., required: true}
      words: {type: varchar(400), description: Any text.}
      letter: {type: varchar(1), description: One letter.}
      pieces: {type: bigint, description: A large number.}
      price: {type: 'decimal(8,2)', description: A price.}
      amount: {type: 'decimal(38,10)', description: As many digits as there can be.}
      share: {type: 'decimal(38,38)', description: All of them behind the point.}
      digit: {type: 'decimal(1,0)', description: One digit.}
      ratio: {type: double, description: A number with a floating point.}
      is_sold: {type: boolean, description: Whether it is sold.}
      sold_on: {type: date, description: A day.}
      seen_at: {type: timestamp, description: A moment.}
      opens_at: {type: time, description: A time of day.}
"""
COLUMNS = ["number", "words", "letter", "pieces", "price", "amount", "share", "digit", "ratio"]
COLUMNS += ["is_sold", "sold_on", "seen_at", "opens_at"]
Thing = tuple[Any, ...]


def decimal(digits: int, scale: int) -> Decimal:
    return Decimal(digits).scaleb(-scale, Context(prec=38))


NINES = 10**38 - 1
LAST_MOMENT = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)
LARGEST: Thing = (
    *(2**31 - 1, "ÿ€" * 200, "\uffee", 2**63 - 1),
    *(decimal(99_999_999, 2), decimal(NINES, 10), decimal(NINES, 38), Decimal(9)),
    *(1.7976931348623157e308, True, LAST_MOMENT.date(), LAST_MOMENT, LAST_MOMENT.time()),
)
SMALLEST: Thing = (
    *(-(2**31), "", "'", -(2**63)),
    *(decimal(-99_999_999, 2), decimal(-NINES, 10), decimal(-NINES, 38), Decimal(-9)),
    *(-1.7976931348623157e308, False, dt.date(1, 1, 1), dt.datetime(1, 1, 1), dt.time()),
)
NEXT_TO_NOTHING: Thing = (
    *(1, " ", ",", 0),
    *(decimal(-1, 2), decimal(1, 10), decimal(1, 38), Decimal(0)),
    *(
        2.2250738585072014e-308,
        False,
        dt.date(1999, 12, 31),
        dt.datetime(1999, 12, 31, 23, 59, 59, 999_999),
        dt.time(0, 0, 0, 1),
    ),
)
NOTHING: Thing = (0, *[None] * 12)
AWKWARD = [
    "\\N",
    "\\.",
    "NULL",
    "a,b;c\td",
    '"',
    '""',
    "it's",
    "a\nb",
    "a\r\nb",
    "a\\nb",
    "e\u0301",
    "👩🏽‍🌾",
    "\ufeff",
    "\x7f",
]


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    highest = 10**precision - 1
    return st.integers(-highest, highest).map(lambda digits: decimal(digits, scale))


def _text(**more: Any) -> st.SearchStrategy[str]:
    return st.characters(codec="utf-8", exclude_characters="\0", **more)


VALUES = (
    st.sampled_from(AWKWARD) | st.text(_text(), max_size=100),
    _text(max_codepoint=0xFFFF),
    st.integers(-(2**63), 2**63 - 1),
    *(_decimals(*size) for size in ((8, 2), (38, 10), (38, 38), (1, 0))),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).map(lambda number: number + 0.0),
    st.booleans(),
    st.dates(),
    st.datetimes().map(lambda moment: moment.replace(fold=0)),
    st.times().map(lambda time: time.replace(fold=0)),
)
"""Of each column but the first. No -0.0, which some engines call 0."""
some_things = st.lists(
    st.tuples(st.integers(-(2**31), 2**31 - 1), *(st.none() | values for values in VALUES)),
    max_size=20,
    unique_by=lambda thing: thing[0],
)


def open_things(project: Project) -> None:
    """A delivery of things that waits to be loaded."""
    open_shop(project, THINGS)
    path = write_csv(project.landing / "things_2025-01.csv", [NOTHING], header=COLUMNS)
    for command in ("ingest", "validate"):
        result = project.loader(command, "--file-path", path)
        assert result.exit_code == 0, result.output


@pytest.fixture
def project(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_things)


@settings(max_examples=effort(10, 100), deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(things=some_things)
@example(things=[LARGEST, SMALLEST, NEXT_TO_NOTHING, NOTHING])
@example(things=[(number, text, *NOTHING[2:]) for number, text in enumerate(["", None, *AWKWARD])])
def test_stage_has_the_values_of_the_archive(project: Project, things: list[Thing]) -> None:
    """Whatever can be said in a type; an empty text is not NULL."""
    archive(project, things)
    result = project.loader("load-stage", "--dataset", "things", "--force")
    assert result.exit_code == 0, result.output
    found = project.sql(f"select {', '.join(COLUMNS)} from stage.things order by number")
    assert list(map(repr, found)) == [repr(thing) for thing in sorted(things, key=lambda thing: thing[0])]


def archive(project: Project, things: list[Thing]) -> None:
    """Put other rows into the archived file, so that nobody can tell from its hash."""
    ((name,),) = project.sql("select parquet_path from meta.validation_log")
    path = project.root / "data" / "stage" / "cleaned" / name
    rows = [dict(zip(COLUMNS, thing, strict=True)) for thing in things]
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(path)), path, row_group_size=7)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    project.sql(f"update meta.validation_log set parquet_sha256 = '{sha256}'")


def test_a_database_of_another_encoding_holds_what_it_can(engine: Engine, new_project: Callable[..., Project]) -> None:
    if engine.name != "postgres":
        pytest.skip("only a database of PostgreSQL has an encoding")
    project = new_project(engine)
    server = {**project.profile_output, "dbname": "postgres"}
    name = project.profile_output["dbname"]
    project.engine.query(server, f"drop database {name}")
    project.engine.query(server, f"create database {name} template template0 encoding latin1 locale 'C'")
    open_shop(project)
    deliver(project, "2025-01", products({"sku": "P1", "name": "Müsli für Noël"}))
    load(project)
    assert stage(project, columns=["name"]) == [("Müsli für Noël",)]
    deliver(project, "2025-01", products({"sku": "P1", "name": "3 €"}))
    assert "does not match stage.products" in load(project, "--force", refused=True)
    assert stage(project, columns=["name"]) == [("Müsli für Noël",)]
