"""The meta tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code, moment, words

revision = "0001"
down_revision = None

SEQUENCES = ("file_id_seq", "validation_id_seq", "load_id_seq", "audit_id_seq")


def upgrade() -> None:
    for name in SEQUENCES:
        op.execute(f"create sequence meta.{name} start with 1 increment by 1")
    op.create_table(
        "ingestion_log",
        sa.Column("file_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dataset", Code(63)),
        sa.Column("data_period", Code(16)),
        sa.Column("file_name", words(255), nullable=False),
        sa.Column("file_path", words(1024), nullable=False),
        sa.Column("file_order", words(63)),
        sa.Column("sha256", Code(64)),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("modified_at", moment()),
        sa.Column("status", Code(16), nullable=False),
        sa.Column("message", words()),
        sa.Column("contract_fingerprint", Code(32)),
        sa.Column("ingested_at", moment(), nullable=False),
        sa.Column("run_id", Code(32), nullable=False),
        schema="meta",
    )
    op.create_table(
        "validation_log",
        sa.Column("validation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("file_id", sa.BigInteger),
        sa.Column("gate", Code(16), nullable=False),
        sa.Column("table_name", Code(63), nullable=False),
        sa.Column("status", Code(16), nullable=False),
        sa.Column("checks", sa.Integer),
        sa.Column("failed", sa.Integer),
        sa.Column("rows_read", sa.BigInteger),
        sa.Column("rows_valid", sa.BigInteger),
        sa.Column("rows_rejected", sa.BigInteger),
        sa.Column("parquet_path", words(1024)),
        sa.Column("parquet_sha256", Code(64)),
        sa.Column("rejects_path", words(1024)),
        sa.Column("summary", words()),
        sa.Column("message", words()),
        sa.Column("contract_fingerprint", Code(32)),
        sa.Column("validated_at", moment(), nullable=False),
        sa.Column("run_id", Code(32), nullable=False),
        schema="meta",
    )
    op.create_table(
        "dataset_version",
        sa.Column("load_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dataset", Code(63), nullable=False),
        sa.Column("data_period", Code(16), nullable=False),
        sa.Column("period_start", moment(), nullable=False),
        sa.Column("period_end", moment(), nullable=False),
        sa.Column("version_no", sa.Integer, nullable=False),
        sa.Column("file_id", sa.BigInteger, nullable=False),
        sa.Column("parquet_path", words(1024), nullable=False),
        sa.Column("parquet_sha256", Code(64), nullable=False),
        sa.Column("contract_fingerprint", Code(32), nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("state", Code(16), nullable=False),
        sa.Column("loaded_at", moment(), nullable=False),
        sa.Column("state_changed_at", moment(), nullable=False),
        schema="meta",
    )
    op.create_table(
        "etl_audit",
        sa.Column("audit_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run_id", Code(32), nullable=False),
        sa.Column("step", Code(32), nullable=False),
        sa.Column("dataset", Code(63)),
        sa.Column("data_period", Code(16)),
        sa.Column("subject", words(1024)),
        sa.Column("status", Code(16), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("ended_at", moment()),
        sa.Column("duration_seconds", sa.Float),
        sa.Column("rows_in", sa.BigInteger),
        sa.Column("rows_out", sa.BigInteger),
        sa.Column("error", words()),
        sa.Column("host", words(255)),
        sa.Column("pid", sa.Integer),
        schema="meta",
    )
