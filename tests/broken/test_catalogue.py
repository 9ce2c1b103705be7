"""The catalogue of broken deliveries: each class in one `loader load`, in a process of its own.

What a refusal promises is asked of every case: exit code 1, one line that tells, nothing in stage, versions or archive,
a record of the refusal; and what only looks broken has the right rows in stage.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from loader.console import printable
from tests.broken import CLASSES
from tests.broken.cases import CONTRACTS, PEOPLE_STAGED, Case, content, people
from tests.conftest import Project, Result
from tests.support.deliveries import files_below, rejects
from tests.support.effort import LONG
from tests.support.engines import Engine
from tests.support.run import made_once, run_folder
from tests.support.shop import open_shop, prepared

pytestmark = pytest.mark.slow

EVERYWHERE = {
    "text file of zero bytes",
    "xlsx cut in the middle",
    "cell in the last corner",
    "login page named .csv",
    "missing column",
    "header with codes for the terminal",
    "quote that is not closed",
    "NUL in a cell",
    "number beyond decimal",
    "rows of a later month",
    "SQL in a value",
    "signs beyond the basic plane",
}
"""Cases that `make test` tries on every engine; the others end before the warehouse has a part in them."""
BEFORE, AFTER = "2000-01", "2020-01"


def open_register(project: Project) -> Project:
    """A project that knows people as text, as text in utf-16 and as workbooks, and has loaded some."""
    open_shop(project, CONTRACTS)
    content(people())(project.landing / f"text_{BEFORE}.csv")
    assert project.loader("load").exit_code == 0
    return project


def period_of(number: int) -> str:
    return f"{2001 + number // 12}-{1 + number % 12:02}"


@dataclass(frozen=True)
class Run:
    """What loading all deliveries of a class gave."""

    project: Project
    result: Result
    before: State
    after: State
    refusals: dict[str, list[str]]
    """What is recorded of each refusal, by name of the file."""

    def lines_of(self, name: str) -> list[str]:
        return [line for line in self.result.output.splitlines() if name in line]


@dataclass(frozen=True)
class State:
    """What a refusal leaves alone."""

    rows: set[tuple[Any, ...]]
    """(dataset, period, number, name)."""
    versions: set[tuple[Any, ...]]
    archive: set[str]

    @classmethod
    def of(cls, project: Project) -> State:
        tables = ("text", "wide", "book")
        people = " union all ".join(f"select '{t}', _data_period, person_id, name from stage.{t}" for t in tables)
        versions = "select dataset, data_period, version_no, state, row_count from meta.dataset_version"
        archive = files_below(project.root / "data/stage/cleaned")
        return cls(set(project.sql(people)), set(project.sql(versions)), set(archive))

    def rows_of(self, dataset: str, period: str) -> list[tuple[Any, ...]]:
        return sorted(row[2:] for row in self.rows if row[:2] == (dataset, period))


_RUNS: dict[str, Run] = {}


def run_of(kind: str, new_project: Callable[..., Project]) -> Run:
    """Load a class; once for all processes of the tests."""

    def make(path: Path) -> None:
        run = load_all(prepared(new_project, "duckdb", open_register), CLASSES[kind], own_process=True)
        path.write_bytes(pickle.dumps(replace(run, project=kept(run.project, f"broken-{kind}-project"))))

    if kind not in _RUNS:
        _RUNS[kind] = pickle.loads(made_once(f"broken-{kind}", make).read_bytes())
    return _RUNS[kind]


def kept(project: Project, name: str) -> Project:
    """A copy that stays until the end of the run: a project goes with the test that made it."""
    root = run_folder() / name
    shutil.copytree(project.root, root, ignore=shutil.ignore_patterns("profiles.yml", "warehouse.duckdb*"))
    copy = replace(project, root=root, profile_output=project.engine.new_output(root))
    project.engine.copy(project.profile_output, copy.profile_output)
    copy.write_profile()
    return copy


def load_all(project: Project, cases: Sequence[Case], *, own_process: bool = False) -> Run:
    for number, case in enumerate(cases):
        case.make(project.landing / case.file_name(period_of(number)))
    before = State.of(project)
    result = project.loader("load", own_process=own_process)
    return Run(project, result, before, State.of(project), refusals(project))


def refusals(project: Project) -> dict[str, list[str]]:
    """What is recorded of each refusal: the audit, and the log of files or that of validations, say the same."""
    audited = project.sql("select subject, error from meta.etl_audit where status = 'refused'")
    logged = project.sql(
        "select file_name, message from meta.ingestion_log where status = 'refused' union all "
        "select i.file_name, v.message from meta.validation_log as v "
        "inner join meta.ingestion_log as i on v.file_id = i.file_id where v.status = 'refused'"
    )
    assert sorted(audited) == sorted(logged)
    found: dict[str, list[str]] = {}
    for name, message in audited:
        found.setdefault(name, []).append(message)
    return found


def cases() -> list[Any]:
    return [
        pytest.param(kind, number, case, id=f"{kind}: {case.name}")
        for kind, of_kind in CLASSES.items()
        for number, case in enumerate(of_kind)
    ]


@pytest.mark.parametrize(("kind", "number", "case"), cases())
def test_a_delivery(kind: str, number: int, case: Case, new_project: Callable[..., Project]) -> None:
    assert_verdict(run_of(kind, new_project), number, case)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class(kind: str, new_project: Callable[..., Project]) -> None:
    assert_nothing_else(run_of(kind, new_project), CLASSES[kind])


def test_a_handful_on_every_engine(engine: Engine, new_project: Callable[..., Project]) -> None:
    assert {case.name for cases in CLASSES.values() for case in cases} >= EVERYWHERE
    for cases in CLASSES.values():
        assert not EVERYWHERE.isdisjoint(case.name for case in cases), "each class is tried on every engine"
    handful = [case for cases in CLASSES.values() for case in cases if LONG or case.name in EVERYWHERE]
    run = load_all(prepared(new_project, engine, open_register), handful)
    for number, case in enumerate(handful):
        assert_verdict(run, number, case)
    assert_nothing_else(run, handful)


def test_a_list_of_rejects_runs_no_formula(new_project: Callable[..., Project]) -> None:
    kind = "wrong values"
    numbers = [number for number, case in enumerate(CLASSES[kind]) if case.name == "formula in a wrong value"]
    run = run_of(kind, new_project)
    assert rejects(run.project, f"text_{period_of(numbers[0])}_") == [
        ("3", "city", "'=cmd|'/C calc'!A0", "allowed values"),
    ]


def assert_verdict(run: Run, number: int, case: Case) -> None:
    """Refused in one line that tells, with a record and nothing else; or loaded with the right values."""
    period = period_of(number)
    name = case.file_name(period)
    [line] = run.lines_of(name)
    staged = run.after.rows_of(case.dataset, period)
    archived = [one for one in run.after.archive if f"/{case.dataset}_{period}_" in one]
    if case.says:
        assert line.startswith(f"refused    {name}")
        for words in case.says:
            assert words in line
        assert (staged, archived) == ([], [])
        [recorded] = run.refusals[name]
        assert printable(recorded) == line.removeprefix("refused    ")
    else:
        assert line.startswith(f"loaded     {case.dataset} {period}  3 rows from {name} (version 1")
        assert staged == sorted(case.rows)
        assert len(archived) == 1


def assert_nothing_else(run: Run, cases: Sequence[Case]) -> None:
    """Nothing is said but a line per delivery, nothing else is changed, and a good file still loads."""
    *lines, closing = sorted(run.result.output.splitlines(), key=lambda line: line[:1].isdecimal())
    good = sum(bool(case.rows) for case in cases)
    refused = len(cases) - good
    assert run.result.exit_code == 1
    assert [line for line in lines if not line.startswith(("loaded     ", "refused    "))] == []
    assert len(lines) == good + refused
    assert closing.startswith(f"{good} loaded, {refused} refused, 1 unchanged; {3 * good:,} rows in")
    assert run.before.rows <= run.after.rows
    assert run.before.versions <= run.after.versions
    assert run.before.archive <= run.after.archive
    assert len(run.after.archive - run.before.archive) == len(run.after.versions - run.before.versions) == good

    path = run.project.landing / f"text_{AFTER}.csv"
    content(people())(path)
    assert run.project.loader("load", "--file-path", path).exit_code == 0
    assert State.of(run.project).rows_of("text", AFTER) == sorted(PEOPLE_STAGED)
