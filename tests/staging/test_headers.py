"""Headers that come, go and are left out: what a contract may say of them, and what a load makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loader.codegen.accept_header import with_changes
from loader.contracts.acceptance import accept
from loader.contracts.file import contracts_of
from tests.conftest import Project
from tests.support.deliveries import change_contract, rejects
from tests.support.engines import Engine
from tests.support.shop import PRODUCTS, Cells, deliver, load, open_shop, prepared, products, stage

ABSENT = "weight: optional column not in the file, NULL"


def shop_of_change(project: Project) -> None:
    """Two products in January; a column may be lacking, one ends in February, and some headers are not read."""
    open_shop(project)
    change_contract(project, "Weight in kg.", "Weight in kg., optional: true")
    change_contract(project, "Name.}", "Name., until: 2025-02}")
    change_contract(project, "    guard: {", "    ignore: ['Notes (ours)', 'Unnamed.*', Ümlaut]\n    guard: {")
    change_contract(project, "changed: 0.5", "changed: 0.2")
    deliver(project, "2025-01", products("P1", "P2"))
    load(project)


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, shop_of_change)


def without(rows: list[Cells], *names: str) -> list[Cells]:
    return [{name: cell for name, cell in row.items() if name not in names} for row in rows]


def test_headers_that_are_ignored_and_columns_that_are_lacking(shop: Project) -> None:
    rows = [
        {"NOTES (OURS)": "secret", **row, "unnamed: 12": "x", " Ümlaut\n": "y"}
        for row in without(products("P1", "P2"), "weight")
    ]
    path = deliver(shop, "2025-02", rows)
    made = shop.loader("plan", path, "--json").json
    assert made["notes"] == {ABSENT: 1}
    assert made["verdict"]["change"]["changed"] == 0, "the guard leaves the column out that is not there"
    assert f"noted: {ABSENT} (1)" in load(shop)
    assert stage(shop, "2025-02", ["sku", "name", "weight"]) == [("P1", "Tea", None), ("P2", "Tea", None)]
    assert rejects(shop) == [("1", "weight", "", "optional column not in the file, NULL")]

    path = deliver(shop, "2025-03", without(products("P1", "P2"), "name"))
    change = shop.loader("plan", path, "--json").json["verdict"]["change"]
    assert (change["changed"], change["changed_by_column"]) == (0, {}), "the name ended, the weight is back"
    load(shop)
    assert stage(shop, "2025-03", ["sku", "name", "weight"]) == [("P1", None, 0.25), ("P2", None, 0.25)]
    assert "unknown: name. Found" in load(
        shop, "--file-path", deliver(shop, "2025-04", products("P1", "P2")), refused=True
    )


def test_the_guard_sees_what_changes_beside_a_lacking_column(shop: Project) -> None:
    rows = without([{**row, "price": "3.50"} for row in products("P1", "P2")], "weight")
    assert "would change 2 of 2 keys" in load(shop, "--file-path", deliver(shop, "2025-02", rows), refused=True)


def test_a_required_column_that_ends_is_asked_for_until_then(shop: Project) -> None:
    change_contract(shop, "Name., until: 2025-02", "Name., required: true, since: 2025-01, until: 2025-02")
    load(shop)
    deliver(shop, "2025-03", without(products("P1", "P2"), "name"))
    load(shop, "--period", "2025-03")
    suite = (shop.root / "gx/expectations/stage/products.json").read_text(encoding="utf-8")
    assert "name is filled since 2025-01 until 2025-02" in suite
    assert shop.loader("gate", "stage").exit_code == 0


# --- loader accept-header ---------------------------------------------------------------------------------------------

WRITTEN = """      sku: {type: varchar(8), description: Number of the product., required: true}   # never changes
      name:   # as in the catalogue
        type: varchar(40)     # in letters
        description: Name.
"""


@pytest.fixture
def local(new_project: Callable[..., Project]) -> Project:
    project = new_project("duckdb")
    written = PRODUCTS.replace(
        "      sku: {type: varchar(8), description: Number of the product., required: true}\n"
        "      name: {type: varchar(40), description: Name.}\n",
        WRITTEN,
    )
    assert WRITTEN in written
    return open_shop(project, written)


def config(project: Project) -> str:
    return (project.root / "datasets_config.yml").read_text(encoding="utf-8")


def called(rows: list[Cells], old: str, new: str) -> list[Cells]:
    return [{new if name == old else name: cell for name, cell in row.items()} for row in rows]


def test_a_refused_header_is_accepted_as_its_message_says_and_twice(local: Project) -> None:
    before = config(local)
    rows = [{**row, "Fax (old)": "1"} for row in called(products("P1"), "listed_on", "Listed on")]
    path = deliver(local, "2025-02", rows)
    said = load(local, "--file-path", path, refused=True)
    lines = [
        "columns.listed_on: `header: [listed_on, {header: Listed on, from: 2025-02}]`",
        "the dataset: `ignore: [Fax \\(old\\)]`",
    ]
    assert "; ".join(lines) in said
    asked = local.loader("accept-header", path)
    assert (asked.exit_code, config(local)) == (2, before)
    assert "nobody is here to confirm it" in asked.output
    done = local.loader("accept-header", path, "--yes")
    assert done.exit_code == 0, done.output
    assert "+    ignore: [Fax \\(old\\)]" in done.output
    assert WRITTEN in config(local)
    load(local, "--file-path", path)
    assert "nothing to accept" in local.loader("accept-header", path, "--yes").output

    rows = [{**row, "Fax 2": "1"} for row in called(products("P1"), "listed_on", "LISTED-ON")]
    path = deliver(local, "2025-03", rows)
    assert local.loader("accept-header", path, "--yes").exit_code == 0
    assert "header: [listed_on, {header: Listed on, from: 2025-02}, {header: LISTED-ON, from: 2025-03}]" in config(
        local
    )
    assert "ignore: [Fax \\(old\\), Fax 2]" in config(local)
    load(local, "--file-path", path)


def test_what_nobody_can_tell_is_asked_for(local: Project) -> None:
    path = deliver(local, "2025-02", called(products("P1"), "name", "Title"))
    assert "once it is told which of them is which" in load(local, "--file-path", path, refused=True)
    asked = local.loader("accept-header", path, "--yes")
    assert asked.exit_code == 2
    assert "whether Title is a new name of name" in asked.output
    assert local.loader("accept-header", path, "--renamed", "Title=titel", "--yes").exit_code == 2
    assert local.loader("accept-header", path, "--renamed", "Title=name", "--yes").exit_code == 0
    load(local, "--file-path", path)
    assert stage(local, "2025-02", ["name"]) == [("Tea",)]
    path = deliver(local, "2025-03", without(called(products("P1"), "name", "Other"), "weight"))
    assert local.loader("accept-header", path, "--ignored", "Other", "--yes").exit_code == 0
    words = config(local).split("# in letters\n")[1]
    assert words.startswith(
        "        optional: true\n        header: [name, {header: Title, from: 2025-02}]\n        description: Name.\n"
    )
    load(local, "--file-path", path)


def test_files_under_the_old_header_can_be_read_again(local: Project) -> None:
    """They arrive out of order: March was loaded under the old header when February comes under the new one."""
    deliver(local, "2025-01", products("P1"))
    deliver(local, "2025-03", products("P1", "P2"))
    load(local)
    path = deliver(local, "2025-02", called(products("P1"), "name", "Title"))
    assert local.loader("accept-header", path, "--renamed", "Title=name", "--yes").exit_code == 0
    assert "header: [{header: name, until: 2025-03}, {header: Title, from: 2025-02}]" in config(local)
    output = load(local)  # all of them: the contract has changed
    assert "3 loaded, 0 refused" in output
    path = deliver(local, "2025-04", products("P1"))  # under the old header again
    line = "[{header: name, until: 2025-03}, {header: Title, from: 2025-02}, {header: name, from: 2025-04}]"
    assert f"columns.name: `header: {line}`" in load(local, "--file-path", path, refused=True)
    assert local.loader("accept-header", path, "--yes").exit_code == 0
    assert f"header: {line}" in config(local)
    load(local, "--file-path", path)
    assert "2025-05: unknown" not in load(local, "--file-path", deliver(local, "2025-05", products("P1")))


def test_a_header_that_came_earlier_than_was_thought_counts_from_then(local: Project) -> None:
    for period in ("2025-03", "2025-02"):
        path = deliver(local, period, called(products("P1"), "name", "Title"))
        assert local.loader("accept-header", path, *RENAMED[period], "--yes").exit_code == 0
        load(local, "--file-path", path)
    assert "header: [name, {header: Title, from: 2025-03}, {header: Title, from: 2025-02}]" in config(local)


RENAMED = {"2025-03": ["--renamed", "Title=name"], "2025-02": []}
"""Once it is known whose header it is, nobody has to say so."""

FORMS = {
    "none": ("type: varchar(40), ", "header: [{header: name, until: 2025-02}, {header: Title, from: 2025-02}]"),
    "scalar": (
        "type: varchar(40), header: 'name', ",
        "header: [{header: name, until: 2025-02}, {header: Title, from: 2025-02}], ",
    ),
    "flow": (
        "type: varchar(40), header: [ {header: name}, Old ], ",
        "header: [ {header: name, until: 2025-02}, {header: Old, until: 2025-02}, {header: Title, from: 2025-02} ], ",
    ),
    "dated": (
        "type: varchar(40), header: [x, {header: name, from: 2025-01}], ",
        "header: [x, {header: name, from: 2025-01}, {header: Title, from: 2025-02}], ",
    ),
}


@pytest.mark.parametrize(("written", "expected"), FORMS.values(), ids=FORMS)
def test_whatever_way_the_headers_are_written(written: str, expected: str) -> None:
    text = PRODUCTS.replace("name: {type: varchar(40), ", f"name: {{{written}")
    contracts = contracts_of(text)
    contract = contracts.datasets[0]
    period = contract.period("2025-02")
    accepted = accept(contract, period, ["Title"], ["name"], {"Title": "name"}, loaded=[period])
    assert expected in with_changes(text, contracts, contract, accepted.changes)


ENDINGS = {
    "lf": (b"", b"\n"),
    "crlf": (b"", b"\r\n"),
    "bom": (b"\xef\xbb\xbf", b"\n"),
    "both": (b"\xef\xbb\xbf", b"\r\n"),
}


@pytest.mark.parametrize(("mark", "end"), ENDINGS.values(), ids=ENDINGS)
def test_ends_of_lines_and_byte_order_mark_stay(local: Project, mark: bytes, end: bytes) -> None:
    file = local.root / "datasets_config.yml"
    before = file.read_bytes().replace(b"\n", end)
    file.write_bytes(mark + before)
    path = deliver(local, "2025-02", [{**row, "Fax": "1"} for row in without(products("P1"), "name")])
    assert local.loader("accept-header", path, "--ignored", "Fax", "--yes").exit_code == 0
    new = [b"    ignore: [Fax]" + end, b"        optional: true" + end]
    after = file.read_bytes()
    assert after.startswith(mark)
    left = after.removeprefix(mark)
    for line in new:
        assert left.count(line) == 1
        left = left.replace(line, b"")
    assert left == before


def test_an_anchor_stays_and_what_an_alias_shares_is_left_to_people(new_project: Callable[..., Project]) -> None:
    anchored = PRODUCTS.replace(
        "name: {type: varchar(40), description: Name.}", "name: &text {type: varchar(40), description: Name.}  # of all"
    )
    project = open_shop(new_project("duckdb"), anchored)
    path = deliver(project, "2025-02", called(products("P1"), "name", "Title"))
    accept = ["accept-header", path, "--renamed", "Title=name", "--yes"]
    assert project.loader(*accept).exit_code == 0
    assert (
        "name: &text {type: varchar(40), description: Name., header: [name, {header: Title, from: 2025-02}]}  # of all"
        in config(project)
    )

    text = anchored.replace("    guard:", "      short: *text\n    guard:")
    (project.root / "datasets_config.yml").write_text(text, encoding="utf-8")
    rows = [{**row, "short": "T"} for row in called(products("P1"), "name", "Title")]
    deliver(project, "2025-02", rows)
    done = project.loader(*accept)
    assert (done.exit_code, config(project)) == (2, text)
    assert "written in a way that cannot be changed here" in done.output


KILLED = """
import os, signal, sys
from pathlib import Path
from loader.contracts.edit import rewrite

path, after = Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8")
before, left = path.read_bytes(), 0

def kill(event, arguments):
    global left
    if event in ("open", "os.rename", "os.chmod", "os.remove") and path.name in str(arguments[0]):
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

for at in range(100):
    path.write_bytes(before)
    left = at
    process = os.fork()
    if process == 0:
        sys.addaudithook(kill)
        rewrite(path, after)
        os._exit(0)
    killed = os.waitpid(process, 0)[1]
    print("old" if path.read_bytes() == before else "new" if path.read_text(encoding="utf-8") == after else "broken")
    if not killed:
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it kills copies of itself")
def test_killed_at_any_step_of_writing_the_contract_is_the_old_or_the_new_one(local: Project, tmp_path: Path) -> None:
    new = tmp_path / "new.yml"
    new.write_text(config(local).replace("    guard:", "    ignore: [Fax]\n    guard:"), encoding="utf-8")
    command = [sys.executable, "-c", KILLED, local.root / "datasets_config.yml", new]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert len(found) > 4
    assert found == sorted(found, key=["old", "new"].index)
    assert found[-1] == "new"


@pytest.mark.parametrize("rows", [without(products("P1"), "sku")], ids=["without its key"])
def test_what_no_contract_can_take_is_refused(local: Project, rows: list[Cells]) -> None:
    path, before = deliver(local, "2025-02", rows), config(local)
    done = local.loader("accept-header", path, "--yes")
    assert (done.exit_code, config(local)) == (1, before)
    assert "cannot lack sku" in done.output
