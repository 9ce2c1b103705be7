"""What the loader does for history: put a delivery into stage, or take it back.

Deliveries go in through `deliver` and `rollback` only, so that this file is all that knows how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.history.oracle import NOTHING, Unknown, period_bounds
from tests.history.warehouse import Warehouse

VERSION_TABLE = """
    create table meta.dataset_version (
        load_id bigint primary key, dataset varchar(63), data_period varchar(16),
        period_start {timestamp}, period_end {timestamp}, version_no int, file_id bigint,
        parquet_path varchar(255), parquet_sha256 varchar(64), contract_fingerprint varchar(32),
        row_count bigint, state varchar(16), loaded_at {timestamp}, state_changed_at {timestamp},
        unknown_keys bigint, unreadable_keys bigint
    )
"""
NEW_VERSION = """
    insert into meta.dataset_version
        (load_id, dataset, data_period, period_start, period_end, version_no, row_count, unknown_keys, unreadable_keys,
        state, loaded_at)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', current_timestamp)
"""
LINEAGE = """
    _data_period varchar(7) not null, _load_id bigint, _loaded_at {timestamp},
    _source_file_id bigint, _source_row bigint
"""


@dataclass(frozen=True)
class Dataset:
    """A staged table: its name, its columns with their types, in order, and its key; of a delta no key is unknown."""

    name: str
    columns: dict[str, str]
    key: Sequence[str]
    is_full: bool = True

    @property
    def tables(self) -> list[str]:
        """Those in stage: of its rows, and of the keys that are unknown."""
        return [self.name, *([f"{self.name}__unknown"] if self.is_full else [])]


def prepare(warehouse: Warehouse, *datasets: Dataset) -> None:
    """Create the schemas, `meta.dataset_version` and one stage table per dataset."""
    warehouse.execute(
        warehouse.create_schema("meta"),
        warehouse.create_schema("stage"),
        VERSION_TABLE.format(timestamp=warehouse.timestamp),
        *(statement for dataset in datasets for statement in _stage_tables(warehouse, dataset)),
    )


def deliver(
    warehouse: Warehouse, dataset: Dataset, period: str, rows: Sequence[dict[str, Any]], unknown: Unknown = NOTHING
) -> int:
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
        *_replace_rows(dataset, period, load_id, rows, unknown),
        (
            NEW_VERSION,
            (
                *(load_id, dataset.name, period, start, end, version_no, len(rows)),
                *((len(unknown.keys), int(unknown.is_incomplete)) if dataset.is_full else (None, None)),
            ),
        ),
    )
    return int(load_id)


def rollback(
    warehouse: Warehouse,
    dataset: Dataset,
    period: str,
    to_load_id: int | None,
    rows: Sequence[dict[str, Any]],
    unknown: Unknown = NOTHING,
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
        *_replace_rows(dataset, period, to_load_id, rows, unknown),
        *reactivate,
    )


def _stage_tables(warehouse: Warehouse, dataset: Dataset) -> list[str]:
    columns = {name: warehouse.column_type(type_) for name, type_ in dataset.columns.items()}
    lineage = LINEAGE.format(timestamp=warehouse.timestamp)
    listed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    key = ", ".join(f"{name} {columns[name]}" for name in dataset.key)
    named = f"create table stage.{dataset.name}__unknown ({key}, _data_period varchar(7) not null, _load_id bigint)"
    return [f"create table stage.{dataset.name} ({listed}, {lineage})", *([named] if dataset.is_full else [])]


def _set_state(state: str) -> str:
    return (
        f"update meta.dataset_version set state = '{state}' where dataset = ? and data_period = ? and state = 'active'"
    )


def _replace_rows(
    dataset: Dataset, period: str, load_id: int | None, rows: Sequence[dict[str, Any]], unknown: Unknown
) -> list[tuple[str, Sequence[Any]]]:
    tables = [(dataset.name, [*dataset.columns], [[row[column] for column in dataset.columns] for row in rows])]
    if dataset.is_full:
        tables.append((f"{dataset.name}__unknown", [*dataset.key], [[*key] for key in unknown.keys]))
    statements: list[tuple[str, Sequence[Any]]] = []
    for name, columns, values in tables:
        names = [*columns, "_data_period", "_load_id"]
        insert = f"insert into stage.{name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"
        statements.append((f"delete from stage.{name} where _data_period = ?", (period,)))
        statements += [(insert, [*row, period, load_id]) for row in values]
    return statements


def _lock(warehouse: Warehouse, dataset: Dataset) -> list[str]:
    return [] if warehouse.engine == "duckdb" else [warehouse.locks.of_dataset.format(dataset.name)]
