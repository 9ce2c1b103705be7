"""The sizes of the files that a load stands on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for column in ("parquet_bytes", "unknown_bytes"):
        op.add_column("dataset_version", sa.Column(column, sa.BigInteger), schema="meta")
