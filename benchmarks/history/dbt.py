"""dbt snapshots of staged months: by strategy `period`, which reads them all, or stock `check`, a month a run."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.dbt_process import Invoked, invoke_dbt
from benchmarks.kept import KeptFiles
from benchmarks.measure import print_result

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from loader.project import Project

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
_MOVES = "update population set street = 'Street {number}' where hash(person_id, {number}) % 50 = 0"
_TOGETHER = """
    copy (
        select * exclude (filename), parse_filename(filename, true) as _data_period
        from read_parquet('{files}', filename = true)
    ) to '{staged}'
"""


class _Kept(Protocol):
    """States of the warehouse that a measurement starts from, by name."""

    def keep(self, name: str) -> None: ...
    def restore(self, name: str) -> None: ...
    def copy_table(self, selected: str, source: str, target: str) -> None: ...


class _Files(KeptFiles):
    def copy_table(self, selected: str, source: str, target: str) -> None:
        run_sql(self.project, f"create or replace table {target} as select {selected} from {source}")


class _Tables:
    """Copies of what dbt makes on a server, and of the loads that are active; what is staged stays as it is.

    A table keeps its indexes, so what is restored must be there. Statistics are as they are some time after a build:
    PostgreSQL is told to make them.
    """

    def __init__(self, project: Project) -> None:
        self.project = project

    def keep(self, name: str) -> None:
        for table in self._tables("core"):
            self.copy_table("*", f"core.{table}", f"kept.{name}__{table}")
        self.copy_table("load_id, state", "meta.dataset_version", f"kept.{name}__loads")

    def restore(self, name: str) -> None:
        loads = f"select load_id from kept.{name}__loads where state = 'active'"
        statements = [
            f"""
            update meta.dataset_version
            set state = case when load_id in ({loads}) then 'active' else 'superseded' end
            """
        ]
        kept = self._tables("kept")
        for table in self._tables("core"):
            if f"{name}__{table}" in kept:
                copied = f"insert into core.{table} select * from kept.{name}__{table}"
                statements += [f"truncate table core.{table}", copied]
            else:
                statements.append(f"drop table core.{table}")
        run_sql(self.project, *statements)
        if self.project.warehouse.engine.name == "postgres":
            run_sql(self.project, "analyze")

    def copy_table(self, selected: str, source: str, target: str) -> None:
        run_sql(self.project, f"drop table if exists {target}", f"select {selected} into {target} from {source}")

    def _tables(self, schema: str) -> list[str]:
        query = f"select table_name from information_schema.tables where table_schema = '{schema}'"
        return list(self.project.warehouse.run(lambda connection: connection.exec_driver_sql(query).scalars().all()))


def run_sql(project: Project, *statements: str) -> None:
    """Run statements in one transaction."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    project.warehouse.run(work)


class _Bench:
    """A project with staged months. A month counts as delivered when its load is active."""

    def __init__(self, root: Path) -> None:
        from loader.project import Project

        self.project = Project.open(root)
        self.kept: _Kept = (_Files if self.project.warehouse.engine.embedded else _Tables)(self.project)
        os.environ["BENCH_PERIOD"] = _period(1)

    def prepare(self, keys: int, *months: int) -> None:
        """Stage the months; keep the warehouse as it is before and after each of those named."""
        from benchmarks.projects import start_anew

        snapshots = self.project.root / "dbt_project" / "snapshots"
        tracked = list(self.project.contract("people").tracked)
        (snapshots / "people.sql").write_text(PERIOD, encoding="utf-8")
        (snapshots / "people.yml").write_text(PERIOD_CONFIG, encoding="utf-8")
        (snapshots / "stock.sql").write_text(STOCK.format(columns=tracked, names=", ".join(tracked)), encoding="utf-8")
        start_anew(self.project)
        self._stage(keys, max(months))
        run_sql(self.project, "update meta.dataset_version set state = 'superseded'")
        if not self.project.warehouse.engine.embedded:
            run_sql(self.project, "create schema kept")
        self.kept.keep("staged")
        for number in months:
            self._deliver_again(number - 1)
            self._snapshot("people")
            self.kept.copy_table("*, dbt_valid_from as dbt_updated_at", "core.people", "core.stock")
            self.kept.keep(f"before_{number}")
            self._deliver(number)
            self._snapshot("people")
            self.kept.keep(f"after_{number}")

    def next_month(self, number: int, name: str) -> Invoked:
        """One new month, the ones before it being in core already."""
        self.kept.restore(f"before_{number}")
        self._deliver(number)
        os.environ["BENCH_PERIOD"] = _period(number)
        return self._snapshot(name)

    def next_with_unknown(self, number: int, name: str) -> Invoked:
        """One new month, in which some keys are unknown."""
        self.kept.restore(f"before_{number}")
        self._deliver(number)
        self._make_unknown(f"_load_id = {number}")
        return self._snapshot(name)

    def backfill_with_unknown(self, months: int, name: str) -> Invoked:
        """All months at once, core being empty; some keys are unknown in each."""
        self._deliver_again(months)
        self._make_unknown(f"_load_id <= {months}")
        return self._snapshot(name)

    def _make_unknown(self, where: str) -> None:
        """A key in a hundred is stated by no valid row, but by a rejected one."""
        chosen = f"{where} and hash(person_id, _data_period) % 100 = 0"
        run_sql(
            self.project,
            "insert into stage.people__unknown select person_id, _data_period, _load_id, _source_row "
            f"from stage.people where {chosen}",
            f"delete from stage.people where {chosen}",
            f"update meta.dataset_version set unknown_keys = 1, unreadable_keys = 0 where {where.removeprefix('_')}",
        )

    def idle(self, number: int, name: str) -> Invoked:
        """A run that finds nothing new."""
        self.kept.restore(f"after_{number}")
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
        count = f"select count(*) from core.{name}"
        return int(self.project.warehouse.run(lambda connection: connection.exec_driver_sql(count).scalar_one()))

    def _stage(self, keys: int, months: int) -> None:
        """Each month as a parquet file and in stage, with a load that is not active; all of them as one file too."""
        import duckdb

        folder = self.project.root / "data" / "staged"
        folder.mkdir(parents=True)
        with duckdb.connect() as population:
            population.execute(_POPULATION.format(keys=keys))
            for number in range(1, months + 1):
                month = folder / f"{_period(number)}.parquet"
                population.execute(_MOVES.format(number=number))
                population.execute(f"copy population to '{month.as_posix()}'")
                self._append(number, month, keys)
            staged = folder.with_suffix(".parquet")
            population.execute(_TOGETHER.format(files=(folder / "*.parquet").as_posix(), staged=staged.as_posix()))

    def _append(self, number: int, month: Path, keys: int) -> None:
        from loader.warehouse.stage_table import stage_table
        from loader.warehouse.version_changes import Change

        contract, period = self.project.contract("people"), _period(number)
        bounds = contract.period(period)
        loaded_at = datetime(2030, 1, 1)
        table, warehouse = stage_table(contract), self.project.warehouse

        def work(connection: Connection) -> None:
            lineage = {"_data_period": period, "_load_id": number, "_loaded_at": loaded_at, "_source_file_id": 1}
            warehouse.engine.append_parquet(connection, table, month, lineage)
            load = {"load_id": number, "dataset": "people", "data_period": period, "period_start": bounds.start}
            load |= {"period_end": bounds.end, "version_no": 1, "file_id": 1, "parquet_path": "", "parquet_sha256": ""}
            load |= {"contract_fingerprint": "", "row_count": keys, "loaded_at": loaded_at}
            Change.begin(connection, "people", "load-stage", "").add(load)

        with warehouse.uploaded(table, month, number):
            warehouse.run(work)

    def _deliver_again(self, months: int) -> None:
        self.kept.restore("staged")
        run_sql(self.project, f"update meta.dataset_version set state = 'active' where load_id <= {months}")

    def _deliver(self, number: int) -> None:
        run_sql(self.project, f"update meta.dataset_version set state = 'active' where load_id = {number}")

    def _snapshot(self, name: str) -> Invoked:
        manifest = self._manifest  # parsing is not what is measured
        return invoke_dbt(self.project, "snapshot", "--select", name, manifest=manifest)

    @cached_property
    def _manifest(self) -> Any:
        return invoke_dbt(self.project, "parse").result


def _period(number: int) -> str:
    return f"{2020 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}"


def main(root: Path, what: str, number: int, *more: str) -> None:
    bench = _Bench(root)
    if what == "prepare":
        bench.prepare(number, *map(int, more))
        return
    (name,) = more
    ways = {
        "next": bench.next_month,
        "idle": bench.idle,
        "backfill": bench.backfill,
        "next_with_unknown": bench.next_with_unknown,
        "backfill_with_unknown": bench.backfill_with_unknown,
    }
    made: Invoked = ways[what](number, name)
    print_result(made.seconds, {"sql": made.sql_seconds}, rows=bench.rows(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
