"""The limit: DuckDB alone reads the CSV into parquet and the parquet into a table. No hash, no checks, no history."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.measure import print_result


def main(csv: Path, folder: Path) -> None:
    import duckdb

    database, parquet = folder / "raw.duckdb", folder / "raw.parquet"
    database.unlink(missing_ok=True)
    started = time.perf_counter()
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"copy (select * from read_csv('{csv}')) to '{parquet}'")
        connection.execute(f"create table people as select * from read_parquet('{parquet}')")
    print_result(time.perf_counter() - started)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
