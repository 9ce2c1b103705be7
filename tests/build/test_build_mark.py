"""The mark of a complete build: `loader run` with nothing new builds nothing, and never leaves out what has changed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import yaml

from loader.build.inputs import Inputs
from loader.build.layers import Part, build
from loader.build.progress import Progress, complete_build
from loader.project import Project as Opened
from loader.warehouse.build_mark import BuildMark, read_mark
from tests.conftest import Project
from tests.support.deliveries import citizen_rows, write_citizens
from tests.support.engines import Engine
from tests.support.gating import ask_less
from tests.support.shop import prepared

WARNING = """
{{ config(severity='warn', enabled=true) }}
select 1 as found from (select count(*) as number from {{ ref('citizens') }}) as counted
"""
UNCHANGED = "unchanged  nothing has changed since the build of "


def one_build(project: Project) -> None:
    """Two months of citizens, built as a whole, with a warning of dbt."""
    ask_less(project)
    (project.root / "dbt_project" / "tests" / "always_warns.sql").write_text(WARNING, encoding="utf-8")
    for month in ("2025-01", "2025-02"):
        write_citizens(project.landing / f"citizens_{month}.xlsx", citizen_rows(20))
    for command in ("migrate", "run"):
        result = project.loader(command)
        assert result.exit_code == 0, result.output
    assert "built      mart" in result.output


@pytest.fixture
def built(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return in_its_place(prepared(new_project, engine, one_build))


@pytest.fixture
def embedded(new_project: Callable[..., Project]) -> Project:
    return in_its_place(prepared(new_project, "duckdb", one_build))


def in_its_place(project: Project) -> Project:
    """A copy is another target; here it stands for the one that was built."""
    with opened(project) as here:
        rewrite_mark(project, target=Inputs.of(here).hashes["target"])
    return project


@contextmanager
def opened(project: Project) -> Iterator[Opened]:
    """The project as a command of the loader has it, in the environment of one."""
    with project._environment(None):
        yield Opened.open(project.root)


def mark(project: Project) -> BuildMark | None:
    with opened(project) as here:
        return here.warehouse.run(read_mark)


def rewrite_mark(project: Project, **hashes: str) -> None:
    """Have the last build be made of something else."""
    known = mark(project)
    assert known is not None
    project.sql(f"update meta.build_mark set inputs = '{json.dumps({**known.inputs, **hashes})}'")


def is_complete(project: Project) -> bool:
    """Whether a run with nothing new would build nothing."""
    with opened(project) as here:
        return complete_build(here) is not None


def begin(project: Project) -> Progress:
    with opened(project) as here:
        return Progress.begin(here, ask_all=False)


def complete(progress: Progress, project: Project) -> None:
    with project._environment(None):
        progress.complete([])


def steps(project: Project) -> list[Any]:
    return project.sql("select step, subject, status from meta.etl_audit order by audit_id")


def test_a_run_with_nothing_new_builds_nothing(built: Project) -> None:
    before = steps(built)
    result = built.loader("run")
    assert result.exit_code == 0, result.output
    assert "0 loaded, 0 refused, 2 unchanged" in result.output
    assert UNCHANGED in result.output
    assert "note: dbt: always_warns: Got 1 result, configured to warn if != 0" in result.output
    assert steps(built) == before


def test_a_late_delivery_is_found_and_built(built: Project) -> None:
    write_citizens(built.landing / "citizens_2024-12.xlsx", citizen_rows(20))
    result = built.loader("run")
    assert "1 loaded, 0 refused, 2 unchanged" in result.output
    assert "built      mart" in result.output
    assert UNCHANGED in built.loader("run").output


def change_file(name: str, text: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        path = project.root / name
        path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + text, encoding="utf-8")

    return change


def set_variable(name: str, value: str = "another") -> Callable[[Project], None]:
    return lambda project: project.env.update({name: value})


def change_profile(project: Project) -> None:
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": {**project.profile_output, "retries": 5}}}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")


CHANGES: dict[str, Callable[[Project], Any]] = {
    "model": change_file("dbt_project/models/marts/citizens/dim_citizen.sql", "\n-- more\n"),
    "new macro": change_file("dbt_project/macros/new.sql", "{% macro new() %}{% endmacro %}"),
    "documentation of a model": change_file("dbt_project/models/overview.md", "\nMore.\n"),
    "contract": change_file("datasets_config.yml", "\n# more\n"),
    "suite": change_file("gx/expectations/core/citizens.json", "\n"),
    "configuration of dbt": change_file("dbt_project.yml", "\n# more\n"),
    "package": change_file("packages.yml", "packages: []\n"),
    "variable of the project": set_variable("ALMANAC_READER_ROLE"),
    "variable of dbt": set_variable("DBT_WARN_ERROR_OPTIONS"),
    "profile": change_profile,
    "version of a package": lambda project: rewrite_mark(project, versions="of another package"),
    "ledger": lambda project: project.sql("delete from core.applied_load where data_period = '2025-02'"),
    "loads": lambda project: project.sql(
        "update meta.dataset_version set state = 'superseded' where data_period = '2025-02'"
    ),
    "time for all gates": set_variable("ALMANAC_GATE_ALL_EVERY", "0d"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_has_changed_is_built(embedded: Project, what: str) -> None:
    assert is_complete(embedded)
    CHANGES[what](embedded)
    assert not is_complete(embedded)


def test_what_a_build_does_not_read_is_no_change(embedded: Project) -> None:
    embedded.env.update(SOMETHING_ELSE="1", DBT_ENV_SECRET_TOKEN="1")
    (embedded.root / "notes.txt").write_text("of somebody", encoding="utf-8")
    (embedded.root / "dbt_project" / "macros" / ".editor").write_text("of a program", encoding="utf-8")
    assert is_complete(embedded)


def test_no_secret_is_part_of_the_mark(embedded: Project) -> None:
    with opened(embedded) as here:
        target = here.target
    secret = replace(target, fields={**target.fields, "password": "1", "settings": {"s3_secret": "2"}})
    assert secret.public_fields == {**target.fields, "settings": {}}


def test_a_project_that_asks_for_today_is_built_every_day(embedded: Project) -> None:
    model = embedded.root / "dbt_project" / "models" / "marts" / "citizens" / "dim_citizen.sql"
    model.write_text(f"{model.read_text(encoding='utf-8')}\n-- {{{{ run_started_at }}}}\n", encoding="utf-8")
    result = embedded.loader("build")
    assert result.exit_code == 0, result.output
    assert is_complete(embedded)
    # its table and those that are made of it are asked each time
    result = embedded.loader("build").output
    assert "gate: none of 1 table changed" in result
    assert "of 6 tables unchanged" in result
    rewrite_mark(embedded, today="of yesterday")
    assert not is_complete(embedded)


def test_a_variable_without_a_name_leaves_no_mark(embedded: Project) -> None:
    macro = "{% macro any(name) %}{{ env_var(name, '') }}{% endmacro %}"
    (embedded.root / "dbt_project" / "macros" / "any.sql").write_text(macro, encoding="utf-8")
    assert embedded.loader("build").exit_code == 0
    assert mark(embedded) is None


def roll_back(project: Project) -> None:
    assert project.loader("rollback", "--dataset", "citizens", "--period", "2025-02", "--to", 0).exit_code == 0


def purge(project: Project) -> None:
    options = ("--dataset", "citizens", "--before", "2025-02", "--yes")
    assert project.loader("purge", *options).exit_code == 0


def migrate(project: Project) -> None:
    project.sql("alter table stage.citizens drop column street")
    assert "1 change" in project.loader("migrate").output


def gate_that_fails(project: Project) -> None:
    project.sql("update stage.citizens set citizen_id = null")
    assert project.loader("gate", "stage").exit_code == 1


def build_a_part(project: Project) -> None:
    with opened(project) as here:
        build(here, part=Part("citizens", ("citizens",)))


def build_that_fails(project: Project) -> None:
    failing = WARNING.replace("warn", "error")
    (project.root / "dbt_project" / "tests" / "never_passes.sql").write_text(failing, encoding="utf-8")
    assert project.loader("build").exit_code == 1


@pytest.mark.parametrize("change", [roll_back, purge, migrate, gate_that_fails, build_a_part, build_that_fails])
def test_the_mark_is_taken_away(embedded: Project, change: Callable[[Project], None]) -> None:
    change(embedded)
    assert mark(embedded) is None


def test_a_migration_that_has_nothing_to_do_leaves_the_mark(built: Project) -> None:
    assert "nothing to do" in built.loader("migrate").output
    assert is_complete(built)


def test_a_killed_build_leaves_no_mark(built: Project) -> None:
    process = built.start_loader("build")
    for line in process.stdout:
        if line.startswith("built      stage"):
            break
    process.kill()
    process.communicate()
    assert mark(built) is None
    result = built.loader("run")
    assert "built      mart" in result.output
    assert is_complete(built)


def test_of_two_builds_at_once_only_one_that_was_alone_leaves_a_mark(built: Project) -> None:
    first, second = begin(built), begin(built)
    complete(first, built)
    assert mark(built) is None
    complete(second, built)
    assert is_complete(built)
    first.begin_layer()
    assert mark(built) is None


def test_no_mark_while_another_command_builds(built: Project) -> None:
    progress = begin(built)
    columns = "audit_id, run_id, step, status, started_at"
    values = f"999999, 'another', 'build', 'running', '{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}'"
    built.sql(f"insert into meta.etl_audit ({columns}) values ({values})")
    complete(progress, built)
    assert mark(built) is None
    built.sql("update meta.etl_audit set status = 'done' where audit_id = 999999")
    complete(progress, built)
    assert mark(built) is not None


def test_no_mark_when_something_was_loaded_meanwhile(built: Project) -> None:
    progress = begin(built)
    write_citizens(built.landing / "citizens_2024-12.xlsx", citizen_rows(20))
    assert "1 loaded" in built.loader("load").output
    complete(progress, built)
    assert mark(built) is None


def test_no_mark_when_a_file_was_changed_meanwhile(embedded: Project) -> None:
    progress = begin(embedded)
    (embedded.root / "dbt_project" / "macros" / "new.sql").write_text("{# new #}", encoding="utf-8")
    complete(progress, embedded)
    assert mark(embedded) is None


def parse_events(project: Project) -> list[str]:
    """What a plain `dbt parse` says of the results of the command before it."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    events: list[str] = []
    places = ["--project-dir", str(project.root), "--profiles-dir", str(project.root)]
    runner = dbtRunner(callbacks=[lambda event: events.append(event.info.name)])
    with project._environment(None):
        assert runner.invoke(["parse", *places]).success
    reset_adapters()
    return events


def test_a_plain_dbt_uses_what_the_loader_has_parsed(embedded: Project) -> None:
    from dbt.deprecations import reset_deprecations

    parsed = embedded.root / "target" / "partial_parse.msgpack"
    parsed.unlink(missing_ok=True)
    reset_deprecations()  # else those that were told in this process are told no more
    events = parse_events(embedded)
    assert "PartialParsingSkipParsing" not in events
    assert [event for event in events if "deprecat" in event.lower()] == []  # dbt 2.0 refuses them
    parsed.unlink()
    begin(embedded)
    assert "PartialParsingSkipParsing" in parse_events(embedded)
