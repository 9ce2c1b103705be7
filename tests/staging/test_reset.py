"""Reset: a dataset starts again, with other types if need be; what was delivered is in the archive still."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.staging.test_purge import built
from tests.support.club import contents
from tests.support.deliveries import files_below, follow_contracts
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, skus, states

RESET = ("reset", "--dataset", "members")
OF_MEMBERS = ("stage.members", "core.members", "mart.fct_member")


@pytest.fixture
def warehouse(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """A club, loaded and built."""
    return prepared(new_project, engine, built)


def rows(project: Project, *tables: str) -> list[int]:
    return [int(project.sql(f"select count(*) from {table}")[0][0]) for table in tables]


def test_it_starts_again_with_other_types(warehouse: Project) -> None:
    before, archive = contents(warehouse), files_below(warehouse.root / "data" / "stage" / "cleaned")
    of_visits = ("stage.visits", "core.visits")
    full = rows(warehouse, *OF_MEMBERS, *of_visits)
    assert all(full)
    asked = warehouse.loader(*RESET)
    assert (asked.exit_code, contents(warehouse)) == (2, before)
    assert "loads:    5, which can be loaded again, from their files or by a rollback" in asked.output
    assert "nobody is here to confirm it" in asked.output

    config = warehouse.root / "datasets_config.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("joined: {type: date", "joined: {type: timestamp"), encoding="utf-8")
    refused = warehouse.loader("migrate")
    assert refused.exit_code == 2
    (advice,) = [part for part in refused.output.split("loader ") if part.startswith("reset")]
    done = warehouse.loader(*advice.split(), "--yes")
    assert done.exit_code == 0, done.output
    assert rows(warehouse, *OF_MEMBERS) == [0] * len(OF_MEMBERS)
    assert rows(warehouse, *of_visits) == full[len(OF_MEMBERS) :]
    assert files_below(warehouse.root / "data" / "stage" / "cleaned") == archive
    assert warehouse.sql("select * from core.applied_load where dataset in ('members', 'mart.fct_member')") == []
    assert "nothing to reset" in warehouse.loader(*RESET).output

    follow_contracts(warehouse)
    status = warehouse.loader("status", "--dataset", "members", "--json")
    assert [line["state"] for line in status.json] == ["reset"] * 4, status.output
    assert "5 loaded" in load(warehouse, "--dataset", "members")
    built_again = warehouse.dbt("build", "--quiet", "--exclude-resource-type", "test")
    assert built_again.success, built_again.exception
    assert rows(warehouse, *OF_MEMBERS, *of_visits) == full
    types = warehouse.sql(
        "select distinct data_type from information_schema.columns where column_name = 'joined' "
        "and table_schema in ('stage', 'core') and table_name = 'members'"
    )
    assert len(types) == 1
    back = warehouse.loader("rollback", "--dataset", "members", "--period", "2025-02", "--to", 1)
    assert back.exit_code == 1
    assert "was made when 'joined' was date, today it is timestamp; load its file again" in back.output


def test_what_follows_its_facts_is_emptied_too(engine: Engine, new_project: Callable[..., Project]) -> None:
    shop = open_shop(new_project(engine))
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    made = ["core.products", "mart.fct_product", "mart.agg_product", "core.fct_product__changes", "mart.fct_other"]
    for table in made:
        copy = f"create table {table} as select sku from stage.products"
        shop.sql(copy if engine.name != "sqlserver" else f"select sku into {table} from stage.products")
    shop.sql(
        "create table core.applied_load (consumer varchar(127), dataset varchar(63), data_period varchar(16), "
        "load_id bigint, fingerprint varchar(32))"
    )
    for consumer, dataset in [
        ("core.products", "products"),
        ("mart.fct_product", "products"),
        ("mart.fct_product", "shelves"),
        ("mart.agg_product", "mart.fct_product"),
        ("mart.fct_other", "shelves"),
    ]:
        shop.sql(f"insert into core.applied_load values ('{consumer}', '{dataset}', '2025-01', 1, 'f')")
    assert shop.loader("reset", "--dataset", "products", "--yes").exit_code == 0
    assert rows(shop, *made) == [0, 0, 0, 0, 2]
    # the fact is made anew from all its datasets
    assert shop.sql("select consumer from core.applied_load") == [("mart.fct_other",)]


def test_its_loads_come_back_by_file_or_by_rollback(engine: Engine, new_project: Callable[..., Project]) -> None:
    shop = open_shop(new_project(engine))
    for period in ("2025-01", "2025-02"):
        deliver(shop, period, products("P1", "P2"))
    load(shop)
    assert shop.loader("reset", "--dataset", "products", "--yes").exit_code == 0
    assert (skus(shop), states(shop, "2025-01")) == ([], ["reset"])
    assert shop.loader("rollback", "--dataset", "products", "--period", "2025-01", "--to", 1).exit_code == 0
    assert (skus(shop, "2025-01"), states(shop, "2025-01")) == (["P1", "P2"], ["active"])
    assert "1 loaded, 0 refused, 1 unchanged" in load(shop)
    assert (skus(shop, "2025-02"), states(shop, "2025-02")) == (["P1", "P2"], ["reset", "active"])
    back = shop.loader("rollback", "--dataset", "products", "--period", "2025-02", "--to", 0)
    assert "to nothing (the period is empty)" in back.output
