"""What is in force after a sequence of deliveries, as guard and plan work it out, against an oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.archive.difference import Delivery, difference, needed
from loader.archive.parquet import cleaned_schema, key_schema, parquet_file
from tests.support.deliveries import contract_of
from tests.support.effort import effort

KEYS, VALUES = ("a", "b", "c"), ("x", "y")
TEXT = r"""
  things:
    title: Things
    description: Things.
    file_name: 'things_(?P<period>\d{4}-\d{2})\.csv'
    format: {type: csv}
    grain: month
    kind: full
    key: thing
    columns:
      thing: {type: varchar(4), description: Thing., required: true}
      state: {type: varchar(4), description: State.}
"""
CONTRACT = contract_of(TEXT)
Said = tuple[dict[str, str], frozenset[str], bool]
"""The state of each key that is stated, the unknown keys, whether the delivery is incomplete."""


@st.composite
def said(draw: st.DrawFn) -> Said:
    stated = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
    unknown = draw(st.frozensets(st.sampled_from(KEYS))) - stated.keys()
    return stated, unknown, draw(st.sampled_from([False, False, True]))


def in_force(deliveries: list[Said]) -> dict[str, str]:
    """Key by key, the last that was said of it."""
    found: dict[str, str] = {}
    for stated, unknown, is_incomplete in deliveries:
        for key in KEYS:
            if key in stated:
                found[key] = stated[key]
            elif not (is_incomplete or key in unknown):
                found.pop(key, None)
    return found


def write(folder: Path, number: int, delivery: Said) -> Delivery:
    stated, unknown, is_incomplete = delivery
    rows, named = folder / f"{number}.parquet", folder / f"{number}.unknown.parquet"
    _write(rows, cleaned_schema(CONTRACT), [(*row, at) for at, row in enumerate(stated.items(), start=2)])
    _write(named, key_schema(CONTRACT), [(key, 9) for key in unknown])
    return Delivery(CONTRACT.period(f"2025-{number + 1:02}"), rows, named if unknown else None, is_incomplete)


def _write(path: Path, schema: pa.Schema, rows: list[tuple[Any, ...]]) -> None:
    with parquet_file(path, schema) as write_rows:
        write_rows(pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema))


@settings(max_examples=effort(25, 1000), deadline=None)
@given(deliveries=st.lists(said(), min_size=1, max_size=5), newest=said())
def test_a_delivery_is_compared_with_what_is_in_force(
    tmp_path_factory: Any, deliveries: list[Said], newest: Said
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    files = [write(folder, number, delivery) for number, delivery in enumerate([*deliveries, newest])]
    before, after = in_force(deliveries), in_force([*deliveries, newest])
    found = difference(CONTRACT, needed(CONTRACT, files[:-1]), needed(CONTRACT, files))
    assert (found.before, found.new, found.ended, found.changed) == (
        len(before),
        len(after.keys() - before.keys()),
        len(before.keys() - after.keys()),
        sum(before[key] != after[key] for key in before.keys() & after.keys()),
    )


def test_only_what_the_state_hangs_on_is_read() -> None:
    def at(number: int, *, unknown: bool) -> Delivery:
        return Delivery(CONTRACT.period(f"2025-{number:02}"), Path("rows"), Path("keys") if unknown else None)

    deliveries = [at(1, unknown=True), at(2, unknown=False), at(3, unknown=True)]
    assert needed(CONTRACT, deliveries) == deliveries[1:]
    assert needed(CONTRACT, deliveries[:1]) == deliveries[:1]
    delta = contract_of(TEXT.replace("kind: full", "kind: delta\n    end_marker: {column: state, value: gone}"))
    assert needed(delta, deliveries) == deliveries
