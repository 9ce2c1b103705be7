"""The limit on a server: its own way to take in many rows at once, of rows that are prepared. Nothing is checked.

The table is `bare`, with the columns of the delivery and nothing else, or that of `stage`, with lineage and index.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import print_result

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from loader.project import Project

LINEAGE = {"_data_period": "2025-01", "_load_id": 1, "_source_file_id": 1, "_source_row": 1}


def main(root: Path, csv: Path, kind: str, way: str) -> None:
    """Fill the table `kind` in one of the ways below."""
    from benchmarks.projects import start_anew
    from loader.project import Project

    project = Project.open(root)
    start_anew(project)
    table = _table(project, kind)
    rows = _typed(project, csv)
    for name, value in LINEAGE.items() if kind == "stage" else ():
        rows = rows.append_column(name, [[value] * len(rows)])
    prepared, copy = WAYS[way](rows, csv.with_suffix(f".{kind}"))
    del rows

    def fill(connection: Connection) -> None:
        copy(connection, table, prepared)

    started = time.perf_counter()
    project.warehouse.run(fill)
    seconds = time.perf_counter() - started
    count = project.warehouse.run(lambda c: c.exec_driver_sql(f"select count(*) from {table.fullname}").scalar_one())
    print_result(seconds, rows=count)


def _table(project: Project, kind: str) -> Table:
    from sqlalchemy import Column, MetaData, Table

    from loader.warehouse.stage_table import stage_table

    staged = stage_table(project.contract("people"))
    if kind == "stage":
        return staged
    columns = [Column(column.name, column.type) for column in staged.columns if not column.name.startswith("_")]
    bare = Table("bare", MetaData(), *columns, schema="stage")
    project.warehouse.run(bare.create)
    return bare


def _typed(project: Project, csv: Path) -> Any:
    """The delivery as an Arrow table."""
    import pyarrow.csv as pacsv

    from loader.archive.parquet import arrow_type

    types = {column.name: arrow_type(column.type) for column in project.contract("people").columns}
    return pacsv.read_csv(csv, convert_options=pacsv.ConvertOptions(column_types=types))


def _as_file(rows: Any, path: Path) -> tuple[Any, Any]:
    """`COPY` from a file that has the columns in their order."""
    import pyarrow.csv as pacsv

    pacsv.write_csv(rows, path)
    names = ", ".join(rows.column_names)

    def copy(connection: Connection, table: Table, prepared: Path) -> None:
        with prepared.open("rb") as file, closing(connection.connection.cursor()) as cursor:
            cursor.copy_expert(f"copy {table.fullname} ({names}) from stdin with (format csv, header)", file, 1 << 20)

    return path, copy


def _as_tuples(rows: Any, _: Path) -> tuple[Any, Any]:
    """`bulkcopy` of rows in memory."""
    names = rows.column_names

    def copy(connection: Connection, table: Table, prepared: Any) -> None:
        with closing(connection.connection.cursor()) as cursor:
            cursor.bulkcopy(table.fullname, prepared, timeout=0, column_mappings=names, table_lock=True)

    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True)), copy


def _as_arrow(rows: Any, _: Path) -> tuple[Any, Any]:
    """`bulkcopy_arrow` of the same rows."""

    def copy(connection: Connection, table: Table, prepared: Any) -> None:
        names = prepared.column_names
        with closing(connection.connection.cursor()) as cursor:
            cursor.bulkcopy_arrow(table.fullname, prepared, timeout=0, column_mappings=names, table_lock=True)

    return rows, copy


WAYS = {"copy": _as_file, "bulkcopy": _as_tuples, "bulkcopy_arrow": _as_arrow}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
