"""`dbt build` of the citizens after one thing has changed: the seconds of each node, those of tests summed.

The months are staged by SQL. Of the citizens 2% change in a month, most of them move; one in 200 leaves, and as many
arrive.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.dbt_process import invoke_dbt
from benchmarks.kept import KeptFiles
from benchmarks.measure import print_result

_PLACES = 60
_REGISTER = """
    create table register as
    select
        i as number,
        lpad(i::varchar, 9, '0') as citizen_id,
        'Anna' as first_name,
        'Name' || i % 5000 as last_name,
        date '1930-01-01' + (i * 7919 % 33000)::int as birth_date,
        ['F', 'M', 'X'][1 + (i % 3)::int] as gender,
        'user' || i || '@example.org' as email,
        '+4930' || (23125000 + i % 1000) as phone,
        'Street ' || i % 3000 as street,
        (1 + i % 200)::varchar as house_number,
        i * 31 % {places} as place,
        date '2021-01-01' as moved_in_on
    from range({keys}) as numbers (i)
"""
_MONTH = (
    """
    update register
    set place = (place + 1 + {month}) % {places}, street = 'Street {month}', moved_in_on = date '{period}-01'
    where hash(number, {month}) % 60 = 0
    """,
    "update register set last_name = 'Name' || {month} where hash(number, {month}, 'name') % 300 = 0",
    "delete from register where hash(number, {month}, 'left') % 200 = 0",
    """
    insert into register
    select 1000000 * {month} + row_number() over () as new, lpad(new::varchar, 9, '0'), * exclude (number, citizen_id)
    from register where hash(number, {month}, 'came') % 200 = 0
    """,
)
_STAGE = (
    """
    insert into stage.citizens
    select citizen_id, first_name, last_name, birth_date, gender, email, phone, street, house_number,
        lpad((1067 + 13 * place)::varchar, 5, '0'), 'City ' || place % 17, moved_in_on,
        '{period}', {load}, now()::timestamp, 1, row_number() over ()
    from register
    """,
    """
    insert into meta.dataset_version
        (load_id, dataset, data_period, period_start, period_end, version_no, file_id, parquet_path, parquet_sha256,
        contract_fingerprint, row_count, state, loaded_at, state_changed_at)
    select {load}, 'citizens', '{period}', date '{period}-01', date '{period}-01' + interval 1 month, 1, 1, '', '',
        '', count(*), 'active', now(), now()
    from register
    """,
)
_CORRECTION = (
    "update meta.dataset_version set state = 'superseded' where data_period = '{period}'",
    """
    insert into meta.dataset_version
    select * replace (1000000 as load_id, 2 as version_no, 'active' as state)
    from meta.dataset_version where data_period = '{period}'
    """,
    """
    update stage.citizens
    set _load_id = 1000000, street = case when hash(citizen_id) % 1000 = 0 then 'Late Street' else street end
    where _data_period = '{period}'
    """,
)


class _Bench:
    """The repository's project with staged months."""

    def __init__(self, root: Path, months: int) -> None:
        from loader.project import Project

        self.project, self.months = Project.open(root), months
        self.kept = KeptFiles(self.project)

    def prepare(self, keys: int) -> None:
        """Stage the months and build; stage one more. Keep both."""

        self.kept.file.unlink(missing_ok=True)
        self.project.ensure_migrated()
        self._sql(_REGISTER.format(keys=keys, places=_PLACES))
        for month in range(1, self.months + 2):
            if month > self.months:
                self._build()
                self.kept.keep(self._state("built"))
            values = {"month": month, "period": _period(month), "load": month, "places": _PLACES}
            self._sql(*(statement.format(**values) for statement in (*_MONTH, *_STAGE)))
        self.kept.keep(self._state("next"))

    def after(self, scenario: str) -> Any:
        """The results of a build after `nothing` was loaded, the `next` month, or a correction of the `first`."""
        self.kept.restore(self._state("next" if scenario == "next" else "built"))
        if scenario == "first":
            self._sql(*(statement.format(period=_period(1)) for statement in _CORRECTION))
        return self._build()

    def _build(self) -> Any:
        manifest = invoke_dbt(self.project, "parse").result  # parsing is not what is measured
        return invoke_dbt(self.project, "build", "--no-write-json", manifest=manifest).result

    def _state(self, name: str) -> str:
        return f"{name}_{self.months}"

    def _sql(self, *statements: str) -> None:
        import duckdb

        with duckdb.connect(str(self.kept.file)) as connection:
            for statement in statements:
                connection.execute(statement)


def _seconds_by_node(results: Any) -> dict[str, float]:
    """Snapshots and models by name; tests summed by the table that they are about, the others by name."""
    seconds: dict[str, float] = defaultdict(float)
    for result in sorted(results, key=lambda result: result.node.resource_type == "test"):
        if result.node.resource_type in ("snapshot", "model", "test"):
            seconds[_name(result.node)] += result.execution_time
    return dict(seconds)


def _name(node: Any) -> str:
    attached = getattr(node, "attached_node", None)
    if attached:
        return f"tests of {attached.rpartition('.')[2]}"
    if hasattr(node, "test_metadata"):  # of a source
        return f"tests of {'.'.join(node.sources[0])}"
    return str(node.name)


def _period(month: int) -> str:
    return f"{2020 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}"


def main(root: Path, what: str, months: int, *keys: int) -> None:
    bench = _Bench(root, months)
    if what == "prepare":
        bench.prepare(*keys)
        return
    seconds = _seconds_by_node(bench.after(what))
    print_result(sum(seconds.values()), seconds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
