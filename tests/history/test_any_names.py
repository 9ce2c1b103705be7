"""Keys and columns that are called like what the macros work with: no name that a contract takes is taken there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from loader.contracts.names import LINEAGE, portable
from tests.conftest import REPOSITORY, Project
from tests.history.oracle import Row, Unknown, expected_history
from tests.support.deliveries import write_csv
from tests.support.engines import Engine

MACROS = ("macros/history", "macros/as_of", "macros/facts", "macros/engines", "tests/generic")
NAMED = re.compile(r"\bas (\w+)|(\w+) as \(|\b(\w+)\.\w+|\.(\w+)\b(?!\()|^ +(\w+),?$", re.MULTILINE)
"""Tables, columns and aliases in SQL, and much that is none."""


def words() -> tuple[list[str], list[str]]:
    """What is worked out in the macros beside the columns of a contract, without its _; all other names in them."""
    texts = [
        path.read_text("utf-8")
        for place in MACROS
        for path in sorted((REPOSITORY / "dbt_project" / place).glob("*.sql"))
    ]
    found = {word for text in texts for match in NAMED.findall(text) for word in match if word}
    lineage = {*LINEAGE, "_source_rows"}
    working = {word[1:] for word in found if word.startswith("_") and word not in lineage}
    assert working > {"ends_at", "is_alive", "next_start", "run_number"}, working
    free = sorted(filter(is_taken_by_contracts, working))
    return free, sorted(filter(is_taken_by_contracts, found - working))


def is_taken_by_contracts(name: str) -> bool:
    try:
        return portable("column", name) == name and not name.startswith("dbt_")
    except ValueError:
        return False


def contract(key: list[str], names: list[str], kind: str) -> dict[str, Any]:
    marker = {"end_marker": {"column": MARKER, "value": "gone"}} if kind == "delta" else {}
    types = {name: {"type": "varchar(9)", "description": "A word.", "required": name in key} for name in names}
    return {
        "title": "Words",
        "description": "Words.",
        "file_name": rf"{kind}_{key[0]}_(?P<period>\d{{4}}-\d{{2}})\.csv",
        "format": {"type": "csv"},
        "grain": "month",
        "kind": kind,
        "key": key,
        **marker,
        "columns": {**types, "size": {"type": "integer", "description": "A number."}},
        "invalid_rows": {"action": "reject_rows", "max_share": 1},
    }


MARKER = "is_alive"
# By period, by key: the state of the row. `gone` ends a key of a delta, `bad` is a rejected row, and the key "" no key.
DELIVERIES = {
    "2025-01": {"1": "a", "2": "a", "3": "a", "4": "a"},
    "2025-02": {"1": "b", "2": "bad", "4": "gone"},
    "2025-03": {"1": "b", "3": "a", "": "a"},
    "2025-04": {"1": "a", "2": "b", "4": "b"},
}
LATE = "2025-02"
"""Comes when the others are built."""


@pytest.mark.slow
def test_any_name_that_a_contract_takes_has_its_history(new_folder: Callable[..., Project], engine: Engine) -> None:
    project = new_folder(engine)
    assert project.loader("init").exit_code == 0
    project.write_profile()
    key, others = words()
    key.remove(MARKER)
    names = sorted({*key, *others, "size", MARKER})
    datasets = {f"words_{kind}": contract(key, names, kind) for kind in ("full", "delta")}
    (project.root / "datasets_config.yml").write_text(yaml.safe_dump({"datasets": datasets}), encoding="utf-8")
    for command in (["derive"], *(["derive", "--snapshot", name] for name in datasets), ["migrate"]):
        result = project.loader(*command)
        assert result.exit_code == 0, result.output
    for periods in ([period for period in DELIVERIES if period != LATE], [LATE]):
        for contract_ in datasets.values():
            for period in periods:
                deliver(project, contract_, period, names)
        for command in (["load", "--force"], ["build"]):
            result = project.loader(*command)
            assert result.exit_code == 0, result.output

    for name, words_ in datasets.items():
        is_delta = "end_marker" in words_
        columns = [*key, "size", MARKER, "periods"]
        stated = {
            period: [row(key, names, number, state) for number, state in rows.items() if number and state != "bad"]
            for period, rows in DELIVERIES.items()
        }
        if not is_delta:
            stated = {period: [one for one in rows if one[MARKER] != "gone"] for period, rows in stated.items()}
        expected = expected_history(
            stated,
            key=key,
            tracked=[name for name in names if name not in key],
            columns=columns,
            end_marker=(MARKER, "gone") if is_delta else None,
            unknown={"2025-02": Unknown(frozenset({("2",) * len(key)})), "2025-03": Unknown(is_incomplete=True)},
        )
        listed = ", ".join([*columns, "dbt_valid_from", "dbt_valid_to"])
        assert set(project.sql(f"select {listed} from core.{name}")) == expected, name


def row(key: list[str], names: list[str], number: str, state: str) -> Row:
    cells = {name: number if name in key else state for name in names}
    return {**cells, "size": len(state), MARKER: state}


def deliver(project: Project, words_: dict[str, Any], period: str, names: list[str]) -> None:
    key = words_["key"]
    is_delta = "end_marker" in words_
    rows = [
        {**row(key, names, number, state), **({"size": "many"} if state == "bad" else {})}
        for number, state in DELIVERIES[period].items()
        if is_delta or state != "gone"
    ]
    path = project.landing / f"{words_['kind']}_{key[0]}_{period}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, [[one[name] for name in names] for one in rows], header=names)
