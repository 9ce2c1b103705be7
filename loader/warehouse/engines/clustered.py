"""Tables that are emptied by DELETE: on SQL Server a heap keeps its empty pages, so they are clustered there.

With row versions (READ_COMMITTED_SNAPSHOT) not even a lock of the table frees them: KB 913399.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Index, MetaData, Table, inspect
from sqlalchemy.schema import CreateIndex

from loader.warehouse.layers import STAGE

INCOMING = "__incoming"
"""What the name of a stage table gets behind it for the table of rows on their way into it."""


def load_index(incoming: Table) -> Index:
    """Add the index by which a load finds its rows to an incoming table: they lie together."""
    return Index(f"ix_{incoming.name}_load_id", incoming.c["_load_id"], mssql_clustered=True)


def cluster_incoming(connection: Connection) -> None:
    """Give it to the incoming tables that there are; other engines have none."""
    if connection.dialect.name != "mssql":
        return
    for name in inspect(connection).get_table_names(schema=STAGE):
        if name.endswith(INCOMING):
            made = Table(name, MetaData(), Column("_load_id", BigInteger), schema=STAGE)
            connection.execute(CreateIndex(load_index(made), if_not_exists=True))
