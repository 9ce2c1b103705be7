"""Files of which rows were purged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("ingestion_log", sa.Column("purged_at", moment()), schema="meta")
