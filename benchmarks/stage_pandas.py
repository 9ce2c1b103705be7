"""pandas as it is used most: `read_csv`, then `to_sql` with its defaults through SQLAlchemy. Checks nothing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.measure import tell


def main(csv: Path, folder: Path) -> None:
    import pandas as pd
    from sqlalchemy import create_engine

    database = folder / "pandas.duckdb"
    database.unlink(missing_ok=True)
    types = dict.fromkeys(("person_id", "house_number", "postal_code"), "str")
    engine = create_engine(f"duckdb:///{database.as_posix()}")
    started = time.perf_counter()
    people = pd.read_csv(csv, dtype=types, parse_dates=["birth_date", "moved_in_on"])  # noqa: TID251 - the peer
    people.to_sql("people", engine, if_exists="append", index=False)
    tell(time.perf_counter() - started, rows=len(people), versions={"pandas": pd.__version__})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
