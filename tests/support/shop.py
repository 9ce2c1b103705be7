"""A shop that delivers its products as CSV: a dataset of every type, for tests of what the loader does with loads.

The helpers look at the warehouse with SQL and at the archive with pyarrow, never through the loader.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.conftest import Project
from tests.support.deliveries import follow_contracts, write_csv
from tests.support.engines import Engine, Rows
from tests.support.run import made_once, run_folder

PRODUCTS = r"""
datasets:
  products:
    title: Products
    description: What the shop sells.
    file_name: 'products_(?P<period>\d{4}-\d{2})(?:_v(?P<order>\d+))?\.csv'
    format: {type: csv}
    grain: month
    kind: full
    key: sku
    columns:
      sku: {type: varchar(8), description: Number of the product., required: true}
      name: {type: varchar(40), description: Name.}
      price: {type: 'decimal(8,2)', description: Price in euro., min: 0}
      weight: {type: double, description: Weight in kg.}
      pieces: {type: bigint, description: Pieces in the store., tracked: false}
      on_sale: {type: boolean, description: Whether it is on sale.}
      listed_on: {type: date, description: First day in the list.}
      counted_at: {type: timestamp, description: When the pieces were counted., tracked: false}
      buyer: {type: varchar(20), description: Who buys it for the shop., personal: true}
    guard: {ended: 0.5, changed: 0.5}
"""

DELTA = PRODUCTS.replace("kind: full", "kind: delta\n    end_marker: {column: name, value: gone}")

Cells = Mapping[str, Any]
ANY_PRODUCT: Cells = {
    "sku": "P1",
    "name": "Tea",
    "price": "2.50",
    "weight": "0.25",
    "pieces": "7",
    "on_sale": "true",
    "listed_on": "2024-12-01",
    "counted_at": "2025-01-02 03:04:05",
    "buyer": "Geheimnis",
}
COLUMNS = tuple(ANY_PRODUCT)
LINEAGE = ("_data_period", "_load_id", "_loaded_at", "_source_file_id", "_source_row")


def open_shop(project: Project, contract: str = PRODUCTS) -> Project:
    """Give the project the shop's contract in place of its own, and a warehouse that is ready for it."""
    (project.root / "datasets_config.yml").write_text(contract, encoding="utf-8")
    follow_contracts(project)
    return project


def prepared(new_project: Callable[..., Project], on: Engine | str, prepare: Callable[[Project], Any]) -> Project:
    """A project as `prepare` makes it: made once per engine and test run, and copied for whoever asks."""
    project = new_project(on)
    engine = project.engine
    name = f"prepared-{engine.name}-{prepare.__module__}.{prepare.__qualname__}"
    mine = shutil.ignore_patterns("profiles.yml", "warehouse.duckdb*", "logs", "partial_parse.msgpack")

    def make(path: Path) -> None:
        model = new_project(on, folder="prepared")
        prepare(model)
        kept = run_folder() / name  # the model goes with its test
        shutil.copytree(model.root, kept, ignore=mine)
        output = engine.new_output(kept)
        engine.copy(model.profile_output, output)
        path.write_text(json.dumps([str(kept), output]), encoding="utf-8")

    root, output = json.loads(made_once(f"{name}.json", make).read_text(encoding="utf-8"))
    for path in project.root.iterdir():
        if path.is_dir() and path.name != "data":
            shutil.rmtree(path)  # what was prepared may have less
    shutil.copytree(root, project.root, dirs_exist_ok=True, ignore=mine)
    engine.copy(output, project.profile_output)
    return project


def products(*changes: Cells | str) -> list[Cells]:
    """A row each, like ANY_PRODUCT but for what is said; a word alone is its number."""
    return [{**ANY_PRODUCT, **({"sku": change} if isinstance(change, str) else change)} for change in changes]


def deliver(
    project: Project, period: str, rows: Sequence[Cells], *, order: int | None = None, folder: Path | None = None
) -> Path:
    """Put a file into the landing folder; a file of that name is overwritten, as senders do."""
    suffix = "" if order is None else f"_v{order}"
    path = (folder or project.landing) / f"products_{period}{suffix}.csv"
    header = list(rows[0]) if rows else COLUMNS
    return write_csv(path, [[row[name] for name in header] for row in rows], header=header)


def load(project: Project, *args: object, refused: bool = False) -> str:
    """`loader load ARGS`, which must end well (or be refused); what it said."""
    done = project.loader("load", *args)
    assert done.exit_code == int(refused), done.output
    return done.output


def stage(project: Project, period: str | None = None, columns: Sequence[str] = COLUMNS) -> Rows:
    """Rows of stage.products, of all periods or of one, by period and number."""
    where = f" where _data_period = '{period}'" if period else ""
    return project.sql(f"select {', '.join(columns)} from stage.products{where} order by _data_period, sku")


def skus(project: Project, period: str | None = None) -> list[str]:
    """The numbers of the products in stage."""
    return [row[0] for row in stage(project, period, ["sku"])]


def versions(project: Project, period: str | None = None) -> Rows:
    """(period, version, state, rows) of every load, in the order of the loads."""
    where = f" where data_period = '{period}'" if period else ""
    columns = "data_period, version_no, state, row_count"
    return project.sql(f"select {columns} from meta.dataset_version{where} order by load_id")


def states(project: Project, period: str) -> list[str]:
    """State of each version of a period, by number."""
    return [state for _, _, state, _ in versions(project, period)]


def archived(project: Project, name: str) -> list[dict[str, Any]]:
    """The rows of a file of the archive."""
    return list(pq.read_table(project.root / "data" / "stage" / "cleaned" / name).to_pylist())


def assert_stage_is_the_archive(project: Project) -> None:
    """Of every period stage holds the rows of its active version, each with its lineage, and nothing else."""
    active = project.sql(
        "select data_period, load_id, loaded_at, file_id, parquet_path, row_count from meta.dataset_version "
        "where dataset = 'products' and state = 'active'"
    )
    periods = [row[0] for row in active]
    assert len(periods) == len(set(periods)), "more than one active version"
    expected = []
    for period, load_id, loaded_at, file_id, parquet, count in active:
        rows = archived(project, parquet)
        assert len(rows) == count
        lineage = (period, load_id, loaded_at, file_id)
        expected += [(*(row[name] for name in COLUMNS), *lineage, row["_source_row"]) for row in rows]
    found = stage(project, columns=[*COLUMNS, *LINEAGE])
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def everything(project: Project) -> dict[str, Rows]:
    """All that meta and stage hold."""
    tables = project.sql(
        "select table_schema, table_name from information_schema.tables where table_schema in ('meta', 'stage')"
    )
    names = sorted(f"{schema}.{table}" for schema, table in tables)
    return {name: sorted(project.sql(f"select * from {name}"), key=repr) for name in names}


def without_audit(project: Project) -> dict[str, Rows]:
    """All that meta and stage hold but for what was tried."""
    return {name: rows for name, rows in everything(project).items() if name != "meta.etl_audit"}


def as_typed(row: Cells) -> tuple[Any, ...]:
    """The row of ANY_PRODUCT's types as the warehouse has it; blank cells are NULL."""
    read = {
        "price": Decimal,
        "weight": float,
        "pieces": int,
        "on_sale": lambda text: text == "true",
        "listed_on": dt.date.fromisoformat,
        "counted_at": dt.datetime.fromisoformat,
    }
    return tuple(read.get(name, str)(row[name]) if row[name] else None for name in COLUMNS)
