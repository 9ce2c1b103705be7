"""What happens to a history when its rules change: tracked columns, columns of the contract, the snapshot's SQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.history.datasets import PEOPLE
from tests.history.feeding import deliver
from tests.history.oracle import Row
from tests.history.warehouse import Warehouse

SOURCES = "models/staging/_sources.yml"
SNAPSHOT, FACT = "snapshots/people.sql", "models/marts/fct_people.sql"
REDEFINED = "people: key, tracked columns, kind or SQL changed, all periods are stale"


def person(number: str, name: str, size: int | None, note: str | None = None) -> Row:
    return {"person": number, "name": name, "size": size, "born": None, "note": note}


DELIVERIES = {
    "2025-01": [person("1", "Ada", 1), person("2", "Bob", 1)],
    "2025-02": [person("1", "Ada", 2), person("2", "Bob", None, "seen")],
    "2025-03": [person("1", "Eva", 2), person("2", "Bob", 3, "heard")],
}


@pytest.fixture
def built(warehouse: Warehouse) -> Warehouse:
    """A history of three periods, built."""
    for period, rows in DELIVERIES.items():
        deliver(warehouse, PEOPLE.dataset, period, rows)
    warehouse.dbt("build", "--select", "people", "fct_people")
    return warehouse


def test_changed_tracked_columns_rebuild_history(built: Warehouse) -> None:
    built.edit(SOURCES, "tracked: [name, size, born]", "tracked: [name, note]")
    built.dbt("build", "--select", "people", "fct_people")

    by_name_and_note = replace(PEOPLE, tracked=["name", "note"])
    assert set(PEOPLE.core(built)) == by_name_and_note.expected(DELIVERIES)
    assert REDEFINED in built.messages


def test_a_column_added_later_is_null_before(built: Warehouse) -> None:
    built.execute(built.add_column("stage.people", "mail", "varchar(60)"))
    built.edit(SOURCES, "tracked: [name, size, born]", "tracked: [name, size, born, mail]")
    built.edit(SNAPSHOT, "note,", "note, mail,")
    with_mail = replace(
        PEOPLE,
        dataset=replace(PEOPLE.dataset, columns={**PEOPLE.dataset.columns, "mail": "varchar(60)"}),
        tracked=[*PEOPLE.tracked, "mail"],
    )
    april = [{**row, "mail": "ada@example.org"} for row in DELIVERIES["2025-03"]]
    deliver(built, with_mail.dataset, "2025-04", april)
    built.dbt("build", "--select", "people", "fct_people")

    before = {period: [{**row, "mail": None} for row in rows] for period, rows in DELIVERIES.items()}
    assert set(with_mail.core(built)) == with_mail.expected({**before, "2025-04": april})
    assert REDEFINED in built.messages


def test_a_column_no_longer_selected_leaves_core(built: Warehouse) -> None:
    built.edit(SOURCES, "tracked: [name, size, born]", "tracked: [name, born]")
    built.edit(SNAPSHOT, "size, ", "")
    built.edit(FACT, "    history.size,\n", "")
    built.dbt("build", "--select", "people", "fct_people")

    columns = {name: type_ for name, type_ in PEOPLE.dataset.columns.items() if name != "size"}
    without_size = replace(PEOPLE, dataset=replace(PEOPLE.dataset, columns=columns), tracked=["name", "born"])
    assert set(without_size.core(built)) == without_size.expected(DELIVERIES)
    assert columns_of(built, "core", "people") == [*columns, "dbt_scd_id", "dbt_valid_from", "dbt_valid_to"]
    assert "size" not in columns_of(built, "mart", "fct_people")


def test_a_column_of_another_type_is_worked_out_again(built: Warehouse) -> None:
    built.edit(SNAPSHOT, "size, ", "cast(size as varchar(4)) as size, ")
    built.dbt("build", "--select", "people", "fct_people")

    as_text = {
        period: [{**row, "size": None if row["size"] is None else str(row["size"])} for row in rows]
        for period, rows in DELIVERIES.items()
    }
    assert set(PEOPLE.core(built)) == PEOPLE.expected(as_text)
    assert {size for (size,) in built.rows("select size from mart.fct_people")} == {"1", "2", "3", None}


def test_a_changed_fact_is_made_anew(built: Warehouse) -> None:
    built.edit(FACT, "history.name,", "concat('Dr. ', history.name) as name,")
    built.dbt("build", "--select", "people", "fct_people")

    names = {name for (name,) in built.rows("select distinct name from mart.fct_people")}
    assert names == {"Dr. Ada", "Dr. Bob", "Dr. Eva"}


def test_a_fact_with_another_key_is_made_anew(built: Warehouse) -> None:
    before = built.rows("select fingerprint from core.applied_load where consumer = 'mart.fct_people'")
    built.edit(FACT, "config(", "config(unique_key=['person', 'data_period'], ")
    built.dbt("build", "--select", "people", "fct_people")
    after = built.rows("select fingerprint from core.applied_load where consumer = 'mart.fct_people'")
    assert len(after) == len(before)
    assert set(after).isdisjoint(before)


def test_layout_of_the_sql_and_config_are_no_change(built: Warehouse) -> None:
    before = built.written_state("core.people", "mart.fct_people", "core.applied_load")
    built.edit(SNAPSHOT, "select person,", "{{ config(tags=['people (all)']) }}\nselect\n    person,")
    built.edit(FACT, "config(materialized='incremental',", "config(\n    materialized='incremental', tags=['people'],")
    built.dbt("build", "--select", "people", "fct_people")
    assert built.written_state("core.people", "mart.fct_people", "core.applied_load") == before


def test_a_snapshot_that_does_not_fit_its_contract_is_refused(built: Warehouse) -> None:
    before = PEOPLE.core(built)
    config = "snapshots/_snapshots.yml"
    for file, old, new, message in [
        (SNAPSHOT, "name, ", "", "it does not select name, which its contract needs"),
        (SNAPSHOT, "source('stage', 'people')", "source('stage', 'plain')", "must read exactly one staged dataset"),
        (config, "unique_key: person", "unique_key: name", "is not the key of the contract"),
    ]:
        built.edit(file, old, new)
        assert not built.dbt("snapshot", "--select", "people", check=False).success
        assert any(message in line for line in built.messages), built.messages
        assert PEOPLE.core(built) == before
        built.undo_edits()


def columns_of(warehouse: Warehouse, schema: str, table: str) -> list[str]:
    return [
        name
        for (name,) in warehouse.rows(
            "select column_name from information_schema.columns where table_schema = ? and table_name = ?"
            " order by ordinal_position",
            (schema, table),
        )
    ]
