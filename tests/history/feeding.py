"""What the loader does for history: put a delivery into stage, or take it back.

Deliveries go in through `deliver` and `rollback` only, so that this file is all that knows how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.history.warehouse import Warehouse

VERSION_TABLE = """
    create table meta.dataset_version (
        load_id bigint primary key, dataset varchar(63), data_period varchar(16),
        period_start {timestamp}, period_end {timestamp}, version_no int, file_id bigint,
        parquet_path varchar(255), parquet_sha256 varchar(64), contract_fingerprint varchar(32),
        row_count bigint, state varchar(16), loaded_at {timestamp}, state_changed_at {timestamp}
    )
"""
NEW_VERSION = """
    insert into meta.dataset_version
        (load_id, dataset, data_period, period_start, period_end, version_no, row_count, state, loaded_at)
    values (?, ?, ?, ?, ?, ?, ?, 'active', current_timestamp)
"""
LINEAGE = """
    _data_period varchar(7) not null, _load_id bigint, _loaded_at {timestamp},
    _source_file_id bigint, _source_row bigint
"""


@dataclass(frozen=True)
class Dataset:
    """A staged table: its name and its columns with their types, in order."""

    name: str
    columns: dict[str, str]


def prepare(warehouse: Warehouse, *datasets: Dataset) -> None:
    """Create the schemas, `meta.dataset_version` and one stage table per dataset."""
    warehouse.execute(
        warehouse.create_schema("meta"),
        warehouse.create_schema("stage"),
        VERSION_TABLE.format(timestamp=warehouse.timestamp),
        *(_stage_table(warehouse, dataset) for dataset in datasets),
    )


def deliver(warehouse: Warehouse, dataset: Dataset, period: str, rows: Sequence[dict[str, Any]]) -> int:
    """Load one delivery for a period (`YYYY-MM`) in place of the one before it; give its load id."""
    [(load_id, version_no)] = warehouse.rows(
        "select coalesce(max(load_id), 0) + 1,"
        " coalesce(max(case when dataset = ? and data_period = ? then version_no end), 0) + 1"
        " from meta.dataset_version",
        (dataset.name, period),
    )
    start, end = period_bounds(period)
    warehouse.execute(
        *_lock(warehouse, dataset),
        (_set_state("superseded"), (dataset.name, period)),
        *_replace_rows(dataset, period, load_id, rows),
        (NEW_VERSION, (load_id, dataset.name, period, start, end, version_no, len(rows))),
    )
    return int(load_id)


def rollback(
    warehouse: Warehouse, dataset: Dataset, period: str, to_load_id: int | None, rows: Sequence[dict[str, Any]]
) -> None:
    """Make an earlier load of the period, with its rows, the active one again; `None` empties the period."""
    reactivate = (
        []
        if to_load_id is None
        else [("update meta.dataset_version set state = 'active' where load_id = ?", (to_load_id,))]
    )
    warehouse.execute(
        *_lock(warehouse, dataset),
        (_set_state("rolled_back"), (dataset.name, period)),
        *_replace_rows(dataset, period, to_load_id, rows),
        *reactivate,
    )


def period_bounds(period: str) -> tuple[date, date]:
    """First day of a month `YYYY-MM`, and of the next."""
    year, month = map(int, period.split("-"))
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _stage_table(warehouse: Warehouse, dataset: Dataset) -> str:
    columns = ", ".join(f"{column} {warehouse.column_type(type_)}" for column, type_ in dataset.columns.items())
    return f"create table stage.{dataset.name} ({columns}, {LINEAGE.format(timestamp=warehouse.timestamp)})"


def _set_state(state: str) -> str:
    return (
        f"update meta.dataset_version set state = '{state}' where dataset = ? and data_period = ? and state = 'active'"
    )


def _replace_rows(
    dataset: Dataset, period: str, load_id: int | None, rows: Sequence[dict[str, Any]]
) -> list[tuple[str, Sequence[Any]]]:
    names = [*dataset.columns, "_data_period", "_load_id"]
    insert = f"insert into stage.{dataset.name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"
    return [
        (f"delete from stage.{dataset.name} where _data_period = ?", (period,)),
        *((insert, [*(row[column] for column in dataset.columns), period, load_id]) for row in rows),
    ]


def _lock(warehouse: Warehouse, dataset: Dataset) -> list[str]:
    return [] if warehouse.engine == "duckdb" else [warehouse.locks.of_dataset.format(dataset.name)]
