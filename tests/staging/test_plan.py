"""Plan: says what a load would do, and does nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.deliveries import files_below
from tests.support.engines import Engine
from tests.support.shop import ANY_PRODUCT, DELTA, deliver, everything, load, open_shop, prepared, products, skus

FOUR = ("P1", "P2", "P3", "P4")


def three_months(project: Project) -> None:
    """Four products in each of three months."""
    open_shop(project)
    for period in ("2025-01", "2025-02", "2025-03"):
        deliver(project, period, products(*FOUR))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, three_months)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not the landing folder."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def plan(project: Project, *args: object, exit_code: int = 0) -> str:
    """What `loader plan` says; nothing in meta, stage and the project folder has changed after it."""
    before = everything(project), files_below(project.root / "data")
    done = project.loader("plan", *args)
    assert done.exit_code == exit_code, done.output
    assert (everything(project), files_below(project.root / "data")) == before
    return done.stdout


def test_a_correction_of_an_old_month(shop: Project, outside: Path) -> None:
    changed = [
        {"sku": "P1", "name": "Coffee", "buyer": "Anna"},
        {"sku": "P2", "name": "", "pieces": "8"},
        {"sku": "P3", "pieces": "9"},
        {"sku": "P9"},
    ]
    path = deliver(shop, "2025-02", products(*changed), folder=outside)
    lines = [" ".join(line.split()) for line in plan(shop, path).splitlines()]
    assert lines == [
        "products_2025-02.csv: products 2025-02, 4 rows",
        "replaces: version 1 of 2025-02",
        "compared: with version 1 of 2025-02",
        "keys: 1 new, 2 changed, 1 ended, 1 unchanged",
        "name: 2 changed, for example P1: Tea → Coffee; P2: Tea → (none)",
        "pieces: 2 changed, for example P2: 7 → 8; P3: 7 → 9",
        "buyer: 1 changed, for example P1: *** → ***",
        "rebases: history of 2 periods, 2025-02 to 2025-03",
        "guard: has no objection",
    ]
    made = shop.loader("plan", path, "--json").json
    assert made == {
        "file": "products_2025-02.csv",
        "dataset": "products",
        "period": "2025-02",
        "rows": 4,
        "rejected": 0,
        "dropped": 0,
        "unknown_keys": 0,
        "unreadable_keys": 0,
        "reasons": {},
        "notes": {},
        "replaces": 1,
        "known_as": None,
        "same_bytes": None,
        "refusal": None,
        "rebased": ["2025-02", "2025-03"],
        "verdict": {
            "compared_with": "version 1 of 2025-02",
            "change": {
                "before": 4,
                "new": 1,
                "ended": 1,
                "changed": 2,
                "unchanged": 1,
                "changed_by_column": {"name": 2, "pieces": 2, "buyer": 1},
                "examples": {
                    "name": [["P1", "Tea", "Coffee"], ["P2", "Tea", "(none)"]],
                    "pieces": [["P2", "7", "8"], ["P3", "7", "9"]],
                    "buyer": [["P1", "***", "***"]],
                },
            },
            "broken": [],
        },
    }
    # and so it comes
    load(shop, "--file-path", path)
    assert skus(shop, "2025-02") == ["P1", "P2", "P3", "P9"]


def test_new_periods_and_the_guard(shop: Project, outside: Path) -> None:
    first = plan(shop, deliver(shop, "2024-12", products("P1"), folder=outside))
    assert "compared:  with nothing; this is the first delivered period, so every key is new" in first
    assert "rebases:   history of 4 periods, 2024-12 to 2025-03" in first
    assert "guard:" not in first
    last = plan(shop, deliver(shop, "2025-04", products("P1"), folder=outside), exit_code=1)
    assert "compared:  with 2025-03" in last
    assert "keys:      0 new, 0 changed, 3 ended, 1 unchanged" in last
    assert "rebases:   history of 2025-04" in last
    assert "guard:     refuses: it would end 3 of 4 keys (75.0%; the limit is 50.0%); --force overrules it" in last
    assert "4 unchanged" in plan(shop, deliver(shop, "2025-05", products(*FOUR), folder=outside))


def test_a_known_file(shop: Project) -> None:
    output = plan(shop, shop.landing / "products_2025-03.csv")
    assert "this very file is version 1 (active) already; loading it again needs --force" in output
    shop.loader("rollback", "--dataset", "products", "--period", "2025-03", "--to", 0)
    output = plan(shop, shop.landing / "products_2025-03.csv")
    assert "this very file is version 1 (rolled back) already" in output
    assert "compared:  with 2025-02" in output


def test_what_would_be_refused(shop: Project, outside: Path) -> None:
    bad = deliver(shop, "2025-04", products("P1", {"sku": "P2", "price": "cheap"}), folder=outside)
    output = plan(shop, bad, exit_code=1)
    assert "refused:   products_2025-04.csv: 1 of 2 rows are invalid" in output
    renamed = [{("Preis" if name == "price" else name): cell for name, cell in ANY_PRODUCT.items()}]
    bad = deliver(shop, "2025-04", renamed, folder=outside)
    done = shop.loader("plan", bad)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "unknown: Preis; missing: price" in done.output
    assert shop.loader("plan", outside / "shops.csv").exit_code == 2
    (outside / "shops.csv").write_text("sku", encoding="utf-8")
    done = shop.loader("plan", outside / "shops.csv")
    assert (done.exit_code, "the file name matches no contract" in done.output) == (1, True)


def test_a_rule_that_nearly_every_row_breaks_is_the_contract_s_fault(shop: Project, outside: Path) -> None:
    def refused(count: int, **cells: str) -> str:
        rows = products(*({"sku": f"P{number}", **(cells if number else {})} for number in range(count)))
        return plan(shop, deliver(shop, "2025-04", rows, folder=outside), exit_code=1)

    advice = "breaks '{}': the contract is the likelier cause, look at it first"
    output = refused(40, price="2,50")
    assert f"Nearly every row, such as '2,50', {advice.format('price: type decimal(8,2)')}" in output
    assert "rejected:  price: type decimal(8,2) (39)" in output
    output = refused(40, buyer="Geheimnis" * 10)  # personal
    assert f"Nearly every row {advice.format('buyer: length 20')}" in output
    assert "Geheimnis" not in output
    assert "likelier cause" not in refused(5, price="2,50")


def test_a_delta(engine: Engine, new_project: Callable[..., Project], outside: Path) -> None:
    shop = open_shop(new_project(engine), DELTA)
    deliver(shop, "2025-01", products(*FOUR))
    deliver(shop, "2025-02", products({"sku": "P1", "price": "3"}, "P5"))
    load(shop)
    rows = products({"sku": "P1", "price": "4"}, {"sku": "P2", "name": "gone"}, {"sku": "P8", "name": "gone"}, "P6")
    output = plan(shop, deliver(shop, "2025-03", rows, folder=outside))
    assert "keys:      1 new, 1 changed, 1 ended, 3 unchanged" in output
    assert "price: 1 changed, for example P1: 3.00 → 4.00" in output
    assert "compared:  with 2025-02" in output
    assert "name:" not in output
