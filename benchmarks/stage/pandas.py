"""pandas as it is used most: `read_csv`, then `to_sql` with its defaults through SQLAlchemy. Checks nothing."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import print_result

if TYPE_CHECKING:
    from sqlalchemy import URL


def main(csv: Path, folder: Path, on: str = "file") -> None:
    import pandas as pd
    from sqlalchemy import create_engine

    types = dict.fromkeys(("person_id", "house_number", "postal_code"), "str")
    engine = create_engine(_empty_server(folder) if on == "server" else _empty_file(folder))
    started = time.perf_counter()
    people = pd.read_csv(csv, dtype=types, parse_dates=["birth_date", "moved_in_on"])  # noqa: TID251 - the peer
    people.to_sql("people", engine, if_exists="append", index=False)
    print_result(time.perf_counter() - started, rows=len(people), versions={"pandas": pd.__version__})


def _empty_file(folder: Path) -> str:
    database = folder / "pandas.duckdb"
    database.unlink(missing_ok=True)
    return f"duckdb:///{database.as_posix()}"


def _empty_server(root: Path) -> URL:
    """That of the project in the folder."""
    from benchmarks.projects import start_anew
    from loader.project import Project

    project = Project.open(root)
    start_anew(project)
    return project.warehouse.engine.url()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
