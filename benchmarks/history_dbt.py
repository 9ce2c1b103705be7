"""dbt snapshots of staged months: by strategy `period`, which reads them all, or stock `check`, a month a run."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.dbt_process import Invoked, invoke_dbt
from benchmarks.measure import tell

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


class _Bench:
    """A project with staged months. A month counts as delivered when its load is active."""

    def __init__(self, root: Path) -> None:
        from loader.project import Project

        self.project = Project.open(root)
        self.file = root / "data" / "warehouse.duckdb"
        os.environ["BENCH_PERIOD"] = _period(1)

    def prepare(self, keys: int, *months: int) -> None:
        """Stage the months; keep the warehouse as it is before and after each of those named."""
        from loader.migrate import ensure_migrated

        snapshots = self.project.root / "dbt_project" / "snapshots"
        tracked = list(self.project.contract("people").tracked)
        (snapshots / "people.sql").write_text(PERIOD, encoding="utf-8")
        (snapshots / "people.yml").write_text(PERIOD_CONFIG, encoding="utf-8")
        (snapshots / "stock.sql").write_text(STOCK.format(columns=tracked, names=", ".join(tracked)), encoding="utf-8")
        ensure_migrated(self.project)
        self._sql(_POPULATION.format(keys=keys))
        for number in range(1, max(months) + 1):
            self._sql(*(statement.format(number=number, period=_period(number), keys=keys) for statement in _DELIVERY))
        self._sql("drop table population", f"copy stage.people to '{self._kept('staged', 'parquet')}'")
        shutil.copy(self.file, self._kept("staged"))
        for number in months:
            self._deliver_again(number - 1)
            self._snapshot("people")
            copied = "select *, dbt_valid_from as dbt_updated_at from core.people"
            self._sql(f"create or replace table core.stock as {copied}")
            shutil.copy(self.file, self._kept(f"before_{number}"))
            self._sql(_delivered(number))
            self._snapshot("people")
            shutil.copy(self.file, self._kept(f"after_{number}"))

    def next_month(self, number: int, name: str) -> Invoked:
        """One new month, the ones before it being in core already."""
        shutil.copy(self._kept(f"before_{number}"), self.file)
        self._sql(_delivered(number))
        os.environ["BENCH_PERIOD"] = _period(number)
        return self._snapshot(name)

    def idle(self, number: int, name: str) -> Invoked:
        """A run that finds nothing new."""
        shutil.copy(self._kept(f"after_{number}"), self.file)
        return self._snapshot(name)

    def backfill(self, months: int, name: str) -> Invoked:
        """All months, core being empty: at once, or by a run for each."""
        self._deliver_again(months)
        if name == "people":
            return self._snapshot(name)
        runs = []
        for number in range(1, months + 1):
            os.environ["BENCH_PERIOD"] = _period(number)
            runs.append(self._snapshot(name))
        return Invoked(None, sum(run.seconds for run in runs), sum(run.sql_seconds for run in runs))

    def rows(self, name: str) -> int:
        import duckdb

        with duckdb.connect(str(self.file)) as connection:
            return int(connection.execute(f"select count(*) from core.{name}").fetchall()[0][0])

    def _deliver_again(self, months: int) -> None:
        shutil.copy(self._kept("staged"), self.file)
        self._sql(*(_delivered(number) for number in range(1, months + 1)))

    def _kept(self, name: str, ending: str = "duckdb") -> Path:
        return self.file.with_name(f"{name}.{ending}")

    def _sql(self, *statements: str) -> None:
        import duckdb

        with duckdb.connect(str(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)

    def _snapshot(self, name: str) -> Invoked:
        manifest = self._manifest  # parsing is not what is measured
        return invoke_dbt(self.project, "snapshot", "--select", name, manifest=manifest)

    @cached_property
    def _manifest(self) -> Any:
        return invoke_dbt(self.project, "parse").result


def _delivered(number: int) -> str:
    return f"update meta.dataset_version set state = 'active' where load_id = {number}"


def _period(number: int) -> str:
    return f"{2020 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}"


def main(root: Path, what: str, number: int, *more: str) -> None:
    bench = _Bench(root)
    if what == "prepare":
        bench.prepare(number, *map(int, more))
        return
    (name,) = more
    made: Invoked = {"next": bench.next_month, "idle": bench.idle, "backfill": bench.backfill}[what](number, name)
    tell(made.seconds, {"sql": made.sql_seconds}, rows=bench.rows(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
