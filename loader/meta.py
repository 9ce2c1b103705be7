"""The `meta` tables: who loaded what, when, with which result. Timestamps are UTC without zone.

The tables are made by the migrations; what stands here is how the loader reads and writes them.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, MetaData, Sequence, String, Table, Text

SCHEMA = "meta"
metadata = MetaData(schema=SCHEMA)

file_ids = Sequence("file_id_seq", schema=SCHEMA)
validation_ids = Sequence("validation_id_seq", schema=SCHEMA)
load_ids = Sequence("load_id_seq", schema=SCHEMA)
audit_ids = Sequence("audit_id_seq", schema=SCHEMA)

ingestion_log = Table(
    "ingestion_log",
    metadata,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset", String(63)),
    Column("data_period", String(16)),
    Column("file_name", String(255), nullable=False),
    Column("file_path", String(1024), nullable=False),
    Column("file_order", String(63)),
    Column("sha256", String(64)),
    Column("size_bytes", BigInteger),
    Column("modified_at", DateTime),
    Column("status", String(16), nullable=False),
    Column("message", Text),
    Column("contract_fingerprint", String(32)),
    Column("ingested_at", DateTime, nullable=False),
    Column("run_id", String(32), nullable=False),
)

validation_log = Table(
    "validation_log",
    metadata,
    Column("validation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("file_id", BigInteger),
    Column("gate", String(16), nullable=False),
    Column("table_name", String(63), nullable=False),
    Column("status", String(16), nullable=False),
    Column("checks", Integer),
    Column("failed", Integer),
    Column("rows_read", BigInteger),
    Column("rows_valid", BigInteger),
    Column("rows_rejected", BigInteger),
    Column("parquet_path", String(1024)),
    Column("parquet_sha256", String(64)),
    Column("rejects_path", String(1024)),
    Column("summary", Text),
    Column("message", Text),
    Column("contract_fingerprint", String(32)),
    Column("validated_at", DateTime, nullable=False),
    Column("run_id", String(32), nullable=False),
)

dataset_version = Table(
    "dataset_version",
    metadata,
    Column("load_id", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset", String(63), nullable=False),
    Column("data_period", String(16), nullable=False),
    Column("period_start", DateTime, nullable=False),
    Column("period_end", DateTime, nullable=False),
    Column("version_no", Integer, nullable=False),
    Column("file_id", BigInteger, nullable=False),
    Column("parquet_path", String(1024), nullable=False),
    Column("parquet_sha256", String(64), nullable=False),
    Column("contract_fingerprint", String(32), nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("loaded_at", DateTime, nullable=False),
    Column("state_changed_at", DateTime, nullable=False),
)

etl_audit = Table(
    "etl_audit",
    metadata,
    Column("audit_id", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", String(32), nullable=False),
    Column("step", String(32), nullable=False),
    Column("dataset", String(63)),
    Column("data_period", String(16)),
    Column("subject", String(1024)),
    Column("status", String(16), nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("duration_seconds", Float),
    Column("rows_in", BigInteger),
    Column("rows_out", BigInteger),
    Column("error", Text),
    Column("host", String(255)),
    Column("pid", Integer),
)


def now() -> dt.datetime:
    """The time to record: UTC, without zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
