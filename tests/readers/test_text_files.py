"""Text files as people and programs write them: each value by a rule that is named, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from loader.contracts import CsvFormat
from loader.readers import open_table
from loader.readers.table import Batch, Table
from tests.conftest import Project
from tests.support.deliveries import people_rows, project_with_people, rejects, write_csv


def opened(path: Path, text: str | bytes, **words: object) -> Table:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_table(path, CsvFormat(type="csv", **words))  # type: ignore[arg-type]


def rows_of(batches: list[Batch]) -> dict[int, tuple[str, ...]]:
    """The cells by row in the file."""
    found = {}
    for batch in batches:
        cells = pa.table([*batch.cells], names=[str(at) for at in range(len(batch.cells))]).to_pylist()
        found |= {
            at: tuple(value or "" for value in row.values())
            for at, row in zip(batch.source_rows.to_pylist(), cells, strict=True)
        }
    return found


def test_a_reader_counts_what_it_leaves_out(tmp_path: Path) -> None:
    text = "id,v\na,1\n\n ,\nid,v \nb\nc,3\nTotal,4\n\nd,5\nend\n"
    table = opened(tmp_path / "a.csv", text, totals="^Total", skip_end=1)
    batches = [*table.batches]
    given = sum(len(batch.rows) for batch in batches)
    tally = table.tally
    assert tally.rows == 10 == given + tally.blank + tally.headers + tally.totals + tally.skipped
    assert (tally.blank, tally.headers) == (3, 1)


def test_remarks_are_told_everywhere(new_project: Callable[..., Project]) -> None:
    project = project_with_people(new_project)
    rows = [[*row.values()] for row in people_rows(3)]
    header = [*people_rows(1)[0]]
    path = write_csv(project.landing / "people_2025-01.csv", [*rows[:1], header, *rows[1:]], header=header)
    assert "noted:     header again, left out (1)" in project.loader("plan", path).stdout
    result = project.loader("load", "--json")
    assert json.loads(result.stdout)["files"][0]["notes"] == {"header again, left out": 1}
    assert "; noted: header again, left out (1)" in json.loads(result.stdout)["files"][0]["message"]
    assert rejects(project, "people_2025-01_") == [("3", "", "", "header again, left out")]
    [(summary, listed)] = project.sql("select summary, rejects_path from meta.validation_log")
    assert json.loads(summary) == {"note: header again, left out": 1}
    assert listed is not None
    assert project.sql("select _source_row from stage.people order by 1") == [(2,), (4,), (5,)]
