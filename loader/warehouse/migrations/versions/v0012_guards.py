"""What the database itself refuses: a second active load of a period, and another story of a step that was audited."""

from __future__ import annotations

from alembic import op

from loader.warehouse.engines.append_only import append_only
from loader.warehouse.engines.unique_where import unique_where

revision = "0012"
down_revision = "0011"

_ACTIVE = ("dataset_version_one_active", "meta.dataset_version (dataset, data_period)", "state = 'active'")
_ENDS = ("status", "ended_at", "duration_seconds", "rows_in", "rows_out", "error")
_FIXED = ("audit_id", "run_id", "step", "dataset", "data_period", "subject", "started_at", "host", "pid")


def upgrade() -> None:
    context = op.get_context()
    statements = unique_where(context.dialect, *_ACTIVE, is_script=context.as_sql)
    statements += append_only(context.dialect, "meta.etl_audit", _ENDS, _FIXED)
    for statement in statements:
        op.execute(statement)
