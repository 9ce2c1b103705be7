"""The versions of a period: each load of it, with its parquet file and state. Exactly one is active, or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, false, func, not_, or_, select, update

from loader.text import plural
from loader.warehouse.meta import dataset_version, ingestion_log, validation_log


class State(StrEnum):
    """What became of a load."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"
    PURGED = "purged"
    RESET = "reset"


@dataclass(frozen=True)
class ArchiveFiles:
    """The files of one delivery in the archive, as the tables of `meta` name them, and the hash of each."""

    parquet_path: str
    parquet_sha256: str
    unknown_path: str | None
    """Of its unknown keys; None when there are none."""
    unknown_sha256: str | None

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each file by its name."""
        found = {self.parquet_path: self.parquet_sha256}
        return found | ({self.unknown_path: self.unknown_sha256 or ""} if self.unknown_path else {})


@dataclass(frozen=True)
class Version:
    """One load of a period."""

    load_id: int
    dataset: str
    data_period: str
    period_start: dt.datetime
    period_end: dt.datetime
    version_no: int
    file_id: int
    file_name: str
    file_order: str | None
    file_sha256: str
    parquet_path: str
    parquet_sha256: str
    contract_fingerprint: str
    reader_revision: int | None
    """Of the reader that gives these values; None for loads of before there was one."""
    row_count: int
    state: State
    loaded_at: dt.datetime
    unknown_keys: int | None
    """Keys that only rejected rows have; None of a load that was made before they were kept, and of a delta."""
    unreadable_keys: int | None
    """Rejected rows whose key cannot be read."""
    unknown_path: str | None
    unknown_sha256: str | None
    accepted_contract: str | None
    """Under which somebody accepted the values as they are."""
    accepted_reader: int | None
    """The revision of the reader then."""
    parquet_bytes: int | None
    unknown_bytes: int | None
    purged_at: dt.datetime | None
    """When rows of its file were purged last."""

    def is_accepted(self, fingerprint: str, revision: int) -> bool:
        """Whether somebody accepted its values, though this contract and this reader may read others."""
        return (self.accepted_contract, self.accepted_reader) == (fingerprint, revision)

    @property
    def is_forgotten(self) -> bool:
        """Whether its file is new again: the dataset was reset, and no rows of the file were purged."""
        return self.state is State.RESET and self.purged_at is None

    @property
    def is_active(self) -> bool:
        """Whether stage holds this version."""
        return self.state is State.ACTIVE

    @property
    def files(self) -> ArchiveFiles:
        """Its files in the archive."""
        return ArchiveFiles(self.parquet_path, self.parquet_sha256, self.unknown_path, self.unknown_sha256)

    @property
    def sizes(self) -> dict[str, int | None]:
        """The size of each of its files by its name; None where nobody knows it."""
        found = {self.parquet_path: self.parquet_bytes}
        return found | ({self.unknown_path: self.unknown_bytes} if self.unknown_path else {})

    @property
    def is_incomplete(self) -> bool:
        """Whether keys that it does not state are unknown."""
        return bool(self.unreadable_keys)

    @property
    def has_unknown(self) -> bool:
        """Whether a key may be unknown in it."""
        return self.is_incomplete or bool(self.unknown_keys)


def rollback_command(dataset: str, period: str, to: int | None = None) -> str:
    """The command that makes a version of a period active, 0 for none; without a number, the one before."""
    number = "" if to is None else f" --to {to}"
    return f"loader rollback --dataset {dataset} --period {period}{number}"


def words_of_unknown(unknown_keys: int | None, unreadable_keys: int | None) -> str:
    """What a load says nothing of, in words; empty when it leaves nothing open."""
    parts = []
    if unknown_keys:
        parts.append(f"{plural(unknown_keys, 'key')} only in rejected rows and so unknown")
    if unreadable_keys:
        parts.append(f"{plural(unreadable_keys, 'rejected row')} without a readable key, so incomplete: nothing ends")
    return "; ".join(parts)


def versions_of(connection: Connection, dataset: str, period: str | None = None) -> list[Version]:
    """The versions of a dataset, or of one period of it; by start of the period, then by number."""
    query = _query().where(dataset_version.c.dataset == dataset)
    if period is not None:
        query = query.where(dataset_version.c.data_period == period)
    return _versions(connection, query)


def versions_of_other_contracts(connection: Connection, fingerprints: Mapping[str, str]) -> list[Version]:
    """The active versions of some datasets that were read under a contract of another fingerprint."""
    version = dataset_version.c
    other = [
        and_(version.dataset == name, version.contract_fingerprint != today) for name, today in fingerprints.items()
    ]
    if not other:
        return []
    query = _query().where(version.state == State.ACTIVE.value, or_(*other))
    found = _versions(connection, query)
    return sorted(found, key=lambda one: (one.dataset, one.period_start))


def count_of_other_readers(connection: Connection, fingerprints: Mapping[str, str], revision: int) -> dict[str, int]:
    """How many active versions of each dataset another reader read under this contract, and nobody accepted."""
    version = dataset_version.c
    today = [and_(version.dataset == name, version.contract_fingerprint == mark) for name, mark in fingerprints.items()]
    accepted = version.accepted_contract.is_not_distinct_from(version.contract_fingerprint)
    accepted &= version.accepted_reader.is_not_distinct_from(revision)
    query = (
        select(version.dataset, func.count())
        .where(version.state == State.ACTIVE.value, version.reader_revision.is_distinct_from(revision))
        .where(or_(false(), *today), not_(accepted))
        .group_by(version.dataset)
        .order_by(version.dataset)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _versions(connection: Connection, query: Select[tuple[object, ...]]) -> list[Version]:
    rows = connection.execute(query).mappings()
    return [Version(**{**row, "state": State(row["state"])}) for row in rows]


def active_version(versions: Sequence[Version]) -> Version | None:
    """The active one among the versions of one period."""
    return next((version for version in versions if version.is_active), None)


def same_bytes_elsewhere(
    versions: Sequence[Version], period: str, sha256: str, before: int | None = None
) -> str | None:
    """What is said of a file whose bytes are those of another period of its dataset; None when no other has them.

    The active one is named, else the last one; `before` leaves out that load and those after it.
    """
    found = [
        version
        for version in versions
        if version.data_period != period and version.file_sha256 == sha256 and not version.is_forgotten
        if before is None or version.load_id < before
    ]
    if not found:
        return None
    other = max(found, key=lambda version: (version.is_active, version.load_id))
    return f"has the same bytes as {other.file_name}, which is version {other.version_no} of {other.data_period}"


def set_reader_revision(connection: Connection, version: Version, revision: int) -> None:
    """Write down that this reader gives the values of a version too."""
    this = update(dataset_version).where(dataset_version.c.load_id == version.load_id)
    connection.execute(this.values(reader_revision=revision))


def accept(connection: Connection, version: Version, fingerprint: str, revision: int) -> None:
    """Write down that the values of a version are accepted, whatever this contract and this reader read."""
    this = update(dataset_version).where(dataset_version.c.load_id == version.load_id)
    connection.execute(this.values(accepted_contract=fingerprint, accepted_reader=revision))


def move_archived(connection: Connection, name: str, to: str, sha256: str, size: int, rows_removed: int = 0) -> None:
    """Write down that another file of the archive took the place of the one called `name`; `size` in bytes."""
    counts = {"parquet": dataset_version.c.row_count, "unknown": dataset_version.c.unknown_keys}
    for table in (dataset_version, validation_log):
        for kind, counted in counts.items():
            path, content = table.c[f"{kind}_path"], table.c[f"{kind}_sha256"]
            moved: dict[Any, Any] = {path: to, content: sha256}
            if table is dataset_version:
                moved |= {counted: counted - rows_removed, table.c[f"{kind}_bytes"]: size}
            connection.execute(update(table).where(path == name).values(moved))


def _query() -> Select[tuple[object, ...]]:
    version, file = dataset_version.c, ingestion_log.c
    return (
        select(
            version.load_id,
            version.dataset,
            version.data_period,
            version.period_start,
            version.period_end,
            version.version_no,
            version.file_id,
            file.file_name,
            file.file_order,
            file.sha256.label("file_sha256"),
            version.parquet_path,
            version.parquet_sha256,
            version.contract_fingerprint,
            version.reader_revision,
            version.row_count,
            version.state,
            version.loaded_at,
            version.unknown_keys,
            version.unreadable_keys,
            version.unknown_path,
            version.unknown_sha256,
            version.accepted_contract,
            version.accepted_reader,
            version.parquet_bytes,
            version.unknown_bytes,
            file.purged_at,
        )
        .join_from(dataset_version, ingestion_log, version.file_id == file.file_id)
        .order_by(version.period_start, version.version_no)
    )
