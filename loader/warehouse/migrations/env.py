"""How Alembic reaches the warehouse: over the connection that `loader migrate` hands in."""

from alembic import context

import loader.warehouse.engines.duckdb_alembic  # noqa: F401 - Alembic finds it there


def run() -> None:
    said = context.config.attributes
    if context.is_offline_mode():
        context.configure(dialect_name=said["dialect"], as_sql=True, version_table_schema="meta")
    else:
        context.configure(connection=said["connection"], version_table_schema="meta")
    with context.begin_transaction():
        context.run_migrations()


run()
