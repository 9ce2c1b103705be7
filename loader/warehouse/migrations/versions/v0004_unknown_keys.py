"""The keys that are unknown in a load, and the rows that were dropped for others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code, words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("validation_log", sa.Column("rows_dropped", sa.BigInteger), schema="meta")
    for table in ("validation_log", "dataset_version"):
        op.add_column(table, sa.Column("unknown_keys", sa.BigInteger), schema="meta")
        op.add_column(table, sa.Column("unreadable_keys", sa.BigInteger), schema="meta")
        op.add_column(table, sa.Column("unknown_path", words(1024)), schema="meta")
        op.add_column(table, sa.Column("unknown_sha256", Code(64)), schema="meta")
