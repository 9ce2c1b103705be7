"""What the result of a validation hangs on besides file, contract and reader."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("validation_log", sa.Column("conditions", Code(64)), schema="meta")
