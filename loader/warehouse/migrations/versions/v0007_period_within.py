"""The periods that were found within deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code, words

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "period_within",
        sa.Column("sha256", Code(64), primary_key=True),
        sa.Column("dataset", Code(63), primary_key=True),
        sa.Column("contract_fingerprint", Code(32), primary_key=True),
        sa.Column("reader_revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data_period", Code(16)),
        sa.Column("message", words()),
        schema="meta",
    )
