"""Recheck, and periods under an older contract: what was loaded before is compared, named and loaded again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from loader.archive.comparison import Reading, compare
from loader.archive.kept import KeptFile
from loader.contracts import Grain, Period
from loader.errors import RefusedError
from loader.files import sha256_of
from loader.project import Project as Opened
from loader.readers import READER_REVISION
from loader.staging.load import load_one
from loader.staging.older_contracts import of_older_contracts
from loader.staging.selection import Candidate
from tests.conftest import Project
from tests.support.deliveries import change_contract, contract_of, files_below
from tests.support.engines import Engine
from tests.support.shop import (
    PRODUCTS,
    assert_stage_is_the_archive,
    deliver,
    everything,
    load,
    open_shop,
    prepared,
    products,
    stage,
    states,
    without_audit,
)

NAME = "name: {type: varchar(40), description: Name.}"
UPPER = "name: {type: varchar(40), description: Name., clean: [upper]}"
KEEPING = PRODUCTS.replace("kind: full", "kind: full\n    keep_files: true")
SECRET = "Zqxv"
ROWS = products("P1", {"sku": "P2", "buyer": SECRET})
GONE = "their files are gone or have other bytes: put back what was delivered, or `loader recheck --accept`"


def two_months(project: Project) -> None:
    """Two products in each of two months."""
    open_shop(project)
    for period in ("2025-01", "2025-02"):
        deliver(project, period, ROWS)
    load(project)


def two_kept_months(project: Project) -> None:
    """The same; the delivered files are kept."""
    open_shop(project, KEEPING)
    for period in ("2025-01", "2025-02"):
        deliver(project, period, ROWS)
    load(project)


@pytest.fixture
def anywhere(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return moved_in(prepared(new_project, engine, two_months))


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return moved_in(prepared(new_project, "duckdb", two_months))


@pytest.fixture
def keeper(new_project: Callable[..., Project]) -> Project:
    return moved_in(prepared(new_project, "duckdb", two_kept_months))


def moved_in(project: Project) -> Project:
    """The same, its files recorded where they lie in the copy."""
    move = text("update meta.ingestion_log set file_path = :here where file_name = :name")

    def work(connection: Any) -> None:
        for path in project.landing.iterdir():
            connection.execute(move, {"here": str(path.resolve()), "name": path.name})

    Opened.open(project.root).warehouse.run(work)
    return project


def read_by_an_earlier_reader(project: Project, period: str, wrong: str | None) -> None:
    """What a reader of before there were revisions left of a period: P1 is called `wrong`, else all is right."""

    def change(connection: Any) -> None:
        here = f"where data_period = '{period}' and state = 'active'"
        if wrong is not None:
            name = connection.execute(text(f"select parquet_path from meta.dataset_version {here}")).scalar_one()
            path = project.root / "data/stage/cleaned" / name
            rows = pq.read_table(path)
            names = pa.array([wrong, *rows["name"].to_pylist()[1:]], pa.string())
            pq.write_table(rows.set_column(rows.schema.get_field_index("name"), rows.schema.field("name"), names), path)
            new = f"set parquet_sha256 = '{sha256_of(path)}' where parquet_path = '{name}'"
            for table in ("dataset_version", "validation_log"):
                connection.execute(text(f"update meta.{table} {new}"))
            size = f"set parquet_bytes = {path.stat().st_size} where parquet_path = '{name}'"
            connection.execute(text(f"update meta.dataset_version {size}"))
            p1 = f"where _data_period = '{period}' and sku = 'P1'"
            connection.execute(text(f"update stage.products set name = '{wrong}' {p1}"))
        connection.execute(text(f"update meta.dataset_version set reader_revision = null {here}"))

    Opened.open(project.root).warehouse.run(change)


def recheck(project: Project, *args: object, exit_code: int = 0) -> str:
    done = project.loader("recheck", *args)
    assert done.exit_code == exit_code, done.output
    assert SECRET not in done.output
    return done.output


def revisions(project: Project) -> list[int | None]:
    return [one for (one,) in project.sql("select reader_revision from meta.dataset_version order by load_id")]


def names(project: Project, period: str) -> list[str]:
    return [name for (name,) in stage(project, period, ["name"])]


def kept_files(project: Project) -> list[str]:
    return [name for name in files_below(project.root / "data/stage/cleaned") if "/delivered/" in name]


# --- an earlier reader ------------------------------------------------------------------------------------------


def test_what_an_earlier_reader_got_wrong_is_listed_and_loaded_again_on_demand(anywhere: Project) -> None:
    shop = anywhere
    assert revisions(shop) == [READER_REVISION] * 2
    assert recheck(shop).startswith("nothing to read again; 2 read by today's reader and contract, or accepted; ")
    read_by_an_earlier_reader(shop, "2025-01", "Tee")
    read_by_an_earlier_reader(shop, "2025-02", None)
    before = everything(shop), files_below(shop.root / "data")
    first, second, closing = recheck(shop).splitlines()
    assert first == "differs    products 2025-01  version 1: 2 rows then, 2 now, 1 key with other values (name 1)"
    assert second == "same       products 2025-02  version 1: 2 rows, the same values"
    assert closing.startswith("1 same, 1 differs; 0 read by today's reader and contract, or accepted; ")
    answer = shop.loader("recheck", "--period", "2025-01", "--json").json
    assert (answer["differs"], answer["same"], answer["current"]) == (1, 0, 0)
    assert answer["loads"][0]["change"] == {
        "before": 2, "after": 2, "missing": 0, "new": 0, "changed": 1, "changed_by_column": {"name": 1},
        "unknown": 0, "was_incomplete": False, "is_incomplete": False,
    }  # fmt: skip
    assert (everything(shop), files_below(shop.root / "data")) == before

    output = recheck(shop, "--load")
    assert "loaded     products 2025-01  2 rows then, 2 now, 1 key with other values (name 1); version 2" in output
    assert (states(shop, "2025-01"), states(shop, "2025-02")) == (["superseded", "active"], ["active"])
    assert names(shop, "2025-01") == ["Tea", "Tea"]
    assert_stage_is_the_archive(shop)
    assert revisions(shop) == [None, READER_REVISION, READER_REVISION]
    assert recheck(shop, "--load").startswith("nothing to read again; 2 read by")
    assert "2 same; 0 read by" in recheck(shop, "--all")


def test_loads_of_an_earlier_reader_are_told_until_they_were_read_again_or_accepted(anywhere: Project) -> None:
    shop = anywhere
    assert "earlier reader" not in shop.loader("status").output
    read_by_an_earlier_reader(shop, "2025-01", "Tee")
    read_by_an_earlier_reader(shop, "2025-02", None)
    said = "note: loads of products (2): read by an earlier reader; `loader recheck` lists those with other values"
    for args in (("status",), ("load",), ("run",)):
        assert shop.loader(*args).output.count(said) == 1, args
    assert shop.loader("load", "--json").json["earlier_reader"] == {"products": 2}
    recheck(shop)
    assert said in shop.loader("status").output
    first, second, closing = recheck(shop, "--accept").splitlines()
    assert first.startswith("accepted   products 2025-01  2 rows then, 2 now, 1 key with other values (name 1)")
    assert second.startswith("same       products 2025-02  ")
    assert closing.startswith("1 same, 1 accepted; 0 read by")
    assert (revisions(shop), names(shop, "2025-01")) == ([None, READER_REVISION], ["Tee", "Tea"])
    for args in (("status",), ("load",)):
        assert "earlier reader" not in shop.loader(*args).output
    assert recheck(shop).startswith("nothing to read again; 2 read by")
    assert "1 differs" in recheck(shop, "--all")


def test_the_guard_is_asked_and_force_overrules_it(shop: Project) -> None:
    deliver(shop, "2025-03", products("P1"))
    load(shop, "--force")
    read_by_an_earlier_reader(shop, "2025-03", "Tee")
    output = recheck(shop, "--load", exit_code=1)
    assert "refused    products 2025-03: the guard refuses this delivery: it would change 1 of 1 keys" in output
    assert names(shop, "2025-03") == ["Tee"]
    assert "1 loaded; 2 read by" in recheck(shop, "--load", "--force")
    assert names(shop, "2025-03") == ["Tea"]
    assert "--force belongs to --load" in recheck(shop, "--force", exit_code=2)


def test_what_cannot_be_read_again_is_said(shop: Project) -> None:
    for period in ("2025-01", "2025-02"):
        read_by_an_earlier_reader(shop, period, "Tee")
    (shop.landing / "products_2025-01.csv").unlink()
    deliver(shop, "2025-02", products("P1", {"sku": "P2", "price": "cheap"}))  # and so never loaded
    output = recheck(shop, "--load")
    for period in ("2025-01", "2025-02"):
        file = f"products_{period}.csv"
        line = f"not read   products {period}  {file}: it is gone or has other bytes, so the values stay as they were"
        assert line in output
    assert "2 gone; 0 read by" in output
    assert names(shop, "2025-01") == ["Tee", "Tea"]


def test_what_is_refused_today_is_said_and_exits_with_1(shop: Project) -> None:
    change_contract(shop, "description: Price in euro., min: 0", "description: Price in euro., min: 3")
    output = recheck(shop, exit_code=1)
    assert output.count("refused    products_2025-0") == 2
    assert "2 of 2 rows are invalid" in output
    assert [one["result"] for one in shop.loader("recheck", "--json").json["loads"]] == ["refused", "refused"]


def test_a_load_takes_the_validation_of_todays_reader_only(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1", "P2", "P3"))
    for command in ("ingest", "validate"):
        assert shop.loader(command, "--period", "2025-01").exit_code == 0
    Opened.open(shop.root).warehouse.run(
        lambda c: c.execute(text("update meta.validation_log set reader_revision = null"))
    )
    done = shop.loader("load-stage", "--period", "2025-01")
    assert (done.exit_code, "has not passed validation" in done.output) == (2, True)
    assert shop.loader("validate", "--period", "2025-01").exit_code == 0
    assert shop.loader("load-stage", "--period", "2025-01").exit_code == 0


# --- an older contract ------------------------------------------------------------------------------------------


def test_periods_under_an_older_contract_are_named(shop: Project) -> None:
    january = shop.landing / "products_2025-01.csv"
    aside = shop.root / january.name
    january.rename(aside)
    change_contract(shop, NAME, UPPER)
    gone = f"note: products 2025-01: read under an older contract; {GONE}"
    there = "note: products 2025-02: read under an older contract; `loader load` reads their files again"
    for args in (("status",), ("versions", "--dataset", "products")):
        output = shop.loader(*args).output
        assert gone in output
        assert there in output
    assert [line["older_contract"] for line in shop.loader("status", "--json").json] == ["gone", "landed"]

    dbt_project = shop.root / "dbt_project.yml"
    sound = dbt_project.read_bytes()
    dbt_project.write_bytes(sound + b'\nrequire-dbt-version: ">99"\n')  # a build that ends at once
    output = shop.loader("build").output
    assert gone in output
    assert there in output
    dbt_project.write_bytes(sound)

    output = load(shop, "--force")
    assert gone in output
    assert "2025-02: read under" not in output
    assert (names(shop, "2025-01"), names(shop, "2025-02")) == (["Tea", "Tea"], ["TEA", "TEA"])
    listed = shop.loader("load", "--json").json["older_contract"]
    file = {"dataset": "products", "period": "2025-01", "version": 1, "file": january.name, "place": "gone"}
    file["accepted"] = False
    assert listed == [file]
    places = [one["older_contract"] for one in shop.loader("versions", "--dataset", "products", "--json").json]
    assert places == ["gone", None, None]

    deliver(shop, "2025-01", products({"sku": "P1", "price": "cheap"}))  # refused, and so the old reading stays
    assert gone in load(shop, refused=True)
    aside.rename(january)
    load(shop, "--force")
    assert names(shop, "2025-01") == ["TEA", "TEA"]
    assert "read under an older contract" not in shop.loader("status").output


def test_what_cannot_be_read_again_is_accepted_and_no_more_noted(anywhere: Project) -> None:
    shop = anywhere
    (shop.landing / "products_2025-01.csv").unlink()
    change_contract(shop, NAME, UPPER)
    load(shop, "--period", "2025-02", "--force")
    assert GONE in shop.loader("status").output
    before = everything(shop)
    assert recheck(shop, "--accept", "--dataset", "products", "--period", "2025-02").startswith(
        "nothing to read again; 1 read"
    )
    first, closing = recheck(shop, "--accept").splitlines()
    assert first.startswith("accepted   products 2025-01  products_2025-01.csv: it is gone or has other bytes")
    assert closing.startswith("1 accepted; 1 read by today's reader and contract, or accepted; ")
    after = everything(shop)
    assert {name for name in after if after[name] != before[name]} == {"meta.dataset_version", "meta.etl_audit"}
    for args in (("status",), ("versions", "--dataset", "products"), ("load",)):
        assert "older contract" not in shop.loader(*args).output
    # nothing is hidden: programs still see under which contract it was read
    assert [line["older_contract"] for line in shop.loader("status", "--json").json] == ["gone", None]
    [older] = shop.loader("load", "--json").json["older_contract"]
    assert (older["period"], older["accepted"]) == ("2025-01", True)
    assert shop.sql("select status, subject from meta.etl_audit where step = 'accept'") == [
        ("done", "products_2025-01.csv")
    ]
    change_contract(shop, UPPER, NAME.replace("varchar(40)", "varchar(50)"))
    assert f"products 2025-01: read under an older contract; {GONE}" in shop.loader("status").output
    assert "leave out --load and --all" in recheck(shop, "--accept", "--load", exit_code=2)


def test_a_file_outside_of_the_landing_folder_is_read_again_by_recheck(shop: Project, tmp_path: Path) -> None:
    path = deliver(shop, "2025-03", ROWS, folder=tmp_path)
    load(shop, "--file-path", path)
    change_contract(shop, NAME, UPPER)
    note = "note: products 2025-03: read under an older contract; `loader recheck --load` reads their files again"
    assert note in shop.loader("status").output
    assert "1 loaded; 0 read by" in recheck(shop, "--period", "2025-03", "--load", "--force")
    assert names(shop, "2025-03") == ["TEA", "TEA"]


def test_what_was_loaded_meanwhile_is_not_replaced(shop: Project) -> None:
    change_contract(shop, NAME, UPPER)
    project = Opened.open(shop.root)
    (january, _) = of_older_contracts(project)
    deliver(shop, "2025-01", products("P1", {"sku": "P2", "name": "Newer"}))
    load(shop, "--force")
    deliver(shop, "2025-01", ROWS)
    line = load_one(project, Candidate.of(january), force=False)
    assert (line.result, "products 2025-01 was loaded meanwhile" in line.message) == ("refused", True)
    assert names(shop, "2025-01") == ["TEA", "NEWER"]


# --- kept files -------------------------------------------------------------------------------------------------


def test_kept_files_are_read_when_the_landed_ones_are_gone(keeper: Project) -> None:
    assert len(kept_files(keeper)) == 2
    for period in ("2025-01", "2025-02"):
        (keeper.landing / f"products_{period}.csv").unlink()
    read_by_an_earlier_reader(keeper, "2025-01", "Tee")
    assert "1 loaded; 1 read by" in recheck(keeper, "--load")
    assert names(keeper, "2025-01") == ["Tea", "Tea"]

    change_contract(keeper, NAME, UPPER)
    note = (
        "products 2025-01, 2025-02: read under an older contract; `loader load` reads the files again that the archive"
    )
    assert note in keeper.loader("status").output
    output = load(keeper, "--force")
    assert "loaded     products 2025-01  2 rows from products_2025-01.csv (version 3; supersedes version 2; " in output
    assert names(keeper, "2025-01") == names(keeper, "2025-02") == ["TEA", "TEA"]
    assert_stage_is_the_archive(keeper)
    assert "0 loaded, 0 refused, 0 unchanged" in load(keeper)
    assert len(kept_files(keeper)) == 2
    done = keeper.loader("validate", "--file-id", 1)
    assert (done.exit_code, "(products_2025-01.csv) was last read from the archive; " in done.output) == (
        2,
        True,
    )


def test_the_contract_may_want_files_kept_later(shop: Project) -> None:
    change_contract(shop, "kind: full", "kind: full\n    keep_files: true")
    assert "0 loaded, 0 refused, 2 unchanged" in load(shop)
    assert kept_files(shop) == []
    before = without_audit(shop)
    assert "2 same" in recheck(shop, "--all", "--load")
    assert len(kept_files(shop)) == 2
    assert without_audit(shop) == before


def test_a_kept_file_that_was_edited_is_refused(keeper: Project) -> None:
    for period in ("2025-01", "2025-02"):
        (keeper.landing / f"products_{period}.csv").unlink()
    first, second = (keeper.root / "data/stage/cleaned" / name for name in kept_files(keeper))
    first.write_bytes(second.read_bytes()[:-4])
    change_contract(keeper, NAME, UPPER)
    message = f"products/delivered/{first.name} in the archive is not the file that was delivered; restore it"
    output = load(keeper, "--force", refused=True)
    assert f"refused    {message}" in output
    assert (names(keeper, "2025-01"), names(keeper, "2025-02")) == (["Tea", "Tea"], ["TEA", "TEA"])
    assert message in recheck(keeper, exit_code=1)


def test_a_purge_takes_kept_files_that_hold_the_key(keeper: Project) -> None:
    deliver(keeper, "2025-03", products("P1", "P3"))
    load(keeper)
    output = keeper.loader("purge", "--dataset", "products", "--key", "P2", "--yes").output
    assert "kept:     2 delivered files" in output
    assert "2 kept files" in output
    (left,) = kept_files(keeper)
    assert "2025-03" in left
    assert "nothing to purge" in keeper.loader("purge", "--dataset", "products", "--key", "P2", "--yes").output
    for path in keeper.landing.iterdir():
        path.unlink()
    change_contract(keeper, NAME, UPPER)
    output = load(keeper, "--force")
    assert "2025-01, 2025-02: read under an older contract; rows of their files were purged" in output
    assert names(keeper, "2025-03") == ["TEA", "TEA"]
    assert "2 purged; 1 read by" in recheck(keeper)
    keeper.loader("purge", "--dataset", "products", "--before", "2025-04", "--yes")
    assert kept_files(keeper) == []


# --- the parts --------------------------------------------------------------------------------------------------


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    delivered = tmp_path / "products.csv"
    delivered.write_bytes(b"sku,name\r\n" * 300_000)
    kept = KeptFile.of(tmp_path, Period.parse("2025-01", Grain.MONTH), sha256_of(delivered))
    assert kept.keep(delivered)
    packed = kept.path.read_bytes()
    assert len(packed) < 10_000
    back = tmp_path / "back.csv"
    kept.unpack(back)
    assert back.read_bytes() == delivered.read_bytes()
    kept.path.write_bytes(packed[:-3])
    with pytest.raises(RefusedError):
        kept.unpack(None)
    assert kept.keep(delivered)
    assert kept.path.read_bytes() == packed
    kept.path.unlink()
    delivered.write_bytes(b"another")
    assert not kept.keep(delivered)
    assert [path.name for path in kept.path.parent.iterdir()] == []


COMPARED = contract_of(PRODUCTS.partition("datasets:\n")[2])
SAME = {"sku": ["P1", "P2"], "price": pa.array([1, 2], pa.decimal128(8, 2)), "_source_row": [2, 3]}


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        ({}, (2, 2, 0, 0, 0, {})),
        ({"_source_row": [5, 6]}, (2, 2, 0, 0, 0, {})),
        ({"sku": ["P2", "P3"]}, (2, 2, 1, 1, 1, {"price": 1})),
        ({"price": pa.array([1, 2], pa.int32())}, (2, 2, 0, 0, 0, {})),
        ({"price": pa.array([1, None], pa.decimal128(12, 4))}, (2, 2, 0, 0, 1, {"price": 1})),
        ({"price": ["1.00", "two"]}, (2, 2, 0, 0, 1, {"price": 1})),
        ({"name": ["Tea", None]}, (2, 2, 0, 0, 1, {"name": 1})),
        ({"name": pa.nulls(2, pa.string())}, (2, 2, 0, 0, 0, {})),
    ],
)
def test_two_readings_are_compared_by_value(tmp_path: Path, after: dict[str, Any], counts: tuple[Any, ...]) -> None:
    for name, columns in (("before", SAME), ("after", {**SAME, **after})):
        pq.write_table(pa.table(columns), tmp_path / name)
    found = compare(COMPARED, Reading(tmp_path / "before"), Reading(tmp_path / "after"))
    assert tuple(vars(found).values()) == (*counts, 0, False, False)


def test_unknown_keys_are_compared_too(tmp_path: Path) -> None:
    for name, keys in (("rows", ["P1"]), ("then", ["P2", "P3"]), ("now", ["P3", "P4", "P5"])):
        pq.write_table(pa.table({"sku": keys, "_source_row": [*range(len(keys))]}), tmp_path / name)
    rows = tmp_path / "rows"
    for then, now, unknown in (("then", "now", 3), ("then", None, 2), (None, "now", 3), (None, None, 0)):
        before, after = (Reading(rows, tmp_path / name if name else None) for name in (then, now))
        assert compare(COMPARED, before, after).unknown == unknown
    assert not compare(COMPARED, Reading(rows), Reading(rows, None, 1)).is_equal
