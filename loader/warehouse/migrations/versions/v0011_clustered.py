"""Incoming tables of SQL Server do not grow with each load; those of core are the build's, which owns them."""

from __future__ import annotations

from alembic import op

from loader.warehouse.engines.clustered import cluster_incoming

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    if not op.get_context().as_sql:  # a script is for a warehouse that is empty
        cluster_incoming(op.get_bind())
