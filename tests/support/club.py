"""A club whose members are persons: a full dataset with a personal key and a delta with a key of two parts, each with
its history, a fact and what follows from them. For tests of what is told of persons, and of how they are purged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import Project
from tests.support.deliveries import follow_contracts, write_csv
from tests.support.engines import Rows

CONTRACTS = r"""
datasets:
  members:
    title: Members
    description: Members of the club, one row per person.
    file_name: 'members_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv, dates: ['%d.%m.%Y']}
    grain: month
    kind: full
    key: member_no
    columns:
      member_no:
        type: varchar(12)
        description: Number of the member.
        required: true
        personal: true
        clean: [trim, {zero_pad: {width: 8}}]
        pattern: '^[0-9]{8}$'
      name: {type: varchar(30), description: Name., required: true, personal: true}
      born: {type: date, description: Day of birth., personal: true, min: 1900-01-01, max: period_end}
      fee: {type: 'decimal(8,2)', description: Fee in euro., personal: true, min: 0}
      rank: {type: varchar(12), description: Rank., personal: true, tracked: false}
      city: {type: varchar(20), description: Place., allowed: [Dresden, Leipzig]}
      joined: {type: date, description: Member since.}
    row_rules:
      - {name: joined_after_birth, description: Nobody joins before being born., check: joined >= born}
    invalid_rows: {action: reject_rows, max_share: 0.5}
    guard: {ended: 0.5, changed: 0.5}
  visits:
    title: Visits
    description: When a member was in a house of the club last, changes only.
    file_name: 'visits_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv}
    grain: month
    kind: delta
    end_marker: {column: state, value: gone}
    key: [house, member_no]
    columns:
      house: {type: integer, description: Number of the house., required: true}
      member_no: {type: varchar(12), description: Number of the member., required: true, personal: true}
      state: {type: varchar(5), description: here or gone., required: true, allowed: [here, gone]}
      last_on: {type: date, description: Last visit., personal: true}
    invalid_rows: {action: reject_rows, max_share: 0.5}
    guard: {ended: 1.0, changed: 1.0}
"""

_FACT = """
{{{{ config(materialized='incremental', incremental_strategy='period_replace') }}}}
select periods.period_start, periods.data_period, {columns}
from {{{{ delivered_periods(ref('{dataset}')) }}}} as periods
inner join {{{{ ref('{dataset}') }}}} as history
    on periods.period_start >= history.dbt_valid_from
    and (history.dbt_valid_to is null or periods.period_start < history.dbt_valid_to)
{{% if is_incremental() %}}
where periods.period_start >= {{{{ first_stale_period() }}}}
{{% endif %}}
"""
_MEMBERS = ("member_no", "name", "born", "fee", "rank", "city", "joined")
_VISITS = ("house", "member_no", "state", "last_on")
PROJECT = {
    "snapshots/members.sql": "{% snapshot members %}\nselect "
    + ", ".join([*_MEMBERS, "_data_period", "_load_id"])
    + "\nfrom {{ source('stage', 'members') }}\n{% endsnapshot %}\n",
    "snapshots/visits.sql": "{% snapshot visits %}\nselect "
    + ", ".join([*_VISITS, "_data_period", "_load_id"])
    + "\nfrom {{ source('stage', 'visits') }}\n{% endsnapshot %}\n",
    "snapshots/_snapshots.yml": """
version: 2
snapshots:
  - {name: members, config: {unique_key: member_no}}
  - {name: visits, config: {unique_key: [house, member_no]}}
""",
    "models/marts/fct_member.sql": _FACT.format(
        dataset="members", columns=", ".join(f"history.{name}" for name in _MEMBERS)
    ),
    "models/marts/fct_visit.sql": _FACT.format(
        dataset="visits", columns=", ".join(f"history.{name}" for name in _VISITS)
    ),
    "models/marts/dim_member.sql": "select *, {{ surrogate_key(['member_no', timestamp_text('dbt_valid_from')]) }} "
    "as member_key\nfrom {{ ref('members') }}\n",
    "models/marts/agg_member.sql": "select data_period, city, count(*) as members,"
    " cast(sum(fee) as decimal(38, 2)) as fees\nfrom {{ ref('fct_member') }}\ngroup by data_period, city\n",
}
TABLES = ("core.members", "core.visits", "mart.dim_member", "mart.fct_member", "mart.fct_visit", "mart.agg_member")


def open_club(project: Project) -> Project:
    """Give the project the club's contracts, histories and models in place of its own."""
    root = project.root
    (root / "datasets_config.yml").write_text(CONTRACTS, encoding="utf-8")
    for folder in ("dbt_project/models/marts", "dbt_project/snapshots", "dbt_project/tests", "dbt_project/analyses"):
        for path in (root / folder).iterdir():
            if path.name != "generic":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    for layer in ("core", "mart"):
        shutil.rmtree(root / "gx/expectations" / layer)
    for name, text in PROJECT.items():
        (root / "dbt_project" / name).write_text(text, encoding="utf-8")
    for table in TABLES:
        expect(project, table, {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 0}})
    follow_contracts(project)
    return project


def expect(project: Project, table: str, *expectations: Mapping[str, Any], personal: Sequence[str] = ()) -> None:
    """The suite of a table, from now on; `personal` are columns that it hides besides those of the contracts."""
    layer, _, name = table.partition(".")
    path = project.root / "gx/expectations" / layer / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    suite = {"name": table, "meta": {"personal": [*personal]}, "expectations": [*expectations]}
    path.write_text(json.dumps(suite), encoding="utf-8")


def member(number: int, **cells: str) -> dict[str, str]:
    """A valid row of the members, as the sender writes it."""
    row = {
        "member_no": f"{number:08}",
        "name": f"Member {number}",
        "born": f"{1 + number % 28:02}.03.1970",
        "fee": f"{10 + number}.50",
        "rank": f"rank {number}",
        "city": ("Dresden", "Leipzig")[number % 2],
        "joined": "2010-01-01",
    }
    return {**row, **cells}


def visit(house: int, number: int, **cells: str) -> dict[str, str]:
    """A valid row of the visits."""
    return {"house": str(house), "member_no": f"{number:08}", "state": "here", "last_on": "2024-12-24", **cells}


def deliver(
    project: Project,
    dataset: str,
    period: str,
    rows: Sequence[Mapping[str, str]],
    *,
    order: int | None = None,
    header: Sequence[str] | None = None,
) -> Path:
    """Put a file into the landing folder; a file of that name is overwritten, as senders do."""
    names = {"members": _MEMBERS, "visits": _VISITS}[dataset]
    path = project.landing / f"{dataset}_{period}{'' if order is None else f'_v{order}'}.csv"
    return write_csv(path, [[row[name] for name in names] for row in rows], header=header or names)


def contents(project: Project, *tables: str) -> dict[str, Rows]:
    """The rows of tables, sorted."""
    return {table: sorted(project.sql(f"select * from {table}"), key=repr) for table in tables or TABLES}
