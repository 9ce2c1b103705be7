"""Fixtures: a warehouse on each engine, and a scratch project folder in front of it."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from tests.support.cost import Cost
from tests.support.effort import LONG
from tests.support.engines import KNOWN, Engine, Rows, drop_databases, requested_engines
from tests.support.parsed import hand_over
from tests.support.processes import Process, start
from tests.support.projects import only_subjects
from tests.support.run import begin_run, run_folder

settings.register_profile("almanac", deadline=None)  # a busy machine is no fault
settings.load_profile("almanac")

REPOSITORY = Path(__file__).parents[1]
COPIED = (
    "datasets_config.yml",
    "datasets_config.schema.json",
    "dbt_project.yml",
    "profiles.yml.example",
    "dbt_project",
    "gx",
)
PARSING = {"build", "run", "docs", "demo", "snapshot", "test", "compile"}
"""Commands of the loader, or of dbt, that need the whole project parsed."""
QUIET = {"GX_ANALYTICS_ENABLED": "false", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Result:
    """What a command of the loader said."""

    exit_code: int
    output: str
    """Standard output and standard error, in the order in which a person sees them."""
    stdout: str

    @property
    def json(self) -> Any:
        """The answer of a command with `--json`."""
        return json.loads(self.stdout)


@dataclass
class Project:
    """A project folder of its own with a warehouse of its own."""

    root: Path
    engine: Engine
    profile_output: dict[str, Any]
    env: dict[str, str] = field(default_factory=dict)
    """Variables for every command of this project."""

    @property
    def landing(self) -> Path:
        return self.root / "data" / "landing"

    def write_profile(self) -> None:
        """profiles.yml, with the warehouse as its one target."""
        profiles = {"almanac": {"target": "dev", "outputs": {"dev": self.engine.profile(self.profile_output)}}}
        (self.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")

    def loader(self, *args: object, own_process: bool = False, env: Mapping[str, str] | None = None) -> Result:
        """`loader ARGS`, in this process unless it has to be one of its own."""
        if own_process:
            process = self.start_loader(*args, env=env)
            stdout, stderr = process.communicate()
            return Result(process.returncode, stdout + stderr, stdout)
        from click.testing import CliRunner

        from loader.cli.app import main

        with self._environment(env):
            result = CliRunner().invoke(main, self._command(args), prog_name="loader", catch_exceptions=False)
        return Result(result.exit_code, result.output, result.stdout)

    def start_loader(self, *args: object, env: Mapping[str, str] | None = None) -> Process:
        """`loader ARGS` in a process that the test may wait for, or kill."""
        self._hand_over(args)
        with self._environment(env):
            return start("loader", self._command(args), self.root)

    def dbt(self, *args: object, env: Mapping[str, str] | None = None) -> Any:
        """`dbt ARGS` in this process; the dbtRunnerResult, whose `success` the test judges."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner
        from dbt.deprecations import reset_deprecations

        self._hand_over(args)
        reset_deprecations()  # else a command tells of those before it in this process
        verb, *rest = map(str, args)
        places = ["--project-dir", str(self.root), "--profiles-dir", str(self.root)]
        with self._environment(env), chdir(self.root):
            try:
                return dbtRunner().invoke([verb, *rest, *places])
            finally:
                reset_adapters()
                DuckDBConnectionManager.close_all_connections()  # else the file stays locked

    def start_dbt(self, *args: object, env: Mapping[str, str] | None = None) -> Process:
        """`dbt ARGS` in a process that the test may wait for, or kill; it starts in the project folder."""
        with self._environment(env):
            return start("dbt", args, self.root)

    def sql(self, query: str) -> Rows:
        """The rows of a query against the warehouse."""
        return self.engine.query(self.profile_output, query)

    def _hand_over(self, args: tuple[object, ...]) -> None:
        """What dbt has parsed of such a project already."""
        if PARSING.intersection(args):
            hand_over(self.root, self.profile_output, lambda: self.dbt("parse"))

    def _command(self, args: tuple[object, ...]) -> list[str]:
        return ["--project-dir", str(self.root), *map(str, args)]

    @contextmanager
    def _environment(self, env: Mapping[str, str] | None) -> Iterator[None]:
        """The environment of one command: none of the developer's own settings, nothing left behind."""
        before = dict(os.environ)
        for name in before:
            if name.startswith(("ALMANAC_", "DBT_")):
                del os.environ[name]
        os.environ.update(QUIET | self.env | dict(env or {}))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def pytest_configure(config: pytest.Config) -> None:
    """One folder for all processes of a run, removed by somebody who sees how it ends."""
    if not hasattr(config, "workerinput"):
        begin_run()
        command = [sys.executable, "-m", "tests.support.leftovers", str(os.getpid()), str(run_folder())]
        # no pipe of ours: who reads from one would wait for it, and it for the end of this process
        nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True, **nothing)
    if os.environ.get("COST"):
        if not Path("/proc/self/stat").exists():
            raise pytest.UsageError("COST=1 needs /proc, which this system does not have")
        config.pluginmanager.register(Cost(), "cost")
    # the packages that all use stay; to look through them again and again takes a tenth of the time
    gc.set_threshold(100_000, 50, 50)
    # dbt looks for the caller of each adapter in the whole stack, which is deep here: half a second for each command
    with suppress(ImportError):
        from dbt_common.behavior_flags import BehaviorFlagRendered

        BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt.adapters")
    # what dbt's own tests do: a text is parsed once in a process, and packages are searched for plugins once
    with suppress(ImportError):
        from dbt_common.tests import enable_test_caching

        enable_test_caching()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        drop_databases()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: at the end no worker is left alone with one."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("long") and not LONG:
            item.add_marker(pytest.mark.skip(reason="runs in make test-long only"))


@pytest.fixture(scope="session", params=requested_engines())
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that ENGINES names."""
    return _engine(request.param)


@pytest.fixture
def new_warehouse() -> Iterator[Callable[[Engine, Path], dict[str, Any]]]:
    """Makes warehouses that go with the test: `new_warehouse(engine, folder)`, an output of profiles.yml."""
    made: list[tuple[Engine, dict[str, Any]]] = []

    def make(on: Engine, folder: Path) -> dict[str, Any]:
        made.append((on, on.new_output(folder)))
        return made[-1][1]

    yield make
    for on, output in made:
        on.drop(output)


@pytest.fixture
def new_project(tmp_path: Path, new_warehouse: Callable[[Engine, Path], dict[str, Any]]) -> Callable[..., Project]:
    """Makes project folders: `new_project("duckdb")`, or `new_project(engine)` on each engine.

    With the citizens only, unless `whole`: most tests need no second subject, and each would build it.
    """

    def make(on: Engine | str = "duckdb", folder: str = "project", *, whole: bool = False) -> Project:
        home = _engine(on) if isinstance(on, str) else on
        root = tmp_path / folder
        root.mkdir()
        for name in COPIED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, root / name)
            elif source.exists():
                shutil.copy(source, root / name)
        if not whole:
            only_subjects(root, "citizens")
        output = new_warehouse(home, root)
        project = Project(root, home, output)
        project.write_profile()
        project.landing.mkdir(parents=True)
        return project

    return make


@pytest.fixture
def new_folder(tmp_path: Path, new_warehouse: Callable[[Engine, Path], dict[str, Any]]) -> Callable[..., Project]:
    """Makes an empty folder for `loader init`, in front of a warehouse of its own: `new_folder(engine)`."""

    def make(on: Engine | str = "duckdb") -> Project:
        home = _engine(on) if isinstance(on, str) else on
        root = tmp_path / "own"
        root.mkdir()
        return Project(root, home, new_warehouse(home, root))

    return make


@pytest.fixture
def project(engine: Engine, new_project: Callable[..., Project]) -> Project:
    """A project folder with the contracts, models and suites of the citizens, on each engine."""
    return new_project(engine)


def _engine(name: str) -> Engine:
    home = KNOWN[name]()
    reason = home.unavailable()
    if reason:
        pytest.skip(reason)
    return home
