"""Load-stage: a period is replaced in one transaction or not at all, on every engine."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import shutil
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine

from tests.conftest import Project
from tests.support.deliveries import change_contract
from tests.support.effort import PHASES, effort
from tests.support.engines import Engine
from tests.support.shop import (
    ANY_PRODUCT,
    COLUMNS,
    Cells,
    as_typed,
    assert_stage_is_the_archive,
    deliver,
    load,
    open_shop,
    prepared,
    products,
    skus,
    stage,
    states,
    versions,
)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def test_first_load_of_a_period(shop: Project) -> None:
    rows = products("P1", {"sku": "P2", "name": 'Müsli, "kernig"', "weight": ""}, {"sku": "P3", "on_sale": "false"})
    deliver(shop, "2025-01", rows)
    output = load(shop, "--period", "2025-01")
    assert "1 loaded, 0 refused, 0 unchanged; 3 rows" in output
    assert stage(shop) == [as_typed(row) for row in rows]
    assert versions(shop) == [("2025-01", 1, "active", 3)]
    assert_stage_is_the_archive(shop)


def test_every_row_knows_its_load_its_file_and_its_row_in_it(shop: Project) -> None:
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    deliver(shop, "2025-02", products("P2", "P1"))
    load(shop)
    columns = "sku, _data_period, _load_id, _source_file_id, _source_row, _loaded_at"
    rows = shop.sql(f"select {columns} from stage.products order by 3, 5")
    files = dict(shop.sql("select data_period, file_id from meta.ingestion_log"))
    loads = dict(shop.sql("select data_period, load_id from meta.dataset_version"))
    assert [row[:5] for row in rows] == [
        ("P1", "2025-01", loads["2025-01"], files["2025-01"], 2),
        ("P2", "2025-01", loads["2025-01"], files["2025-01"], 3),
        ("P2", "2025-02", loads["2025-02"], files["2025-02"], 2),
        ("P1", "2025-02", loads["2025-02"], files["2025-02"], 3),
    ]
    assert all(before <= row[5] <= dt.datetime.now(dt.UTC).replace(tzinfo=None) for row in rows)
    bounds = shop.sql("select period_start, period_end from meta.dataset_version order by 1")
    assert bounds[1] == (dt.datetime(2025, 2, 1), dt.datetime(2025, 3, 1))


def test_reload_replaces_it_and_leaves_other_periods_alone(shop: Project) -> None:
    for period in ("2025-01", "2025-02", "2025-03"):
        deliver(shop, period, products("P1", "P2"))
    load(shop)
    others = [stage(shop, period, [*COLUMNS, "_load_id", "_loaded_at"]) for period in ("2025-01", "2025-03")]
    deliver(shop, "2025-02", products({"sku": "P2", "name": "Coffee"}, "P3"))
    output = load(shop, "--period", "2025-02")
    assert "version 2; supersedes version 1" in output
    assert stage(shop, "2025-02", ["sku", "name"]) == [("P2", "Coffee"), ("P3", "Tea")]
    assert others == [stage(shop, period, [*COLUMNS, "_load_id", "_loaded_at"]) for period in ("2025-01", "2025-03")]
    assert states(shop, "2025-02") == ["superseded", "active"]
    assert_stage_is_the_archive(shop)


def test_a_failed_load_leaves_the_table_as_it_was(shop: Project) -> None:
    """A type mismatch on insert: the archived file holds text where the table has a number."""
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    stage_before, versions_before = stage(shop), versions(shop)
    path = deliver(shop, "2025-01", products("P1", "P3"))
    assert shop.loader("ingest", "--file-path", path).exit_code == 0
    ((file_id,),) = shop.sql("select max(file_id) from meta.ingestion_log")
    assert shop.loader("validate", "--file-id", file_id).exit_code == 0
    _rewrite_parquet_of(shop, file_id, "price", pa.array(["2.50", "Geheimnis"]))
    failed = shop.loader("load-stage", "--file-id", file_id, "--force")  # the guard would not let it come so far
    assert failed.exit_code == 1
    assert "does not match stage.products" in failed.output
    assert "Geheimnis" not in failed.output
    assert (stage(shop), versions(shop)) == (stage_before, versions_before)
    ((status, error),) = shop.sql(
        "select status, error from meta.etl_audit where audit_id = (select max(audit_id) from meta.etl_audit)"
    )
    assert (status, "Geheimnis" in error) == ("refused", False)
    deliver(shop, "2025-01", products("P1", "P4"))
    load(shop)
    assert skus(shop) == ["P1", "P4"]


def test_a_connection_of_this_process_is_waited_for_and_named(shop: Project) -> None:
    """As of a notebook that has the file open, and calls the loader."""
    if shop.engine.name != "duckdb":
        pytest.skip("a server lets in many connections")
    deliver(shop, "2025-01", products("P1", "P2"))
    with create_engine(f"duckdb:///{shop.profile_output['path']}", poolclass=NullPool).connect():
        held = shop.loader("load", env={"ALMANAC_LOCK_TIMEOUT": "0.2"})
    assert held.exit_code == 3
    assert "the warehouse has been in use by another connection of this process for more than 0 s" in held.output
    load(shop)
    assert skus(shop) == ["P1", "P2"]


def test_a_load_takes_the_memory_that_the_profile_allows(shop: Project) -> None:
    if shop.engine.name != "duckdb":
        pytest.skip("a server has its own memory")
    deliver(shop, "2025-01", products("P1"))
    output = {**shop.profile_output, "settings": {"memory_limit": "1KB"}}
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (shop.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    failed = shop.loader("load")
    assert failed.exit_code == 3
    assert "Out of Memory" in failed.output


def _rewrite_parquet_of(shop: Project, file_id: int, column: str, values: pa.Array) -> None:
    """Edit an archived file so that nobody can tell from its hash."""
    ((name,),) = shop.sql(f"select parquet_path from meta.validation_log where file_id = {file_id}")
    path = shop.root / "data" / "stage" / "cleaned" / name
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.schema.get_field_index(column), column, values), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    shop.sql(f"update meta.validation_log set parquet_sha256 = '{sha256}' where file_id = {file_id}")


def test_an_edited_or_missing_file_of_the_archive_is_not_loaded(shop: Project) -> None:
    path = deliver(shop, "2025-01", products("P1"))
    for command in ("ingest", "validate"):
        assert shop.loader(command, "--file-path", path).exit_code == 0
    ((name,),) = shop.sql("select parquet_path from meta.validation_log")
    parquet = shop.root / "data" / "stage" / "cleaned" / name
    parquet.write_bytes(parquet.read_bytes() + b" ")
    edited = shop.loader("load-stage", "--file-path", path)
    assert (edited.exit_code, "was edited after it was validated" in edited.output) == (1, True)
    parquet.unlink()
    gone = shop.loader("load-stage", "--file-path", path)
    assert (gone.exit_code, "run `loader validate --file-id" in gone.output) == (2, True)
    assert (stage(shop), versions(shop)) == ([], [])


def test_an_empty_delivery_makes_a_delivered_period_without_rows(shop: Project) -> None:
    deliver(shop, "2025-01", [])
    assert "1 loaded, 0 refused, 0 unchanged; 0 rows" in load(shop)
    assert versions(shop) == [("2025-01", 1, "active", 0)]
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    assert versions(shop) == [("2025-01", 1, "superseded", 0), ("2025-01", 2, "active", 1)]
    assert skus(shop) == ["P1"]
    deliver(shop, "2025-01", [{**dict.fromkeys(COLUMNS, "")}])
    assert "would end 1 of 1 keys" in load(shop, refused=True)
    load(shop, "--period", "2025-01", "--force")
    assert (versions(shop)[-1], stage(shop)) == (("2025-01", 3, "active", 0), [])


def test_a_known_file_is_not_loaded_again(shop: Project) -> None:
    first = deliver(shop, "2025-01", products("P1"))
    load(shop)
    before = versions(shop)
    output = load(shop, "--period", "2025-01")
    assert "0 loaded, 0 refused, 1 unchanged" in output
    assert "is version 1 of products 2025-01 (active)" in output
    content = first.read_bytes()
    deliver(shop, "2025-01", products({"sku": "P1", "name": "Coffee"}))
    load(shop, "--force")
    first.write_bytes(content)
    output = load(shop, "--period", "2025-01")
    assert "is version 1 of products 2025-01 (superseded)" in output
    assert "loader rollback --dataset products --period 2025-01 --to 1" in output
    assert versions(shop)[1:] == [("2025-01", 2, "active", 1)]
    assert before == [("2025-01", 1, "active", 1)]


def test_a_copy_of_a_known_file_is_known(shop: Project) -> None:
    path = deliver(shop, "2025-01", products("P1"))
    load(shop)
    deliver(shop, "2025-01", products("P1"), order=2)
    assert "0 loaded, 0 refused, 2 unchanged" in load(shop)
    path.unlink()
    assert "0 loaded, 0 refused, 1 unchanged" in load(shop)
    assert len(versions(shop)) == 1


def test_a_changed_contract_reprocesses_what_is_active_once(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1", "P2"))
    deliver(shop, "2025-02", products("P1"))
    load(shop)
    change_contract(shop, "Name.}", "Name., required: true}")
    assert "2 loaded, 0 refused, 0 unchanged" in load(shop)
    steps = shop.sql("select count(*) from meta.etl_audit")
    assert "0 loaded, 0 refused, 2 unchanged" in load(shop)
    assert shop.sql("select count(*) from meta.etl_audit") == steps
    assert [states(shop, period) for period in ("2025-01", "2025-02")] == [["superseded", "active"]] * 2
    assert_stage_is_the_archive(shop)


def test_the_order_in_the_file_name_decides(shop: Project) -> None:
    deliver(shop, "2025-01", products({"sku": "P1", "name": "ten"}), order=10)
    deliver(shop, "2025-01", products({"sku": "P1", "name": "two"}), order=2)
    deliver(shop, "2025-01", products({"sku": "P1", "name": "none"}))
    load(shop, "--force")  # every load changes all keys: not the guard is tested
    assert stage(shop, columns=["name"]) == [("ten",)]
    assert states(shop, "2025-01") == ["superseded", "superseded", "active"]


def test_an_older_file_waits_for_somebody_to_name_it(shop: Project) -> None:
    deliver(shop, "2025-01", products({"sku": "P1", "name": "later"}), order=2)
    load(shop)
    older = deliver(shop, "2025-01", products({"sku": "P1", "name": "older"}, {"sku": "P2"}), order=1)
    output = load(shop, "--period", "2025-01")
    assert "0 loaded, 0 refused, 2 unchanged" in output
    assert f"is older than the active products_2025-01_v2.csv; --file-path {older} loads it" in output
    load(shop, "--file-path", older, "--force")
    assert skus(shop) == ["P1", "P2"]


def test_of_two_new_files_that_are_the_same_one_is_loaded(shop: Project) -> None:
    first = deliver(shop, "2025-01", products("P1"), order=1)
    same = first.with_name("products_2025-01_v01.csv")
    shutil.copy2(first, same)
    output = load(shop, "--period", "2025-01")
    assert "1 loaded, 0 refused, 1 unchanged" in output
    assert "products_2025-01_v1.csv has the same bytes as products_2025-01_v01.csv" in output
    assert "0 loaded, 0 refused, 2 unchanged" in load(shop)
    assert skus(shop) == ["P1"]


def test_two_new_files_of_one_rank_are_refused_by_name(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"), order=1)
    twin = deliver(shop, "2025-01", products("P2"), order=1).with_name("products_2025-01_v01.csv")
    (shop.landing / "products_2025-01_v1.csv").rename(twin)
    deliver(shop, "2025-01", products("P1"), order=1)
    deliver(shop, "2025-02", products("P1"))
    output = load(shop, refused=True)
    assert "1 loaded, 2 refused, 0 unchanged" in output
    assert "(products_2025-01_v01.csv, products_2025-01_v1.csv)" in output
    assert [row[0] for row in versions(shop)] == ["2025-02"]
    load(shop, "--file-path", twin)
    assert skus(shop, "2025-01") == ["P2"]


def test_one_bad_file_does_not_stop_the_others(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    deliver(shop, "2025-02", products({"sku": "P1", "price": "cheap"}))
    deliver(shop, "2025-03", products("P1"))
    (shop.landing / "readme.txt").write_text("no delivery", encoding="utf-8")
    (shop.landing / "~$products_2025-04.csv").write_text("lock file of an office program", encoding="utf-8")
    output = load(shop, refused=True)
    assert "2 loaded, 1 refused, 0 unchanged, 1 unknown; 2 rows in" in output
    assert "refused    products_2025-02.csv: 1 of 1 rows are invalid" in output
    assert "note: no contract knows readme.txt: " in output
    assert "~$" not in output
    assert [row[0] for row in versions(shop)] == ["2025-01", "2025-03"]


def test_the_steps_one_by_one_are_the_load(shop: Project) -> None:
    path = deliver(shop, "2025-01", products("P1", "P2"))
    assert "file 1: products_2025-01.csv" in shop.loader("ingest", "--period", "2025-01").output
    assert "2 rows valid, 0 rejected" in shop.loader("validate", "--dataset", "products").output
    ((name,),) = shop.sql("select parquet_path from meta.validation_log")
    parquet = shop.root / "data" / "stage" / "cleaned" / name
    done = shop.loader("load-stage", "--parquet-path", parquet)
    assert (done.exit_code, "2 rows as version 1" in done.output) == (0, True)
    again = shop.loader("load-stage", "--file-path", path)
    assert (again.exit_code, "unchanged  products 2025-01" in again.output) == (0, True)
    assert versions(shop) == [("2025-01", 1, "active", 2)]


def test_a_parquet_of_another_contract_is_not_taken_for_the_one_of_today(shop: Project) -> None:
    path = deliver(shop, "2025-01", products("P1"))
    for command in ("ingest", "validate"):
        shop.loader(command, "--file-path", path)
    ((old,),) = shop.sql("select parquet_path from meta.validation_log")
    change_contract(shop, "Name.}", "Name., clean: [upper]}")
    shop.loader("validate", "--file-path", path)
    result = shop.loader("load-stage", "--parquet-path", old)
    assert (result.exit_code, versions(shop)) == (2, [])
    assert "was made under another contract" in result.output


Step = tuple[str, str, tuple[Cells, ...]]
PERIODS = ("2025-01", "2025-02", "2025-03")
some_rows = st.lists(
    st.builds(
        lambda sku, name, pieces: {**ANY_PRODUCT, "sku": sku, "name": name, "pieces": pieces},
        st.sampled_from(["P1", "P2", "P3", "P4"]),
        st.sampled_from(["Tea", "Coffee", "", 'Çay "🍵"', "a\nb", "\\.", "\\N"]),
        st.sampled_from(["", "0", "9223372036854775807"]),
    ),
    max_size=3,
    unique_by=lambda row: row["sku"],
).map(tuple)
step = st.one_of(
    st.tuples(st.just("deliver"), st.sampled_from(PERIODS), some_rows),
    st.tuples(st.just("rollback"), st.sampled_from(PERIODS), st.just(())),
    st.tuples(st.just("nothing"), st.sampled_from(PERIODS), st.just(())),
    st.tuples(st.just("back and forth"), st.sampled_from(PERIODS), st.just(())),
)


_folders = (f"project_{number}" for number in itertools.count())


@settings(
    max_examples=effort(4, 60),
    deadline=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(steps=st.lists(step, min_size=4, max_size=7))
def test_stage_holds_the_active_versions_whatever_happened(
    engine: Engine, new_project: Callable[..., Project], steps: list[Step]
) -> None:
    """Deliveries, reloads and rollbacks in any order; what is expected is kept as a list per period."""
    shop = prepared(lambda on, folder="": new_project(on, f"{next(_folders)}{folder}"), engine, open_shop)
    loaded: dict[str, list[tuple[Cells, ...]]] = {period: [] for period in PERIODS}
    shown: dict[str, tuple[Cells, ...] | None] = dict.fromkeys(PERIODS)
    highest = 0
    for what, period, rows in steps:
        if what == "deliver":
            known = rows in loaded[period]
            deliver(shop, period, rows)
            load(shop, "--period", period, *([] if known else ["--force"]))
            if not known:
                loaded[period].append(rows)
                shown[period] = rows
        elif what == "rollback":
            done = shop.loader("rollback", "--dataset", "products", "--period", period, "--to", 0)
            assert done.exit_code == (0 if shown[period] is not None else 2), done.output
            shown[period] = None
        elif what == "back and forth" and loaded[period]:
            shop.loader("rollback", "--dataset", "products", "--period", period, "--to", 1)
            shown[period] = loaded[period][0]
        else:
            load(shop, refused=False)
        assert_stage_is_the_archive(shop)
        expected = [as_typed(row) for each in PERIODS for row in sorted(shown[each] or (), key=lambda r: r["sku"])]
        assert stage(shop) == expected
        ((count, top),) = shop.sql("select count(*), coalesce(max(load_id), 0) from meta.dataset_version")
        assert count == sum(map(len, loaded.values()))
        assert top >= highest
        highest = top


def test_every_value_arrives_as_it_is(shop: Project) -> None:
    """NULL beside empty-looking text, letters of two UTF-16 units, the ends of numbers, dates and times."""
    full = {
        "sku": "P1",
        "name": "\U0001f600" * 20,  # forty units of SQL Server's
        "price": "999999.99",
        "weight": "1.7976931348623157e308",
        "pieces": "9223372036854775807",
        "on_sale": "false",
        "listed_on": "9999-12-31",
        "counted_at": "9999-12-31 23:59:59.999999",
        "buyer": "Ğ'Ǿ\"ß, \u2028ŭ",
    }
    low = {
        "sku": "P2",
        "price": "0.01",
        "weight": "-2.2250738585072014e-308",
        "pieces": "-9223372036854775808",
        "name": "ﬀ ᾳ",
    }
    early = {"listed_on": "0001-01-01", "counted_at": "0001-01-01 00:00:00.000001"}
    rows = products(full, low | early, dict.fromkeys(COLUMNS, "") | {"sku": "P3"})
    deliver(shop, "2025-01", rows)
    load(shop)
    assert stage(shop) == [as_typed(row) for row in rows]
    assert_stage_is_the_archive(shop)
