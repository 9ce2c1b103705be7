"""`loader export`: a copy has all that the warehouse has, for those who read while somebody writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.conftest import Project
from tests.support.shop import deliver, load, open_shop, prepared, products

MART = """
    create schema if not exists core; create schema if not exists mart;
    create sequence core.numbers;
    create table core.person (id bigint primary key, born date not null, since timestamp, hour time);
    create unique index person_born on core.person (born);
    insert into core.person values
        (1, date '1970-01-01', timestamp '2025-01-01 10:00:00.123456', time '10:15'),
        (2, date '2001-02-03', null, null);
    comment on table core.person is 'People';
    create table mart.fact (key bigint default nextval('core.numbers'), amount decimal(18, 4) not null, name varchar);
    insert into mart.fact (amount, name) values (12345678901234.5678, 'Ærø'), (-0.0001, null);
    comment on column mart.fact.amount is 'In euros';
    create table mart.plain as select 1.5::double as number;
    create view mart.people as select * from core.person;
    create view mart.amounts as select amount from mart.fact;
"""
HELD = {
    "columns": "schema_name, table_name, column_name, data_type, is_nullable, column_default, comment",
    "tables": "schema_name, table_name, comment",
    "constraints": "schema_name, table_name, constraint_text",
    "indexes": "schema_name, table_name, index_name, sql",
    "views": "schema_name, view_name, sql",
    "sequences": "schema_name, sequence_name, last_value",
}


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    shop = prepared(new_project, "duckdb", open_shop)
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    with closing(duckdb.connect(warehouse(shop))) as connection:
        connection.execute(MART)
    return shop


def warehouse(project: Project) -> str:
    return str(project.profile_output["path"])


def all_of(path: Path | str) -> dict[str, Any]:
    """What a file holds, asked of it alone."""
    with closing(duckdb.connect(path, read_only=True)) as connection:
        found: dict[str, Any] = {}
        for kind, names in HELD.items():
            mine = f"select {names} from duckdb_{kind}() where database_name = current_database()"
            found[kind] = sorted(connection.execute(mine).fetchall(), key=str)
        for kind, names in (("tables", "schema_name, table_name"), ("views", "schema_name, view_name")):
            user = f"select {names} from duckdb_{kind}() where database_name = current_database() and not internal"
            for schema, name in connection.execute(user).fetchall():
                rows = connection.execute(f'from "{schema}"."{name}"').fetchall()
                found[f"{schema}.{name}"] = sorted(rows, key=str)
        return found


def storage_format(path: Path) -> int:
    """The number after the magic bytes: 64 is read by 1.0, 67 by 1.4 (duckdb.org/docs/internals/storage)."""
    head = path.read_bytes()[8:20]
    assert head[:4] == b"DUCK"
    return int.from_bytes(head[4:], "little")


def test_a_copy_has_all_that_the_warehouse_has(shop: Project, tmp_path: Path) -> None:
    copy, older = tmp_path / "it's a copy.duckdb", tmp_path / "older.duckdb"
    done = shop.loader("export", copy)
    assert done.exit_code == 0, done.output
    assert f"written: {copy}: core, mart, meta, stage; " in done.output
    assert "DuckDB v2.0.0 and newer read it" in done.output
    expected = all_of(warehouse(shop))
    assert all_of(copy) == expected
    assert expected["mart.people"] == expected["core.person"] != []
    assert len(expected["stage.products"]) == 2

    assert "DuckDB v1.4.0 and newer read it" in shop.loader("export", older, "--storage-version", "1.4.0").output
    assert all_of(older) == expected
    assert (storage_format(older), storage_format(copy) > 67) == (67, True)
    assert [path.name for path in sorted(tmp_path.glob("*.duckdb*"))] == [copy.name, older.name]

    before = copy.read_bytes()
    assert "is there already; --force replaces it" in shop.loader("export", copy).output
    assert copy.read_bytes() == before
    assert shop.loader("export", copy, "--force", "--schema", "core").exit_code == 0
    assert {table[0] for table in all_of(copy)["tables"]} == {"core"}


def test_some_schemas_alone(shop: Project, tmp_path: Path) -> None:
    copy = tmp_path / "some.duckdb"
    done = shop.loader("export", copy, "--schema", "core,stage")
    assert "core, stage; 3 tables, 4 rows; " in done.output
    everything, copied = all_of(warehouse(shop)), all_of(copy)
    for kind in HELD:
        assert copied[kind] == [one for one in everything[kind] if one[0] in ("core", "stage")]
    assert {name for name in copied if "." in name} == {"core.person", "stage.products", "stage.products__unknown"}
    assert copied["core.person"] == everything["core.person"]
    half = tmp_path / "half.duckdb"
    done = shop.loader("export", half, "--schema", "meta,mart")
    assert (done.exit_code, "--schema: a table needs a sequence of a schema that is left out" in done.output) == (
        2,
        True,
    )
    with closing(duckdb.connect(warehouse(shop))) as connection:
        connection.execute("drop view mart.amounts; drop table mart.fact")
    done = shop.loader("export", half, "--schema", "mart")
    assert (done.exit_code, "the view mart.people reads a schema that is left out" in done.output) == (2, True)
    assert [path.name for path in tmp_path.glob("*.duckdb*")] == ["some.duckdb"]


def test_while_somebody_writes(shop: Project, tmp_path: Path) -> None:
    """The copy can be read; another one waits, and does not begin a file."""
    copy = tmp_path / "copy.duckdb"
    shop.loader("export", copy)
    with closing(duckdb.connect(warehouse(shop))) as writer:
        writer.execute("begin; delete from mart.fact")
        done = shop.loader(
            "export", tmp_path / "late.duckdb", own_process=True, env={"ALMANAC_LOCK_TIMEOUT": "0.2"}
        )  # fmt: skip
        with closing(duckdb.connect(copy, read_only=True)) as reader:
            assert reader.execute("select count(*) from mart.fact").fetchall() == [(2,)]
    assert done.exit_code == 3, done.output
    assert "failed: the warehouse has been in use by process " in done.output
    assert [path.name for path in tmp_path.glob("*.duckdb*")] == ["copy.duckdb"]


def test_what_is_no_place_for_a_copy(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "copy.duckdb"
    wrong = [
        (warehouse(shop), ("--force",), "is the warehouse itself; name another file"),
        (tmp_path, ("--force",), "is a folder; name a file in it"),
        (tmp_path / "no" / "copy.duckdb", (), "is not a folder; make it, or name another file"),
        (file, ("--schema", "marts"), "the warehouse has no 'marts'; it has: core, mart, meta, stage"),
        (tmp_path / "Mart.2025.duckdb", (), "a file called Mart from its schema Mart; name the file otherwise"),
        (file, ("--storage-version", "9"), "'9' is not a version of DuckDB"),
        (file, ("--storage-version", "v0.4.0"), "DuckDB v0.4.0 cannot read what is written today; the oldest is v1."),
    ]
    for path, options, reason in wrong:
        done = shop.loader("export", path, *options)
        assert (done.exit_code, reason in done.output) == (2, True), done.output
    (tmp_path / "copy.duckdb.wal").write_bytes(b"of another file")
    done = shop.loader("export", file)
    assert (done.exit_code, "copy.duckdb.wal is there; name another file" in done.output) == (2, True)
    assert not file.exists()
    Path(warehouse(shop)).unlink()
    assert "yet; `loader run` makes it" in shop.loader("export", file).output


@pytest.mark.parametrize(("server", "tool"), [("postgres", "pg_dump"), ("sqlserver", "backup database")])
def test_a_server_has_ways_of_its_own(new_project: Callable[..., Project], server: str, tool: str) -> None:
    project = new_project("duckdb")
    place = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "p", "database": "d", "schema": "mart"}
    output = {"type": server, **place}
    output |= {"backend": "mssql-python"} if server == "sqlserver" else {}
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    done = project.loader("export", project.root / "copy.duckdb")
    assert (done.exit_code, f"`{tool}` makes a copy" in done.output) == (2, True), done.output
