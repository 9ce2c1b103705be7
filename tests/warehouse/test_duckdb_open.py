"""Files of DuckDB that are attached, not opened: nothing that anybody sees may differ."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from loader.computing import in_memory
from loader.warehouse.engines.duckdb_open import open_file, open_in_memory


@pytest.fixture(params=["warehouse.duckdb", "memory.duckdb", "it's main.b.duckdb", "temp.duckdb"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return str(tmp_path / request.param)


def opened_by_another(path: str) -> bool:
    script = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    return subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=False).returncode == 0


def test_it_is_what_opening_the_file_is(path: str) -> None:
    """The same database under the same name, by which a view may call it, before and after; and no log stays."""
    connection = open_file(path)
    ((name,),) = connection.execute("select current_database()").fetchall()
    connection.execute("create table t as select 1 as a")
    connection.execute(f'create view v as select a from "{name}".main.t')
    connection.close()
    assert [one.name for one in Path(path).parent.iterdir()] == [Path(path).name]
    with duckdb.connect(path) as plain:
        assert plain.execute("select current_database(), current_schema(), a from v").fetchall() == [(name, "main", 1)]
        plain.execute("insert into t values (2)")
    connection = open_file(path, read_only=True)
    assert sorted(connection.execute("from v").fetchall()) == [(1,), (2,)]
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("insert into t values (3)")
    connection.close()


def test_the_last_one_lets_go_of_it(tmp_path: Path) -> None:
    path = str(tmp_path / "warehouse.duckdb")
    first, second = open_file(path), open_file(path)
    first.execute("create table t as select 1 as a")
    beside = first.duplicate()
    assert beside.execute("from t").fetchall() == second.execute("from t").fetchall()
    beside.close()
    first.execute("begin")
    first.execute("delete from t")
    first.close()
    first.close()
    assert not opened_by_another(path)
    with pytest.raises(duckdb.Error, match="already"):
        open_file(path, read_only=True)
    assert second.execute("from t").fetchall() == [(1,)], "what was not committed is rolled back"
    second.close()
    assert opened_by_another(path)


def test_it_is_not_opened_twice_in_one_process(tmp_path: Path) -> None:
    """dbt opens the file on its own, in the process of a build."""
    path = str(tmp_path / "warehouse.duckdb")
    connection = open_file(path)
    with pytest.raises(duckdb.Error, match="already attached"):
        duckdb.connect(path)
    connection.close()
    with duckdb.connect(path) as plain:
        plain.execute("create table t as select 1 as a")
        with pytest.raises(duckdb.Error, match="already attached"):
            open_file(path)
    connection = open_file(path)
    assert connection.execute("from t").fetchall() == [(1,)]
    connection.close()


def test_connections_in_memory_share_no_more_than_a_name() -> None:
    one, same, other = open_in_memory("one"), open_in_memory("one"), open_in_memory("other")
    one.execute("create schema stage")
    one.execute("create table stage.t as select 1 as a")
    assert same.execute("from stage.t").fetchall() == [(1,)]
    with pytest.raises(duckdb.Error):
        other.execute("from stage.t")
    for connection in (one, same, other):
        connection.close()
    anew = open_in_memory("one")
    with pytest.raises(duckdb.Error):
        anew.execute("from stage.t")
    anew.close()
    with in_memory() as connection, in_memory() as beside:
        connection.execute("create temp view mine as select 1 as a")
        with pytest.raises(duckdb.Error):
            beside.execute("from mine")
