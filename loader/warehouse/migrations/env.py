"""How Alembic reaches the warehouse: over the connection that `loader migrate` hands in."""

from alembic import context

import loader.warehouse.engines.duckdb_alembic  # noqa: F401 - Alembic finds it there
from loader.warehouse.layers import META


def run() -> None:
    attributes = context.config.attributes
    if context.is_offline_mode():
        context.configure(dialect_name=attributes["dialect"], as_sql=True, version_table_schema=META)
    else:
        context.configure(connection=attributes["connection"], version_table_schema=META)
    with context.begin_transaction():
        context.run_migrations()


run()
