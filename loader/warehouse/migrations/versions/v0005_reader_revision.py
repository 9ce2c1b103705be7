"""The revision of the reader of each validation and load."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("validation_log", "dataset_version"):
        op.add_column(table, sa.Column("reader_revision", sa.Integer), schema="meta")
