"""The mark of a complete build, and the tables whose gate has passed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code, moment, words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    mark = op.create_table(
        "build_mark",
        sa.Column("mark_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", Code(32), nullable=False),
        sa.Column("target", words(255)),
        sa.Column("inputs", words()),
        sa.Column("warnings", words()),
        sa.Column("built_at", moment()),
        schema="meta",
    )
    op.bulk_insert(mark, [{"mark_id": 1, "token": "none"}])
    op.create_table(
        "gate_pass",
        sa.Column("layer", Code(16), primary_key=True),
        sa.Column("table_name", Code(127), primary_key=True),
        sa.Column("state", Code(64), nullable=False),
        sa.Column("passed_at", moment(), nullable=False),
        schema="meta",
    )
