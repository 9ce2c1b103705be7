"""How Alembic reaches the warehouse: over the connection that `loader migrate` hands in."""

from alembic import context
from alembic.ddl.impl import DefaultImpl


class DuckDBImpl(DefaultImpl):
    """Alembic knows no DuckDB; its plain statements are enough for hand-written forward revisions."""

    __dialect__ = "duckdb"
    transactional_ddl = True


def run() -> None:
    said = context.config.attributes
    if context.is_offline_mode():
        context.configure(dialect_name=said["dialect"], as_sql=True, version_table_schema="meta")
    else:
        context.configure(connection=said["connection"], version_table_schema="meta")
    with context.begin_transaction():
        context.run_migrations()


run()
