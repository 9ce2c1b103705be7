"""How Alembic writes for DuckDB, which it does not know: plain statements are enough for hand-written revisions."""

from alembic.ddl.impl import DefaultImpl


class DuckDBImpl(DefaultImpl):
    """Registers itself by its dialect."""

    __dialect__ = "duckdb"
    transactional_ddl = True
