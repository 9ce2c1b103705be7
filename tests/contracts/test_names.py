"""Names of datasets and columns: no word that an engine reserves, and every other word works without quotes."""

from __future__ import annotations

from sqlalchemy.dialects.mssql.base import RESERVED_WORDS

from loader.contracts import RESERVED, reserved
from tests.conftest import Project
from tests.support.engines import Engine

RESERVED_BY = {"duckdb": reserved.DUCKDB, "postgres": reserved.POSTGRES, "sqlserver": reserved.SQLSERVER}
KEYWORDS = {
    # a word of two categories is a name where one of them makes it one
    "duckdb": """
        select keyword_name, bool_and(keyword_category in ('reserved', 'type_function'))
        from duckdb_keywords() group by keyword_name
    """,
    "postgres": "select word, catcode in ('R', 'T') from pg_get_keywords()",
}


def keywords(project: Project, engine: Engine) -> list[tuple[str, bool]]:
    """The words of an engine, and whether each is reserved; of SQL Server, which lists none, those of SQLAlchemy."""
    if engine.name not in KEYWORDS:
        return [(word, True) for word in RESERVED_WORDS]
    return [(word, is_reserved) for word, is_reserved in project.sql(KEYWORDS[engine.name])]


def test_what_the_engine_reserves_is_no_name(project: Project, engine: Engine) -> None:
    assert {word for word, is_reserved in keywords(project, engine) if is_reserved} <= RESERVED_BY[engine.name]


def test_every_other_word_works_without_quotes(project: Project, engine: Engine) -> None:
    words = sorted({"state", "name", "date", "time", "value", "type", "year", "month", "day", "zone", "city", "text"})
    words += sorted({word for word, _ in keywords(project, engine)} - RESERVED - {*words})
    assert not RESERVED & {*words}
    given = ", ".join(f"1 as {word}" for word in words)
    asked = ", ".join(f"coalesce({word}, 0) as {word}, max(given.{word})" for word in words)
    grouped = ", ".join(words)
    project.sql(f"with given as (select {given}) select {asked} from given group by {grouped}")


def test_columns_of_the_system_are_no_names(project: Project, engine: Engine) -> None:
    if engine.name == "postgres":
        query = "select attname from pg_attribute where attnum < 0 and attrelid = 'pg_class'::regclass"
        assert {name for (name,) in project.sql(query)} == reserved.SYSTEM_COLUMNS
    assert reserved.SYSTEM_COLUMNS <= RESERVED
