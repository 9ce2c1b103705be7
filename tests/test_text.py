"""How texts are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy

from loader.text import first_line, first_lines, listed, number, plural, sql_text, unbound


def test_the_first_line_of_an_error() -> None:
    assert first_line(ValueError("\n  what\nwhere")) == "what"
    assert first_line(ValueError()) == "ValueError"
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError) as caught, sqlalchemy.create_engine("duckdb://").begin() as here:
        here.exec_driver_sql("select * from nowhere")
    assert first_line(caught.value) == "Catalog Error: Table with name nowhere does not exist!"


def test_first_lines_leave_out_blank_ones() -> None:
    assert first_lines("\na\n \n b\nc", 2) == ["a", "b"]
    assert first_lines("") == []


def test_what_a_list_does_not_show_is_not_made_text() -> None:
    class Silent:
        def __str__(self) -> str:
            raise AssertionError

    assert listed([1, 2, *[Silent()] * 3], 2) == "1, 2 and 3 more"


def test_lists_and_numbers() -> None:
    assert [listed([]), listed("ab"), listed("abc", 2), listed("abc", 3)] == [
        "none",
        "a, b",
        "a, b and 1 more",
        "a, b, c",
    ]
    assert [plural(1, "row"), plural(0, "row"), plural(2000, "row")] == ["1 row", "0 rows", "2,000 rows"]
    assert [number(None), number(1234), number(Decimal("1234.50")), number(1 / 3), number("a")] == [
        "", "1,234", "1,234.50", "0.3333", "a",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["it's", ":name ::text 12:30 C:/", "''", "back\\slash"])
def test_the_database_reads_a_literal_as_it_was(value: str) -> None:
    with sqlalchemy.create_engine("duckdb://").begin() as here:
        assert here.execute(sqlalchemy.text(unbound(f"select {sql_text(value)}"))).scalar_one() == value
