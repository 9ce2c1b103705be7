"""What a query shows, traced through its columns: nothing that comes from a personal one, and all that does not."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.gates.columns import Output, UntraceableError
from loader.gates.lineage import outputs
from tests.support.effort import effort
from tests.support.queries import COLUMNS, PERSONAL, PLAIN, WORDS, Drawn, Queries

TABLE = "mart.people"
MARK = "zqxv"


def tables(parts: Sequence[str]) -> list[Output] | None:
    return [Output(name, name in PERSONAL) for name in COLUMNS] if [*parts][-2:] == ["mart", "people"] else None


def hidden(query: str, result: Sequence[str], grammar: str) -> set[str]:
    try:
        return outputs(query, grammar, tables).hidden(result)
    except UntraceableError:
        return {*result}


@pytest.fixture(scope="module")
def people() -> duckdb.DuckDBPyConnection:
    """Persons whose names are found wherever they come out."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("create schema mart")
    columns = ", ".join(f"{name} varchar" for name in COLUMNS)
    connection.execute(f"create table {TABLE} ({columns})")
    for number, city in enumerate(("Dresden", "Leipzig")):
        connection.execute(f"insert into {TABLE} values ('{MARK}{number}', 'n{MARK}', '{city}', 'T{number}')")
    return connection


@settings(max_examples=effort(150, 20_000))
@given(data=st.data())
def test_no_query_shows_what_is_personal(people: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    """DuckDB runs the query, and tells where a name came out; the others say the same in their own words."""
    drawn = Drawn(lambda options: data.draw(st.sampled_from(options)))
    query, _ = Queries(drawn, WORDS[0], TABLE).query()
    answer = people.execute(query)
    result = [column[0] for column in answer.description or ()]
    rows = answer.fetchall()
    out = {name for row in rows for name, value in zip(result, row, strict=True) if MARK in str(value).lower()}
    for words in WORDS:
        same, _ = Queries(drawn.again(), words, TABLE).query()
        assert out <= hidden(same, result, words.grammar), same


@settings(max_examples=effort(100, 5_000))
@given(data=st.data())
def test_every_query_shows_what_is_not_personal(people: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    drawn = Drawn(lambda options: data.draw(st.sampled_from(options)))
    for words in WORDS:
        query, names = Queries(drawn.again(), words, TABLE, PLAIN).query()
        assert hidden(query, names, words.grammar) == set(), query
    people.execute(Queries(drawn.again(), WORDS[0], TABLE, PLAIN).query()[0])


def shown(query: str, result: str, out: str, grammars: str = "duckdb postgres tsql") -> list[tuple[str, str, str, str]]:
    return [(grammar, query, result, out) for grammar in grammars.split()]


SHAPES = [
    *shown("select name, city from T", "name city", "name"),
    *shown("select NAME, City from T", "NAME City", "NAME"),
    *shown("select city, count(*) as copies from T group by name, city", "city copies", ""),
    *shown("select city, count(*) from T group by city", "city count_star()", ""),
    *shown("select count(distinct name) copies from T", "copies", ""),
    *shown("select max(name) copies from T", "copies", "copies"),
    *shown("select max(name) from T", "max", "max"),
    *shown("select x.city as c from T as x", "c", ""),
    *shown("select p.city from (select substring(name, 1, 2) as x, city from T) p", "city", ""),
    *shown("select case when name is null then city end as c from T", "c", "c"),
    *shown("with c(city) as (select name from T) select city from c", "city", "city"),
    *shown("select name as city, city as name from T", "city name", "city name"),
    *shown("select city from T where exists (select 1 from T as s where s.name = 'x')", "city", ""),
    *shown("select city from core.others", "city", "city"),
    *shown("select city from people", "city", "city"),
    *shown("select nonsense(city) as c from T", "c", "c"),
    *shown("select city from T; select name from T", "city", "city"),
    *shown("select city city from", "city", "city"),
    *shown("delete from T", "city", "city"),
    *shown("select * from T", "name nick city town", "name nick"),
    *shown("select * from T", "name nick city town more", "name nick more"),
    *shown("select * from T as a join T as b on a.city = b.city", "name nick city town", "name nick"),
    *shown("select * from T as a join T as b using (city)", "name nick city town", "name nick", "duckdb postgres"),
    *shown("select a.city from T as a left join T as b on a.name = b.name", "city", ""),
    *shown("select z.k from T as a cross apply (select a.name as k) as z", "k", "k", "tsql"),
    *shown("select city = name, c = city from T", "city c", "city c", "tsql"),
    *shown("select top 3 city, name from T with (nolock)", "city name", "name", "tsql"),
    *shown("select city from T for json auto", "json", "json", "tsql"),
    *shown("select @name as c", "c", "c", "tsql"),
    *shown("select name(b), city(b) from T b", "name city", "name city", "postgres"),
    *shown("select (b).name from T b", "name", "name", "postgres"),
    *shown("select b from T b", "b", "b", "duckdb postgres"),
    *shown(
        "select md5(convert_to(city, 'UTF8')) as c, md5(convert_to(name, 'UTF8')) as d from T", "c d", "d", "postgres"
    ),
    *shown("select to_jsonb(b) as c from T b", "c", "c", "postgres"),
    *shown("select query_to_xml('select name from b', true, true, '') as c", "c", "c", "postgres"),
    *shown("table T", "name nick city town", "name nick", "postgres"),
    *shown("select l.n from T as a, lateral (select a.name as n) as l", "n", "n", "postgres"),
    *shown("select d, city from T, generate_series(1, 2) as d", "d city", "", "postgres"),
    *shown("from T", "name nick city town", "name nick", "duckdb"),
    *shown("from T select city", "city", "", "duckdb"),
    *shown("select name as x, x as y, city as z from T", "x y z", "x y", "duckdb"),
    *shown("select city: name from T", "city", "city", "duckdb"),
    *shown("select * exclude (name, nick) from T", "city town", "", "duckdb"),
    *shown("select * replace (nick as city) from T", "name nick city town", "name nick city", "duckdb"),
    *shown("select * rename (name as c) from T", "c nick city town", "c nick", "duckdb"),
    *shown("select columns('n.*') from T", "name nick", "name nick", "duckdb"),
    *shown("select columns('c.*') from T", "city", "city", "duckdb"),
    *shown("select #1 from T", "name", "name", "duckdb"),
    *shown("select unnest(b) from T b", "name nick city town", "name nick city town", "duckdb"),
    *shown("select list_transform([city], c -> c || name) as l from T", "l", "l", "duckdb"),
    *shown("select city from T union by name select name as city from T", "city", "city", "duckdb"),
    *shown("summarize T", "min", "min", "duckdb"),
    *shown("pivot T on name using count(*)", "city zqxv0", "city zqxv0", "duckdb"),
    *shown("select city from read_parquet('people.parquet')", "city", "city", "duckdb"),
]


@pytest.mark.parametrize(("grammar", "query", "result", "out"), SHAPES)
def test_what_a_query_may_show(grammar: str, query: str, result: str, out: str) -> None:
    asked = query.replace(" T", f" {TABLE}")
    assert hidden(asked, result.split(), grammar) == set(out.split())


def test_without_doubt_only_what_is_known_is_personal() -> None:
    """No suite has to name columns of which nothing is known, such as those of a table that dbt has not compiled."""

    def tables(parts: Sequence[str]) -> Sequence[Output] | None:
        return [Output("name", personal=True), Output("city", personal=False)] if parts[-1] == "people" else None

    sql = (
        "select people.name as a, people.city as b, other.x as c, odd(people.city) as d, odd(people.name) as e, "
        "nobody.y as f from people inner join other on people.city = other.city"
    )
    for doubt, personal in ((True, "acdef"), (False, "ae")):
        found = outputs(sql, "duckdb", tables, doubt=doubt).columns
        assert "".join(one.name for one in found if one.personal) == personal
