"""Files that no contract knows: named with the nearest contract and the reason, however many they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loader.contracts import Contracts, read_contracts
from loader.staging.unknown_files import explain
from tests.conftest import REPOSITORY, Project
from tests.support.shop import deliver, load, open_shop, prepared, products


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return read_contracts(REPOSITORY)


@pytest.mark.parametrize(
    ("name", "nearest", "why"),
    [
        ("citizens_2025-01.xls", "citizens", "its extension '.xls'; 'citizens_2025-01.xlsx' would be one"),
        ("citizens_2025-01", "citizens", "a missing extension; 'citizens_2025-01.xlsx' would be one"),
        ("citizens_2025-01.xlsx.part", "citizens", "its extension '.part'; 'citizens_2025-01.xlsx' would be one"),
        ("claims_2025-06-01.csv.zip", "claims", "its extension '.zip'; 'claims_2025-06-01.csv' would be one"),
        ("Members_2025-01 (1).CSV", "members", "' (1)'; 'Members_2025-01.CSV' would be one"),
        ("Kopie von plans_2025-01.csv", "health_plans", "'Kopie von '; 'plans_2025-01.csv' would be one"),
        ("citizen_2025-01.xlsx", "citizens", "a character; 'citizens_2025-01.xlsx' would be one"),
        ("plans-2025-01_v2.csv", "health_plans", "a character; 'plans_2025-01_v2.csv' would be one"),
        ("providers_01.2025.csv", "providers", "the nearest are the names of providers: providers_(?P<period>"),
        ("minutes of the meeting.docx", None, "its name is like none of theirs"),
        ("ä" * 120 + ".csv", None, "its name is like none of theirs"),
    ],
)
def test_the_nearest_contract_and_what_keeps_the_name_from_it(
    contracts: Contracts, name: str, nearest: str | None, why: str
) -> None:
    [found] = explain([name], contracts)
    assert (found.nearest, why in found.message) == (nearest, True), found


def test_what_would_be_a_name_is_one(contracts: Contracts) -> None:
    """The name that is offered fits the contract that is named."""
    for name in ("citizens 2025-01.xlsx", "x_members_2025-01.csv", "plans_2025-1x.csv", "claims_2025-06-01_v.csv"):
        [found] = explain([name], contracts)
        offered = found.message.split("'")[-2]
        contract = contracts.get(found.nearest or "")
        assert contract is not None
        assert contract.match(offered), found


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, "duckdb", open_shop)


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


def test_they_are_in_every_answer_and_with_strict_in_the_exit_code(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    lay(shop.landing, "products_2025-02.xls", "readme.txt")
    said = "note: no contract knows products_2025-02.xls: the name is one of products but for its extension '.xls'; "
    output = load(shop)
    assert said in output
    assert output.splitlines()[-1].startswith("1 loaded, 0 refused, 0 unchanged, 2 unknown; 1 rows in")
    assert shop.loader("load", "--strict").exit_code == 1
    assert shop.loader("status").output.count(said) == 1
    answer = shop.loader("load", "--json", "--strict")
    assert (answer.exit_code, [one["nearest"] for one in answer.json["unknown"]]) == (1, ["products", None])
    lines = [(line["file"], line["state"]) for line in shop.loader("status", "--json").json]
    assert lines[1:] == [("products_2025-02.xls", "unknown"), ("readme.txt", "unknown")]
    wrong = shop.loader("load", "--period", "2025-02")
    assert (wrong.exit_code, said in wrong.output) == (2, True)
    lay(shop.landing, "products_2025-03.csv")
    for name in ("products_2025-02.xls", "readme.txt"):
        (shop.landing / name).unlink()
    assert shop.loader("ingest").exit_code == 1
    (shop.landing / "products_2025-03.csv").unlink()
    assert shop.loader("load", "--strict").exit_code == 0


def test_very_many_are_told_in_a_few_lines(shop: Project) -> None:
    lay(shop.landing, *(f"export {number:04}.pdf" for number in range(300)))
    lay(shop.landing, *(f"{'x' * number}.dat" for number in range(1, 27)))
    output = load(shop)
    notes = [line for line in output.splitlines() if line.startswith("note: no contract knows")]
    assert len(notes) == 6
    assert notes[0].startswith("note: no contract knows export 0000.pdf and 299 of such names: ")
    assert notes[-1].endswith(" more files; `loader status --json` lists all of them")
    assert output.splitlines()[-1].startswith("0 loaded, 0 refused, 0 unchanged, 326 unknown; ")
    unknown = shop.loader("load", "--json").json["unknown"]
    assert len(unknown) == len({one["file"] for one in unknown}) == 326
