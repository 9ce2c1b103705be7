"""Real deliveries through the front door: a proposed contract, a snapshot, one command; then a naive look at them."""

from __future__ import annotations

import csv
import shutil
from datetime import date

import pytest

from tests.conftest import REPOSITORY, Project

DELIVERIES = REPOSITORY.parent / "shared" / "data" / "sp500"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DELIVERIES.is_dir(), reason=f"the deliveries of {DELIVERIES.name} are not here"),
]

SNAPSHOT = """
{% snapshot sp500 %}

select * from {{ source('stage', 'sp500') }}

{% endsnapshot %}
"""
CONFIG = """
snapshots:
  - name: sp500
    description: Companies of the index, one row per version.
    config: {unique_key: symbol}
"""


def test_sp500_history_is_that_of_a_naive_look_at_the_files(project: Project) -> None:
    proposed = project.loader("propose", DELIVERIES / "sp500_2024-01.csv")
    assert proposed.exit_code == 0, proposed.output
    with (project.root / "datasets_config.yml").open("a", encoding="utf-8") as file:
        file.write(proposed.stdout)
    assert project.loader("derive").exit_code == 0
    snapshots = project.root / "dbt_project" / "snapshots"
    (snapshots / "sp500.sql").write_text(SNAPSHOT, encoding="utf-8")
    (snapshots / "_sp500.yml").write_text(CONFIG, encoding="utf-8")
    for path in DELIVERIES.glob("*.csv"):
        shutil.copy(path, project.landing)

    if project.engine.name != "duckdb":
        assert project.loader("migrate").exit_code == 0
    run = project.loader("run")

    assert run.exit_code == 0, run.output
    assert "12 loaded, 0 refused, 0 unchanged" in run.output
    columns = ["symbol", "security", "gics_sector", "gics_sub_industry", "headquarters_location", "date_added"]
    columns += ["cik", "founded", "dbt_valid_from", "dbt_valid_to"]
    found = project.sql(f"select {', '.join(columns)} from core.sp500")
    assert sorted(found, key=str) == sorted(naive_history(), key=str)


def naive_history() -> list[tuple[object, ...]]:
    """Versions by walking through the files month by month; shares nothing with the project."""
    from datetime import datetime

    open_versions: dict[str, tuple[tuple[object, ...], datetime]] = {}
    closed: list[tuple[object, ...]] = []
    for path in sorted(DELIVERIES.glob("*.csv")):
        year, month = path.stem.removeprefix("sp500_").split("-")
        start = datetime(int(year), int(month), 1)
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["Symbol"].strip(): typed(row) for row in csv.DictReader(file)}
        for symbol, (values, since) in list(open_versions.items()):
            if rows.get(symbol) != values:
                closed.append((*values, since, start))
                del open_versions[symbol]
        for symbol, values in rows.items():
            open_versions.setdefault(symbol, (values, start))
    return closed + [(*values, since, None) for values, since in open_versions.values()]


def typed(row: dict[str, str]) -> tuple[object, ...]:
    texts = [" ".join(row[name].split(" ")).strip() for name in row]
    symbol, security, sector, industry, place, added, cik, founded = texts
    return symbol, security, sector, industry, place, date.fromisoformat(added), int(cik), founded
