"""The benchmarks run, at a size at which their figures mean nothing; their peers where `make bench` put them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from benchmarks import __main__ as main
from benchmarks import measure
from benchmarks.__main__ import BENCHES, ON_SERVERS
from benchmarks.builds import bench as builds
from benchmarks.claims import bench as claims
from benchmarks.delimiters.bench import SETS, delimiters
from benchmarks.history import bench as history
from benchmarks.measure import Line
from benchmarks.people import people, write_csv
from benchmarks.pollock.bench import pollock
from benchmarks.proposals.bench import proposals
from benchmarks.report import as_json, as_markdown, as_section
from benchmarks.servers import SERVERS
from tests.support.engines import Engine

SCALE = 0.001
DEAR = ["small", "claims", "builds"]
OWN = [name for name in BENCHES if name != "memory"]  # which is stage again, four times as big


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "REPEAT", 1)
    monkeypatch.setattr(measure, "APART", False)
    monkeypatch.setattr(history, "FEW", 2)
    monkeypatch.setattr(history, "MANY", 3)
    monkeypatch.setattr(history, "AT_ONCE", 2)
    monkeypatch.setattr(builds, "MONTHS", (1, 2))
    monkeypatch.setattr(builds, "SCENARIOS", {"next": "one new month"})
    monkeypatch.setattr(claims, "FIRST", (1,))
    monkeypatch.setattr(claims, "LAST", (2,))
    monkeypatch.setenv("BENCH_PERIOD", "2020-01")


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] if name in DEAR else []) for name in OWN])
def test_every_benchmark_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "PEERS", tmp_path / "nowhere")
    title, bench = BENCHES[name]
    lines = bench(tmp_path / "bench", SCALE)

    assert all("no environment .venv-bench/" in line.note for line in lines if line.seconds is None)
    assert all(line.seconds > 0 for line in lines if line.seconds is not None)
    page = as_markdown(json.loads(as_json({title: as_section(lines, SCALE)})))
    assert all(line.what.strip() in page for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stage", "history"])  # the others do as these
def test_those_of_servers_run(engine: Engine, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine.name == "duckdb":
        pytest.skip("DuckDB is no server")
    monkeypatch.setattr(measure, "PEERS", tmp_path / "nowhere")
    server = SERVERS[engine.name]
    assert server.title in server.description()
    lines = ON_SERVERS[name](server, tmp_path / "bench", SCALE)
    server.leave()

    assert [line.what for line in lines if line.seconds is None and ".venv-bench/" not in line.note] == []
    assert all(line.seconds > 0 for line in lines if line.seconds is not None)


def test_a_run_keeps_the_figures_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "FIGURES", tmp_path / "bench.json")
    for title, seconds in (("History", 1), ("History: PostgreSQL", 2), ("A text file into stage", 3), ("History", 4)):
        main.keep(title, as_section([Line(title, seconds)], SCALE, "PostgreSQL 18" if seconds == 2 else ""))
    page = as_markdown(main.figures())
    rows = [row.split(" | ")[:2] for row in page.splitlines() if row.startswith("| ") and row[2].isupper()]
    assert rows == [["| A text file into stage", "3.00"], ["| History", "4.00"], ["| History: PostgreSQL", "2.00"]]
    assert "History: PostgreSQL: measured on" in page


@pytest.mark.slow
@pytest.mark.skipif(not measure.has_peer("dlt"), reason="make bench has not installed dlt")
def test_dlt_loads_what_is_delivered(tmp_path: Path) -> None:
    first, later = tmp_path / "first.csv", tmp_path / "later.csv"
    write_csv(first, 1000)
    write_csv(later, 1000, moved=0.1)
    moved = people(1000, moved=0.1)["street"].to_pylist()
    changed = sum(street.startswith("New ") for street in moved)
    for strategy, rows in (("delete-insert", 2000), ("scd2", 1000 + changed)):
        found = measure.measure_peer("dlt", "benchmarks.stage.dlt", "duckdb", strategy, tmp_path, first, later)
        assert isinstance(found, measure.Measured), found
        assert found.facts["rows"] == rows


@pytest.mark.slow
@pytest.mark.skipif(not measure.has_peer("sqlmesh"), reason="make bench has not installed SQLMesh")
def test_sqlmesh_makes_the_history_of_what_is_staged(tmp_path: Path) -> None:
    """Two people; one of them moves in the second month, the other in the third."""
    staged = tmp_path / "staged.parquet"
    duckdb.execute(
        f"""
        copy (
            select person as person_id, if(month >= person, 'there', 'here') as city, '2020-0' || month as _data_period
            from (values (2), (3)) as people (person), range(1, 4) as months (month)
        ) to '{staged.as_posix()}'
        """
    )
    found = measure.measure_peer("sqlmesh", "benchmarks.history.sqlmesh", staged, tmp_path / "sqlmesh", 2)
    assert isinstance(found, measure.Measured), found
    assert (found.facts["rows"], found.facts["next_rows"]) == (3, 4)


def test_odd_text_files_are_scored(tmp_path: Path) -> None:
    """A checkout of three files: a sound one, one with a torn row, one with a spoilt header."""
    header, rows = ["a", "b", "c"], [["1", "x", "y, z, w"], ["2", "u", "v"]]
    sound = 'a,b,c\n1,x,"y, z, w"\n2,u,v\n'
    files = {
        "source.csv": sound,
        "row_extra_quote1.csv": sound.replace("1,", '"1,', 1),
        "row_less_sep_row0.csv": sound.replace("a,b", "ab"),
    }
    said = {"encoding": "ascii", "delimiter": ",", "quotechar": '"', "escapechar": '"', "header_lines": 1}
    for folder in ("csv", "clean", "parameters"):
        (tmp_path / "polluted_files" / folder).mkdir(parents=True)
    for name, text in files.items():
        first = [['"1', *rows[0][1:]], rows[1]] if "extra" in name else rows
        files_of = tmp_path / "polluted_files"
        (files_of / "csv" / name).write_text(text, encoding="utf-8")
        with (files_of / "clean" / name).open("w", encoding="utf-8", newline="") as clean:
            csv.writer(clean).writerows([header, *first])
        (files_of / "parameters" / f"{name}_parameters.json").write_text(
            json.dumps({**said, "preamble_lines": 0}), encoding="utf-8"
        )
    (tmp_path / "pollock_weights.json").write_text(
        json.dumps({"source.csv": 2, "row_extra_quote1.csv": 1, "row_less_sep_row0.csv": 1}), encoding="utf-8"
    )
    notes = [line.note for line in pollock(tmp_path)]
    half = 1 + 3 + (1 / 2 + 1 + 2 / 3) + (6 / 9 + 1 + 4 / 5)  # one row of two, six cells of nine
    strict = f"{(10 + half) / 3:.3f} simple, {(20 + half) / 4:.3f} weighted"
    assert notes == [
        strict, "0 of 3; 0 more of file_multitable_same.csv", "1 files",
        "10.000 simple, 10.000 weighted", "0 of 6; 0 more of file_multitable_same.csv", "0 files",
    ]  # fmt: skip


def test_detected_delimiters_are_counted_as_where_figures_are_published(tmp_path: Path) -> None:
    """A right one, a wrong annotation, a file that is not there and one that is no text, in the first of the sets."""
    files = {"a.csv": b"id;n\n1;x\n2;y\n", "b.csv": b"id,n\n1,x\n2,y\n", "c.csv": None, "d.csv": b"PK\3\4"}
    truth = tmp_path / "python" / "ground truth"
    truth.mkdir(parents=True)
    for place, (annotated, folder) in enumerate(SETS.values()):
        (tmp_path / "python" / folder).mkdir()
        names = files if place == 0 else {}
        lines = ["#what this is", "file_name|…", *(f"{name}|utf8|semicolon|doublequote||lf" for name in names)]
        (truth / annotated).write_text("\n".join(lines), encoding="utf-8")
        for name, raw in names.items():
            if raw is not None:
                (tmp_path / "python" / folder / name).write_bytes(raw)
    first, halves, told, slowest, *_ = delimiters(tmp_path)
    assert first.note == "50.0% (1 of 2); 1 files are not there, 1 have no answer"
    assert halves.note == "50.0% (1 of 2), 0.0% (0 of 0)"  # by their names
    assert told.note == "of 0 of 1 wrong ones, of 0 right ones"
    assert slowest.seconds is not None


def test_proposed_contracts_are_held_against_published_schemas(tmp_path: Path) -> None:
    """A table whose key and types are as published, one of which a type and the key are not, one that is not there."""
    package = tmp_path / "things"
    package.mkdir()
    fields = [{"name": "ID", "type": "integer"}, {"name": "name", "type": "string"}]
    wrong = [{"name": "id", "type": "string"}, {"name": "name", "type": "string"}]
    resources = [
        {"path": "a.csv", "schema": {"fields": fields, "primaryKey": "ID"}},
        {"path": "b.csv", "schema": {"fields": wrong, "primaryKey": ["id", "name"]}},
        {"path": "c.csv", "schema": {"fields": fields}},
    ]
    (package / "datapackage.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")
    for name in ("a.csv", "b.csv"):
        (package / name).write_text("id,name\n7,x\n9,y\n", encoding="utf-8")
    notes = [line.note for line in proposals(tmp_path)]
    assert notes == ["3 of 4 columns in 2 tables", "0 of 1", "1 of 2", "2 of 2", "0 of 2", ""]
