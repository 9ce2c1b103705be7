"""SQLMesh makes the same history: a model of kind `SCD_TYPE_2_BY_COLUMN` over the same staged rows, month by month.

With `batch_size 1` it takes the months in their order, and with `updated_at_name` a version begins with its month.
Whole runs of its Python interface, the project being loaded, in an environment with the newest DuckDB that it supports.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks.measure import print_result

MODEL = """
MODEL (
    name core.people,
    kind SCD_TYPE_2_BY_COLUMN (
        unique_key person_id,
        columns [{tracked}],
        updated_at_name period_start,
        execution_time_as_valid_from true,
        invalidate_hard_deletes true,
        batch_size 1
    ),
    start '{start}',
    cron '@monthly'
);

SELECT person_id, {tracked}, period_start
FROM stage.people
WHERE period_start BETWEEN @start_dt AND @end_dt
"""


def main(staged: Path, folder: Path, first: int) -> None:
    """Fill in the first `first` months of `staged` (a parquet file) at once, then one more."""
    os.environ["SQLMESH__DISABLE_ANONYMIZED_ANALYTICS"] = "true"
    import duckdb
    import sqlmesh
    from sqlmesh import Context
    from sqlmesh.core.config import Config, DuckDBConnectionConfig, GatewayConfig, ModelDefaultsConfig

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "models").mkdir(parents=True)
    with duckdb.connect(str(folder / "people.duckdb")) as connection:
        connection.execute("create schema stage")
        connection.execute(
            "create table stage.people as select *, cast(_data_period || '-01' as timestamp) as period_start "
            f"from read_parquet('{staged.as_posix()}')"
        )
        described = connection.execute("describe stage.people").fetchall()
        ((start,),) = connection.execute("select cast(min(period_start) as date) from stage.people").fetchall()
    own = {"person_id", "period_start"}
    tracked = [name for name, *_ in described if name not in own and not name.startswith("_")]
    model = MODEL.format(tracked=", ".join(tracked), start=start)
    (folder / "models" / "people.sql").write_text(model, encoding="utf-8")
    gateway = GatewayConfig(connection=DuckDBConnectionConfig(database=str(folder / "people.duckdb")))
    config = Config(gateways={"duckdb": gateway}, model_defaults=ModelDefaultsConfig(dialect="duckdb"))
    context = Context(paths=[str(folder)], config=config)

    started = time.perf_counter()
    context.plan(auto_apply=True, no_prompts=True, skip_tests=True, execution_time=_month(start, first))
    filled = time.perf_counter() - started
    count = "select count(*) from core.people"
    (rows,) = context.engine_adapter.fetchone(count)
    started = time.perf_counter()
    context.run(execution_time=_month(start, first + 1))
    seconds = {"next": time.perf_counter() - started}
    (next_rows,) = context.engine_adapter.fetchone(count)
    versions = {"sqlmesh": sqlmesh.__version__, "duckdb": duckdb.__version__}
    print_result(filled, seconds, rows=rows, next_rows=next_rows, versions=versions)


def _month(start: date, number: int) -> str:
    """First day of the month that comes `number` after `start`, by when the months before it are complete."""
    months = start.month - 1 + number
    return f"{start.year + months // 12}-{months % 12 + 1:02}-01"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
