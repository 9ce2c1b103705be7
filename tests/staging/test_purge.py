"""Purge: what is removed is nowhere, and history is as if it had never been; killed or crowded on the way too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loader.files import sha256_of
from loader.warehouse.transactions import portions
from tests.conftest import REPOSITORY, Project
from tests.support import club
from tests.support.club import contents, deliver, member, visit
from tests.support.deliveries import change_contract, files_below
from tests.support.engines import Engine, Postgres, SQLServer
from tests.support.locks import LOCKS
from tests.support.shop import prepared

NUMBER = 66600999
KEY = ("--dataset", "members", "--key", str(NUMBER))
MARKERS = (str(NUMBER), "Zqxv")
PERSON = member(NUMBER, name="Zqxvname", rank="Zqxvrank", fee="10.50")
OTHERS = [member(number) for number in range(1, 6)]
STRANGE = member(7, city="Atlantis")

Rows = Sequence[dict[str, str]]


def deliver_all(project: Project, person: Rows = (PERSON,), visits: bool = True) -> None:
    """Members: January twice, February, March without the person, April with the person twice and so rejected."""
    changed = [{**row, "name": "Zqxvother"} for row in person]
    deliver(project, "members", "2025-01", [*OTHERS, *person], order=1)
    deliver(project, "members", "2025-01", [*OTHERS, *changed], order=2)
    deliver(project, "members", "2025-02", [*OTHERS, *person])
    deliver(project, "members", "2025-03", [*OTHERS, STRANGE])
    deliver(project, "members", "2025-04", [*OTHERS[1:], *person, *changed])
    mine = [visit(1, NUMBER)] if visits else []
    deliver(project, "visits", "2025-01", [visit(1, 1), *mine, visit(2, NUMBER)])
    deliver(project, "visits", "2025-02", [visit(1, 1, state="gone"), *({**row, "state": "gone"} for row in mine)])
    run(project, "load")


def loaded(project: Project) -> None:
    """Everything loaded, nothing built."""
    club.open_club(project)
    deliver_all(project)


def built(project: Project) -> None:
    """Everything loaded and built."""
    loaded(project)
    build(project)


def run(project: Project, *args: object, exit_code: int = 0) -> str:
    done = project.loader(*args)
    assert done.exit_code == exit_code, done.output
    assert not any(marker in done.output for marker in MARKERS), done.output
    return done.output


def build(project: Project) -> None:
    done = project.dbt("build", "--quiet", "--exclude-resource-type", "test")
    assert done.success, done.exception or [node.message for node in done.result]


def purge(project: Project, *args: object) -> str:
    return run(project, "purge", *(args or KEY), "--yes")


@pytest.fixture
def project(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """Loaded, not built: most of a purge has nothing to do with history."""
    return prepared(new_project, engine, loaded)


@pytest.fixture
def warehouse(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """Loaded and built."""
    return prepared(new_project, engine, built)


def numbers(project: Project, table: str = "stage.members") -> set[str]:
    return {row[0] for row in project.sql(f"select member_no from {table}")}


def text_of(path: Path) -> str:
    """All that a file holds, unpacked."""
    if path.suffix == ".parquet":
        return repr(pq.read_table(path).to_pylist()) + path.read_bytes().decode("latin-1")
    if path.suffix == ".xlsx":
        import openpyxl

        return repr([row for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True)])
    return path.read_bytes().decode("latin-1")


def holders(project: Project) -> list[str]:
    """Files of the project and tables of the warehouse, with their bytes, that hold the person; but what has landed."""
    found = [
        path.relative_to(project.root).as_posix()
        for path in project.root.rglob("*")
        if path.is_file() and any(marker in text_of(path) for marker in MARKERS)
    ]
    if project.engine.name == "postgres":
        query = "select schemaname, relname, pg_relation_filepath(relid) from pg_stat_user_tables"
        for schema, table, path in project.sql(query):
            ((content,),) = project.sql(f"select pg_read_binary_file('{path}')")
            if any(marker.encode() in bytes(content) for marker in MARKERS):
                found.append(f"{schema}.{table}")
        noted = project.sql("select schemaname, tablename from pg_stats where histogram_bounds::text like '%Zqxv%' "
                            "or most_common_vals::text like '%Zqxv%'")  # fmt: skip
        found += [f"statistics of {schema}.{table}" for schema, table in noted]
    elif project.engine.name == "sqlserver":  # its pages are not to be seen by those who ask in SQL
        tables = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        for schema, table in project.sql(tables):
            rows = repr(project.sql(f"select * from {schema}.{table}"))
            if any(marker in rows for marker in MARKERS):
                found.append(f"{schema}.{table}")
    return [name for name in found if not name.startswith("data/landing/")]


def assert_archive_is_sound(project: Project) -> None:
    """Every file that meta names is there as it says, and no other; stage is the archive of the active versions."""
    files = "select {kind}_path, {kind}_sha256 from meta.{table} where {kind}_path is not null and {{condition}}"
    tables = [(kind, table) for kind in ("parquet", "unknown") for table in ("dataset_version", "validation_log")]
    queries = {(kind, table): files.format(kind=kind, table=table) for kind, table in tables}
    named = {
        name: sha256
        for kind in ("parquet", "unknown")
        for name, sha256 in project.sql(queries[kind, "dataset_version"].format(condition="state <> 'purged'"))
    }
    folder = project.root / "data/stage/cleaned"
    assert {name: sha256_of(folder / name) for name in named} == named
    checked = {
        name
        for kind in ("parquet", "unknown")
        for name, _ in project.sql(queries[kind, "validation_log"].format(condition="status = 'passed'"))
    }
    assert set(named) <= set(files_below(folder)) <= checked | set(named)
    active = "select parquet_path, row_count, load_id from meta.dataset_version where state = 'active' and dataset = "
    for name, count, load_id in project.sql(f"{active} 'members'"):
        rows = pq.read_table(folder / name).to_pylist()
        staged = project.sql(f"select member_no, name from stage.members where _load_id = {load_id}")
        assert sorted(staged) == sorted((row["member_no"], row["name"]) for row in rows)
        assert len(rows) == count


# --- a key ------------------------------------------------------------------------------------------------------


def test_a_key_is_removed_from_everything_that_the_loader_keeps(project: Project) -> None:
    before = project.sql("select count(*) from meta.dataset_version")
    strangers = [name for name in files_below(project.root / "data/stage/rejects") if "2025-03" in name]
    output = purge(project)
    assert "purge of one key of members" in output
    assert "archive:  4 rows of 4 files" in output
    assert "stage:    3 rows" in output
    assert "4 rows in 4 files of the archive, 3 rows of stage, 1 lists of rejects" in output
    names = "members_2025-01_v1.csv, members_2025-01_v2.csv, members_2025-02.csv, members_2025-04.csv"
    assert f"landed     files that the loader never edits hold it: {names}" in output
    assert "elsewhere  stage.visits have rows of this key" in output
    assert str(NUMBER) not in numbers(project)
    assert len(numbers(project)) == 5
    assert_archive_is_sound(project)
    assert sorted(files_below(project.root / "data/stage/rejects")) == strangers
    assert len(strangers) == 2
    assert project.sql("select count(*) from meta.dataset_version") == before
    states = "select version_no, state, row_count from meta.dataset_version where dataset = 'members' order by load_id"
    rows = [(1, "superseded", 5), (2, "active", 5), (1, "active", 5), (1, "active", 5), (1, "active", 4)]
    assert project.sql(states) == rows


def test_it_is_audited_without_the_values(project: Project) -> None:
    purge(project)
    counts = "4 rows in 4 files of the archive, 3 rows of stage, 1 lists of rejects"
    columns = "dataset, data_period, subject, status, rows_out, error"
    assert project.sql(f"select {columns} from meta.etl_audit where step = 'purge'") == [
        ("members", None, f"one key: {counts}", "done", 3, None)
    ]
    for (table,) in project.sql("select table_name from information_schema.tables where table_schema = 'meta'"):
        assert not any(marker in repr(project.sql(f"select * from meta.{table}")) for marker in MARKERS), table
    logs = [path.read_text(encoding="utf-8") for path in (project.root / "data/logs").glob("*.jsonl")]
    assert '"step": "purge"' in "".join(logs)
    assert not any(marker in text for text in logs for marker in MARKERS)


def test_a_second_time_there_is_nothing_left(project: Project) -> None:
    purge(project)
    before = files_below(project.root / "data/stage"), contents(project, "stage.members", "meta.dataset_version")
    output = purge(project)
    assert "purge of" not in output
    assert "nothing to purge: members has no such rows" in output
    assert "rewritten" not in output
    assert project.sql("select count(*) from meta.etl_audit where step in ('purge', 'rewrite')") == [(2,)]
    assert (
        files_below(project.root / "data/stage"),
        contents(project, "stage.members", "meta.dataset_version"),
    ) == before
    assert "nothing to purge: visits has no such rows" in purge(project, "--dataset", "visits", "--key", "9,00000009")


def test_the_key_may_be_written_as_the_sender_does(project: Project) -> None:
    assert "archive:  5 rows of 5 files" in purge(project, "--dataset", "members", "--key", " 2 ")
    assert "00000002" not in numbers(project)


def test_a_key_of_two_parts(project: Project) -> None:
    output = purge(project, "--dataset", "visits", "--key", f'1,"{NUMBER}"')
    assert "archive:  2 rows of 2 files" in output
    left = project.sql("select house, member_no, _data_period from stage.visits order by 3, 1, 2")
    assert left == [(1, "00000001", "2025-01"), (2, str(NUMBER), "2025-01"), (1, "00000001", "2025-02")]
    assert str(NUMBER) in numbers(project)
    assert_archive_is_sound(project)


def test_what_is_purged_does_not_come_back_by_itself(project: Project) -> None:
    purge(project)
    output = run(project, "load", "--dataset", "members", "--period", "2025-02")
    assert "0 loaded, 0 refused, 1 unchanged" in output
    assert "is version 1 of members 2025-02 (active); rows of it were purged, --force brings them back" in output
    ((file_id,),) = project.sql(
        "select file_id from meta.ingestion_log where data_period = '2025-02' and dataset = 'members'"
    )
    output = run(project, "validate", "--file-id", file_id, exit_code=1)
    assert "to read it again would bring them back" in output
    change_contract(
        project,
        "description: Place., allowed: [Dresden, Leipzig]",
        "description: Place., allowed: [Dresden, Leipzig, Jena]",
    )
    output = run(project, "load", exit_code=1)
    assert "1 loaded, 3 refused" in output
    assert output.count("rows of it were purged on ") == 3
    assert str(NUMBER) not in numbers(project)
    run(project, "load", "--period", "2025-02", "--dataset", "members", "--force")
    assert str(NUMBER) in numbers(project)
    purge(project)
    assert str(NUMBER) not in numbers(project)
    assert_archive_is_sound(project)


def test_a_new_file_with_the_person_is_told(project: Project) -> None:
    deliver(project, "members", "2025-05", [*OTHERS, PERSON])
    (project.landing / "members_2025-06.csv").write_bytes(b"\x00\xff broken")
    output = purge(project)
    assert "not loaded yet, the next load would bring it back: members_2025-05.csv" in output
    assert "cannot be read: members_2025-06.csv" in output


def test_rejects_that_nobody_can_look_into_go_too(project: Project) -> None:
    """Of a workbook that is gone, or a row without a key, who knows whose it was?"""
    folder = project.root / "data/stage/rejects"
    (strange,) = folder.glob("members_2025-03*.xlsx")
    strange.unlink()
    deliver(project, "members", "2025-05", [*OTHERS, member(8, member_no="")])
    deliver(project, "members", "2025-06", [*OTHERS, member(8, city="Atlantis")])
    run(project, "load")
    purge(project)
    assert {name.split("_")[1] for name in files_below(folder)} == {"2025-06"}
    # the deliveries are there to be looked into: only one that has the person is closed
    marked = project.sql(
        "select data_period from meta.ingestion_log where purged_at is not null and data_period > '2025-02'"
    )
    assert marked == [("2025-04",)]


def test_an_earlier_version_can_be_activated_still(project: Project) -> None:
    purge(project)
    output = run(project, "rollback", "--dataset", "members", "--period", "2025-01")
    assert "to version 1 (members_2025-01_v1.csv, 5 rows)" in output
    assert_archive_is_sound(project)
    assert str(NUMBER) not in numbers(project)


# --- history ----------------------------------------------------------------------------------------------------


def assert_as_if_never(
    project: Project, engine: Engine, new_project: Callable[..., Project], land: Callable[[Project], None]
) -> None:
    """Core and mart are those of a warehouse that was only ever given what `land` delivers."""
    other = club.open_club(new_project(engine, folder="oracle"))
    land(other)
    build(other)
    assert contents(project) == contents(other)
    assert all(contents(project).values())


@pytest.mark.slow
def test_after_a_build_history_is_as_if_the_person_had_never_been(
    warehouse: Project, engine: Engine, new_project: Callable[..., Project]
) -> None:
    assert str(NUMBER) in numbers(warehouse, "core.members")
    output = purge(warehouse)
    assert "waiting    core.members, mart.fct_member still hold it; run `dbt build`" in output
    assert "rewritten" not in output
    nobody = purge(warehouse, "--dataset", "members", "--key", "12345678")
    assert "nothing to purge: members has no such rows" in nobody
    assert (
        "waiting    an earlier purge waits for a build of core.members, mart.fct_member; this key is nobody's" in nobody
    )
    assert "still hold it" in purge(warehouse)
    purge(warehouse, "--dataset", "visits", "--key", f"1,{NUMBER}")
    build(warehouse)

    def without(other: Project) -> None:
        deliver_all(other, person=(), visits=False)

    assert_as_if_never(warehouse, engine, new_project, without)


@pytest.mark.slow
def test_after_a_build_and_another_purge_it_is_nowhere(warehouse: Project) -> None:
    """Not even in bytes that a database keeps of deleted rows."""
    keys = [KEY, ("--dataset", "visits", "--key", f"1,{NUMBER}"), ("--dataset", "visits", "--key", f"2,{NUMBER}")]
    assert holders(warehouse)
    for key in keys:
        purge(warehouse, *key)
    build(warehouse)
    if warehouse.engine.name == "duckdb":
        assert holders(warehouse) == ["data/warehouse.duckdb"]  # the rows are deleted, their bytes are not
    outputs = [purge(warehouse, *key) for key in keys]
    assert ["rewritten  " in text for text in outputs] == [True, True, False]  # once for a dataset
    assert not any("waiting" in text or "elsewhere" in text for text in outputs)
    assert holders(warehouse) == []
    # and the warehouse works on
    deliver(warehouse, "members", "2025-05", [*OTHERS, member(9)])
    run(warehouse, "load")
    build(warehouse)
    assert "00000009" in numbers(warehouse, "mart.fct_member")
    assert warehouse.sql("select count(*) - count(distinct load_id) from meta.dataset_version") == [(0,)]


@pytest.mark.slow
def test_a_rollback_to_the_load_that_history_has_applied(warehouse: Project) -> None:
    """The load is the same one, and has lost rows: history must not take it for known."""
    deliver(warehouse, "members", "2025-02", OTHERS)
    run(warehouse, "load")
    purge(warehouse)
    run(warehouse, "rollback", "--dataset", "members", "--period", "2025-02")
    build(warehouse)
    assert str(NUMBER) not in numbers(warehouse, "core.members") | numbers(warehouse, "mart.fct_member")
    purge(warehouse, "--dataset", "members", "--before", "2030-01")
    build(warehouse)
    assert contents(warehouse, "core.members", "mart.fct_member") == {"core.members": [], "mart.fct_member": []}


# --- periods ----------------------------------------------------------------------------------------------------

BEFORE = ("--dataset", "members", "--before", "2025-03")


def test_periods_are_removed_and_their_versions_stay(project: Project) -> None:
    answer = purge(project, *BEFORE)
    assert "purge of periods before 2025-03 of members" in answer
    assert "archive:  18 rows of 3 files" in answer
    assert (
        "landed     files that the loader never edits hold it: members_2025-01_v1.csv, members_2025-01_v2.csv" in answer
    )
    assert [row[0] for row in project.sql("select distinct _data_period from stage.members order by 1")] == [
        "2025-03",
        "2025-04",
    ]
    assert not [
        name
        for name in files_below(project.root / "data/stage/cleaned/members")
        if "2025-01" in name or "2025-02" in name
    ]
    states = (
        "select data_period, version_no, state from meta.dataset_version where dataset = 'members' order by load_id"
    )
    assert project.sql(states)[:3] == [("2025-01", 1, "purged"), ("2025-01", 2, "purged"), ("2025-02", 1, "purged")]
    assert_archive_is_sound(project)
    subjects = project.sql("select subject from meta.etl_audit where step = 'purge'")
    assert [subject.partition(":")[0] for (subject,) in subjects] == ["periods before 2025-03"]
    lines = project.loader("status", "--dataset", "members", "--json").json
    assert [line["state"] for line in lines] == ["purged", "purged", "active", "active"]
    assert "purged     " not in purge(project, *BEFORE)


def test_a_purged_period_is_closed_until_somebody_opens_it(project: Project) -> None:
    purge(project, *BEFORE)
    rollback = ("rollback", "--dataset", "members", "--period")
    assert "members 2025-02 was purged; if it has to come back, its file can be" in run(
        project, *rollback, "2025-02", exit_code=2
    )
    output = run(project, "load")
    assert "0 loaded, 0 refused, 7 unchanged" in output
    deliver(project, "members", "2025-02", [*OTHERS, member(8)])
    assert "members 2025-02 was purged; if it has to come back, load the file with --force" in run(
        project, "load", exit_code=1
    )
    assert "2025-02" not in "".join(files_below(project.root / "data/stage/cleaned/members"))
    run(project, "load", "--period", "2025-02", "--dataset", "members", "--force")
    assert "version 1 of members 2025-02 was purged" in run(project, *rollback, "2025-02", "--to", 1, exit_code=2)
    assert "has no version before version 2" in run(project, *rollback, "2025-02", exit_code=2)  # that is gone
    run(project, *rollback, "2025-02", "--to", 0)
    assert project.sql("select count(*) from stage.members where _data_period = '2025-02'") == [(0,)]
    assert_archive_is_sound(project)


@pytest.mark.slow
def test_after_a_build_history_is_as_if_the_periods_had_never_been(
    warehouse: Project, engine: Engine, new_project: Callable[..., Project]
) -> None:
    purge(warehouse, *BEFORE)
    build(warehouse)
    output = purge(warehouse, *BEFORE)
    assert "rewritten" in output
    assert "waiting" not in output

    def without(other: Project) -> None:
        deliver(other, "members", "2025-03", [*OTHERS, STRANGE])
        deliver(other, "members", "2025-04", [*OTHERS[1:], PERSON, PERSON])
        deliver(other, "visits", "2025-01", [visit(1, 1), visit(1, NUMBER), visit(2, NUMBER)])
        deliver(other, "visits", "2025-02", [visit(1, 1, state="gone"), visit(1, NUMBER, state="gone")])
        run(other, "load")

    assert_as_if_never(warehouse, engine, new_project, without)


# --- confirmation and usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("--dataset", "members"), "name either --key or --before"),
        ((*KEY, "--before", "2025-03"), "name either --key or --before"),
        (
            ("--dataset", "members", "--before", "March"),
            "--before: 'March' is not a month period; write it like 2025-06",
        ),
        (("--dataset", "nobody", "--key", NUMBER), "dataset 'nobody' has no contract"),
        (
            ("--dataset", "visits", "--key", NUMBER),
            "--key: the key of visits has 2 parts (house, member_no); name each",
        ),
        (("--dataset", "visits", "--key", f"Zqxv,{NUMBER}"), "--key: the part for house is not a valid integer"),
        (("--dataset", "members", "--key", " "), "--key: the part for member_no is not a valid varchar(12)"),
        (KEY, "nobody is here to confirm it; look at the lines above, and run it with --yes"),
    ],
)
def test_wrong_usage_changes_nothing(project: Project, args: tuple[object, ...], reason: str) -> None:
    before = files_below(project.root / "data/stage"), contents(project, "stage.members", "meta.dataset_version")
    output = run(project, "purge", *args, exit_code=2)
    assert reason in output
    assert (
        files_below(project.root / "data/stage"),
        contents(project, "stage.members", "meta.dataset_version"),
    ) == before
    assert project.sql("select count(*) from meta.etl_audit where step = 'purge'") == [(0,)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals to answer from")
def test_it_asks_whoever_sits_at_a_terminal(new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, "duckdb", loaded)
    for answer, exit_code, left in (("n", 2, True), ("y", 0, False)):
        ours, theirs = os.openpty()
        command = [sys.executable, "-m", "loader", "--project-dir", str(project.root), "purge", *KEY]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        process = subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        os.write(ours, f"{answer}\n".encode())
        output, _ = process.communicate()
        os.close(ours)
        os.close(theirs)
        assert process.returncode == exit_code, output
        assert "This cannot be undone. Purge?" in output
        assert (str(NUMBER) in numbers(project)) == left


# --- trouble on the way -----------------------------------------------------------------------------------------

KILLED = """
import os, pathlib, signal, sys
left = int(sys.argv.pop(1))
def deadly(method):
    def act(self, *args, **kwargs):
        global left
        if "stage" in self.parts:
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return method(self, *args, **kwargs)
    return act
pathlib.Path.replace, pathlib.Path.unlink = deadly(pathlib.Path.replace), deadly(pathlib.Path.unlink)
from loader.cli import main
main()
"""
"""The loader, killed before it replaces or deletes a file of stage for the n-th time."""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that ends a process without its knowledge")
@pytest.mark.parametrize("step", [2, 11, 12, 15])
def test_killed_at_any_step_the_same_command_goes_on(project: Project, step: int) -> None:
    command = [sys.executable, "-c", KILLED, str(step), "--project-dir", str(project.root), "purge", *KEY, "--yes"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == -9, process.stdout + process.stderr
    named = dict(project.sql("select parquet_path, parquet_sha256 from meta.dataset_version"))
    folder = project.root / "data/stage/cleaned"
    assert {name: sha256_of(folder / name) for name in named} == named
    held = project.sql(f"select count(*) from stage.members where member_no = '{NUMBER}'")
    assert held == ([(2,)] if step < 12 else [(0,)])
    purge(project)
    assert_archive_is_sound(project)
    assert str(NUMBER) not in numbers(project)
    assert not [name for name in holders(project) if "members" in name]
    steps = project.sql("select status from meta.etl_audit where step = 'purge' order by audit_id")
    assert steps == [("interrupted",), ("done",)]


def test_an_archive_that_cannot_be_read_stops_it(project: Project) -> None:
    broken = next((project.root / "data/stage/cleaned/members").glob("*2025-03*"))
    broken.write_bytes(b"no parquet")
    output = run(project, "purge", *KEY, "--yes", exit_code=3)
    assert (
        f"{broken.name} cannot be read, so nobody can tell what it holds; restore it from a backup or remove" in output
    )
    broken.unlink()
    output = purge(project)
    assert "missing    in the archive, a backup may still hold it: members/members_2025-03_" in output


@pytest.mark.slow
def test_two_at_once(project: Project) -> None:
    purges = [project.start_loader("purge", *KEY, "--yes") for _ in range(2)]
    outputs = [process.communicate() for process in purges]
    assert [process.returncode for process in purges] == [0, 0], outputs
    assert str(NUMBER) not in numbers(project)
    assert_archive_is_sound(project)


def test_a_purge_waits_for_whoever_holds_the_dataset(project: Project) -> None:
    server = project.engine
    if not isinstance(server, Postgres | SQLServer):
        pytest.skip("the lock of DuckDB is that of its file")
    locks = LOCKS[server.name]
    with closing(server.connect(project.profile_output)) as other:
        other.cursor().execute(locks.of_dataset.format("members"))
        process = project.start_loader("purge", *KEY, "--yes")
        until = time.monotonic() + 120
        while project.sql(locks.waiting_for_datasets) == [(0,)]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)
        assert str(NUMBER) in numbers(project)
        time.sleep(3)  # a wait of more than two seconds is told
        other.commit()
        output = "".join(filter(None, process.communicate()))
    assert process.returncode == 0
    assert "waiting for members, which" in output
    if server.name == "postgres":
        assert re.search(r"is held by \S+, session \d+", output)
    assert str(NUMBER) not in numbers(project)


def test_rows_are_not_called_gone_while_the_server_keeps_them_for_an_older_transaction(project: Project) -> None:
    server = project.engine
    if server.name != "postgres":
        pytest.skip("only PostgreSQL keeps deleted rows in the table for those who may still read them")
    with closing(server.connect(project.profile_output)) as other:
        other.cursor().execute("set transaction isolation level repeatable read")
        other.cursor().execute("select 1")
        project.env["ALMANAC_LOCK_TIMEOUT"] = "1"
        output = run(project, "purge", *KEY, "--yes", exit_code=3)
        assert "has a transaction open from before the rows were deleted" in output
        assert str(NUMBER) not in numbers(project)
        other.rollback()
    purge(project)
    assert not [name for name in holders(project) if "members" in name]


def test_a_file_that_an_interrupted_rewrite_left_is_gone_with_the_next(new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, "duckdb", loaded)
    left = project.root / "data/warehouse.duckdb.rewritten"
    left.write_bytes(b"half a warehouse")
    assert "rewritten" in purge(project)
    assert not left.exists()
    assert "unchanged" in run(project, "load")


def test_no_statement_has_more_parameters_than_sql_server_takes() -> None:
    values = [str(number) for number in range(6_543)]
    parts = list(portions(values))
    assert [value for part in parts for value in part] == values
    assert max(map(len, parts)) < 2_100 - 10
