"""History: the strategy `period` against dbt's stock `check` snapshot, on the same staged rows in DuckDB."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import chdir
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Line, new_project

STOCK = """
{{% snapshot stock %}}
{{{{ config(strategy='check', unique_key='person_id', check_cols={columns}, hard_deletes='invalidate') }}}}

select person_id, {names}
from {{{{ source('stage', 'people') }}}}
where _data_period = '{{{{ env_var("BENCH_PERIOD") }}}}'

{{% endsnapshot %}}
"""
PERIOD = """
{% snapshot people %}

select * from {{ source('stage', 'people') }}

{% endsnapshot %}
"""
PERIOD_CONFIG = """
snapshots:
  - name: people
    description: People, one row per version.
    config: {unique_key: person_id}
"""


_POPULATION = """
    create table population as
    select
        lpad(i::varchar, 9, '0') as person_id,
        'Anna' as first_name,
        'Name' || i % 50000 as last_name,
        date '1930-01-01' + (i % 33000)::int as birth_date,
        'F' as gender,
        'user' || i || '@example.org' as email,
        'Street ' || i % 3000 as street,
        (i % 200)::varchar as house_number,
        lpad((i % 99999)::varchar, 5, '0') as postal_code,
        'Dresden' as city,
        1000::decimal(12, 2) as income,
        date '1990-01-01' as moved_in_on
    from range({keys}) as numbers (i)
"""
_DELIVERY = (
    "update population set street = 'Street {number}' where hash(person_id, {number}) % 50 = 0",
    "insert into stage.people select *, '{period}', {number}, now()::timestamp, 1, 1 from population",
    """
    insert into meta.dataset_version
        (load_id, dataset, data_period, period_start, period_end, version_no, file_id, parquet_path, parquet_sha256,
        contract_fingerprint, row_count, state, loaded_at, state_changed_at)
    values
        ({number}, 'people', '{period}', date '{period}-01', date '{period}-01' + interval 1 month, 1, 1, '', '',
        '', {keys}, 'superseded', now(), now())
    """,
)


def history(folder: Path, scale: float) -> list[Line]:
    """One new period after 11 and after 47, and a backfill of 24."""
    keys = int(200_000 * scale)
    bench = _Bench(folder, keys)
    after_12 = bench.new_period(12)
    after_48 = bench.new_period(48)
    backfill = bench.backfill(24)
    name = f"{keys:,} keys, 2% changed"
    return [
        Line(f"new period, the 12th, {name}: stock check snapshot, SQL only", after_12["stock"]),
        Line(
            f"new period, the 12th, {name}: period, SQL only",
            after_12["people"],
            "stock",
            after_12["people"] / after_12["stock"],
            "1.2",
        ),
        Line(
            f"new period, the 48th, {name}: period, SQL only",
            after_48["people"],
            "the 12th",
            after_48["people"] / after_12["people"],
            "1.2",
        ),
        Line(f"nothing new, the 48th, {name}: period, SQL only", after_48["idle"]),
        Line(f"backfill of 24 periods, {name}: 24 stock dbt snapshots", backfill["stock"]),
        Line(
            f"backfill of 24 periods, {name}: one dbt snapshot",
            backfill["people"],
            "24 stock",
            backfill["people"] / backfill["stock"],
            "0.2",
        ),
    ]


class _Bench:
    """A project with 48 staged periods, and dbt in this process."""

    def __init__(self, folder: Path, keys: int) -> None:
        self.project = new_project(folder)
        self.root = self.project.root
        snapshots = self.root / "dbt_project" / "snapshots"
        tracked = list(self.project.contract("people").tracked)
        (snapshots / "people.sql").write_text(PERIOD, encoding="utf-8")
        (snapshots / "people.yml").write_text(PERIOD_CONFIG, encoding="utf-8")
        (snapshots / "stock.sql").write_text(STOCK.format(columns=tracked, names=", ".join(tracked)), encoding="utf-8")
        self.file = self.root / "data" / "warehouse.duckdb"
        self.staged = self.root / "data" / "staged.duckdb"
        os.environ["BENCH_PERIOD"] = "2020-01"
        self._stage(keys, 48)
        self.manifest = self._invoke(None, "parse")[0]

    def new_period(self, number: int) -> dict[str, float]:
        """Seconds of SQL for the period of that number, the ones before it being in core already."""
        self._reset(number - 1)
        self._snapshot("people")
        self._sql("create or replace table core.stock as select *, dbt_valid_from as dbt_updated_at from core.people")
        before = self.file.with_suffix(".before")
        shutil.copy(self.file, before)
        os.environ["BENCH_PERIOD"] = _period(number)
        runs: dict[str, list[float]] = {"stock": [], "people": [], "idle": []}
        for _ in range(3):
            for name in ("stock", "people"):
                shutil.copy(before, self.file)
                self._activate(number)
                runs[name].append(self._snapshot(name)[1])
            runs["idle"].append(self._snapshot("people")[1])
        return {name: median(seconds) for name, seconds in runs.items()}

    def backfill(self, periods: int) -> dict[str, float]:
        """Seconds of whole `dbt snapshot` runs (dbt being imported and the project parsed)."""
        self._reset(periods)
        ours = self._snapshot("people")[0]
        self._reset(periods)
        stock = 0.0
        for number in range(1, periods + 1):
            os.environ["BENCH_PERIOD"] = _period(number)
            stock += self._snapshot("stock")[0]
        return {"people": ours, "stock": stock}

    def _stage(self, keys: int, periods: int) -> None:
        from loader.migrate import ensure_migrated

        ensure_migrated(self.project)
        self._sql(_POPULATION.format(keys=keys))
        for number in range(1, periods + 1):
            self._sql(*(statement.format(number=number, period=_period(number), keys=keys) for statement in _DELIVERY))
        self._sql("drop table population")
        shutil.move(self.file, self.staged)

    def _reset(self, periods: int) -> None:
        shutil.copy(self.staged, self.file)
        for number in range(1, periods + 1):
            self._activate(number)

    def _activate(self, number: int) -> None:
        self._sql(f"update meta.dataset_version set state = 'active' where load_id = {number}")

    def _sql(self, *statements: str) -> None:
        import duckdb

        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

    def _snapshot(self, name: str) -> tuple[float, float]:
        _, wall, sql = self._invoke(self.manifest, "snapshot", "--select", name)
        return wall, sql

    def _invoke(self, manifest: Any, *arguments: str) -> tuple[Any, float, float]:
        """The result, seconds in all, and the seconds that the statements of nodes took."""
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner

        spent: list[float] = []

        def listen(event: Any) -> None:
            if event.info.name == "SQLQueryStatus" and event.data.node_info.unique_id:
                spent.append(event.data.elapsed)

        folders = ["--project-dir", str(self.root), "--profiles-dir", str(self.root)]
        started = time.perf_counter()
        quiet = ["--quiet", "--log-level-file", "none", "--log-path", str(self.root)]
        with chdir(self.root):
            answer = dbtRunner(manifest, callbacks=[listen]).invoke([*quiet, *arguments, *folders])
        wall = time.perf_counter() - started
        reset_adapters()  # type: ignore[no-untyped-call]
        self.project.warehouse.engine.release_dbt()
        if not answer.success:
            raise RuntimeError(f"dbt {' '.join(arguments)}: {answer.exception or answer.result}")
        return answer.result, wall, sum(spent)


def _period(number: int) -> str:
    return f"{2020 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}"
