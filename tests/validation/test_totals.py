"""Where the data end: a row that fits `totals` does so only if no row below it is valid; else it is a row."""

from __future__ import annotations

import csv

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.readers import text_body
from loader.readers.csv_file import open_csv
from loader.validation import Outcome, clean_delivery
from tests.support.deliveries import contract_of
from tests.support.effort import effort

CONTRACT = contract_of(r"""
  people:
    title: People
    description: People.
    file_name: 'people_(?P<period>\d{4}-\d{2})\.csv'
    format: {type: csv, totals: '^Total'}
    grain: month
    kind: full
    key: person_id
    columns:
      person_id: {type: varchar(20), required: true, description: Number.}
      name: {type: varchar(20), required: true, description: Name.}
""")
ROWS = {"row": "{:04},Anna", "bad": "{:04},", "total": "Total,", "firm": "Total {},Anna", "blank": ""}
"""What a row can be; `firm` fits `totals` and is valid."""


@settings(deadline=None, max_examples=effort(60, 2000))
@given(st.lists(st.sampled_from([*ROWS]), max_size=9), st.sampled_from([30, 1 << 20]))
def test_any_file_ends_where_it_should(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], at_a_time: int
) -> None:
    path = tmp_path_factory.mktemp("totals") / "people.csv"
    lines = [ROWS[kind].format(at) for at, kind in enumerate(kinds)]
    path.write_text("\n".join(["person_id,name", *lines]), encoding="utf-8")
    parquet, listed, outcome = path.with_suffix(".parquet"), path.with_suffix(".rejects.csv"), Outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_body, "LEAST", at_a_time // 4)
        table = open_csv(path, CONTRACT.format)  # type: ignore[arg-type]
        clean_delivery(path, CONTRACT, CONTRACT.period("2025-01"), parquet, listed, outcome, table=table)

    valid = [at for at, kind in enumerate(kinds) if kind in ("row", "firm")]
    fitting = [at for at, kind in enumerate(kinds) if kind in ("total", "firm")]
    end = next((at for at in fitting if not [row for row in valid if row > at]), len(kinds))
    assert pq.read_table(parquet)["_source_row"].to_pylist() == [at + 2 for at in valid if at < end]
    filled = [at for at, kind in enumerate(kinds) if kind != "blank"]
    assert outcome.rows_read == len([at for at in filled if at < end])
    assert table.tally.totals == len([at for at in filled if at >= end])
    tally = table.tally
    assert tally.rows == outcome.rows_read + tally.blank + tally.headers + tally.totals + tally.skipped
    rules = [(str(end + 2), "totals row, ends the data")] if end < len(kinds) else []
    rules += [(str(at + 2), "fits totals, but valid rows follow: a row") for at in fitting if at < end]
    rules += [(str(at + 2), "required") for at in filled if at < end and at not in valid]
    found = []
    if listed.exists():
        with listed.open(encoding="utf-8-sig", newline="") as file:
            found = [(row, rule) for row, _, _, rule in list(csv.reader(file))[1:]]
    assert sorted(found) == sorted(rules)
    assert outcome.notes.total() == len(rules) - (outcome.rows_rejected) + max(table.tally.totals - 1, 0)
