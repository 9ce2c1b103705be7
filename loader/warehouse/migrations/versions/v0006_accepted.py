"""Under which contract and reader somebody accepted the values of a load."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from loader.warehouse.engines.types import Code

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("dataset_version", sa.Column("accepted_contract", Code(32)), schema="meta")
    op.add_column("dataset_version", sa.Column("accepted_reader", sa.Integer), schema="meta")
