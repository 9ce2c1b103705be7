"""dlt loads the same CSV with write disposition `merge`: by `delete-insert`, as `loader load` does, or by `scd2`.

In the quickest way that it has: Arrow tables with declared types, which it hands on as parquet or CSV where the
destination takes that, and for delete-insert a merge key only (a primary key would remove duplicates too). Nothing is
checked. The time is that of `pipeline.run`.
Runs in the environment of the peer.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.measure import print_result

PERIODS = ("2025-01", "2025-02")


def main(destination: str, strategy: str, folder: Path, *files: Path) -> None:
    """Load the files one after the other, each as a month; a server is that of the project in the folder."""
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL")
    import dlt

    work = folder / f"dlt-{strategy}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    pipeline = dlt.pipeline(
        "people",
        destination=_destination(destination, work),
        dataset_name=f"people_{os.getpid()}",  # nobody has used it
        pipelines_dir=str(work / "pipelines"),
        progress=None,
    )
    seconds = []
    for period, file in zip(PERIODS, files, strict=False):
        started = time.perf_counter()
        pipeline.run(_people(strategy, period, file), loader_file_format=_HANDED_ON[destination])
        seconds.append(time.perf_counter() - started)
    with pipeline.sql_client() as client:
        ((rows,),) = client.execute_sql(f"select count(*) from {client.make_qualified_table_name('people')}") or ()
    versions = {"dlt": dlt.__version__} | ({"duckdb": version("duckdb")} if destination == "duckdb" else {})
    print_result(seconds[0], dict(zip(("first", "next"), seconds, strict=False)), rows=rows, versions=versions)


_HANDED_ON: dict[str, Any] = {"duckdb": "parquet", "postgres": "csv", "sqlserver": None}
"""What each destination takes in most quickly; None is all that it takes."""


def _destination(name: str, folder: Path) -> Any:
    import dlt
    import yaml

    if name == "duckdb":
        return dlt.destinations.duckdb(str(folder / "people.duckdb"))
    output = yaml.safe_load((folder.parent / "profiles.yml").read_text(encoding="utf-8"))["almanac"]["outputs"]["dev"]
    login = {"username": output["user"], **{word: output[word] for word in ("host", "port", "password")}}
    if name == "postgres":
        login["host"] = quote(login["host"], safe="")  # the folder of a socket, perhaps
        return dlt.destinations.postgres({**login, "database": output["dbname"]})
    words = {"Encrypt": output["encrypt"], "TrustServerCertificate": output["trust_cert"]}
    query = {word: "yes" if value else "no" for word, value in words.items()}
    return dlt.destinations.mssql({**login, "database": output["database"], "query": query})


def _people(strategy: str, period: str, file: Path) -> Any:
    import dlt

    disposition: Any = {"disposition": "merge", "strategy": strategy}
    if strategy == "delete-insert":
        return dlt.resource(
            lambda: _tables(file, period), name="people", write_disposition=disposition, merge_key="data_period"
        )
    from dlt.sources.helpers.transform import add_row_hash_to_table

    disposition |= {"row_version_column_name": "row_hash", "boundary_timestamp": f"{period}-01"}
    people = dlt.resource(lambda: _tables(file), name="people", write_disposition=disposition)
    return people.add_map(add_row_hash_to_table("row_hash"))


def _tables(file: Path, period: str | None = None) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    text = dict.fromkeys(("person_id", "house_number", "postal_code"), pa.string())
    days = dict.fromkeys(("birth_date", "moved_in_on"), pa.date32())
    types = {**text, **days, "income": pa.decimal128(12, 2)}
    reader = pacsv.open_csv(
        file,
        read_options=pacsv.ReadOptions(block_size=8 << 20),
        convert_options=pacsv.ConvertOptions(column_types=types),
    )
    for batch in reader:
        table = pa.Table.from_batches([batch])
        yield table if period is None else table.append_column("data_period", pa.array([period] * len(table)))


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(Path, sys.argv[3:]))
