"""The demo, as a newcomer runs it, and what they type after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.conftest import REPOSITORY, Project
from tests.support.effort import LONG
from tests.support.engines import Rows

pytestmark = pytest.mark.slow


@pytest.fixture
def demo_project(new_project: Callable[..., Project]) -> Project:
    """A project without profile, as after a clone: with a second subject, which the demo leaves alone."""
    project = new_project("duckdb", whole=True)
    (project.root / "profiles.yml").unlink()
    shutil.copy(REPOSITORY / "profiles.yml.example", project.root)
    return project


def test_demo_shows_the_promise_twice_and_leaves_a_project_to_work_with(demo_project: Project) -> None:
    first = demo_project.loader("demo", "--rows", 300, "--periods", 4, own_process=True)
    assert first.exit_code == 0, first.output
    assert "4 loaded, 1 refused, 0 unchanged" in first.output
    assert "citizens_2025-05.xlsx: the workbook is damaged or cut off" in first.output
    assert "every one as before the correction" in first.output
    assert set(demo_project.sql("select table_name from meta.validation_log where gate = 'stage'")) == {("citizens",)}
    history = demo_project.sql("select * from core.citizens order by citizen_id, dbt_valid_from")
    assert history
    assert "The broken workbook is put aside: data/broken/citizens_2025-05.xlsx" in first.output
    assert "undo        loader rollback --dataset citizens --period 2025-03 --to 2" in first.output
    assert "0 loaded, 0 refused, 4 unchanged" in demo_project.loader("load").output

    if LONG:
        assert_again(demo_project, history)


def assert_again(demo_project: Project, history: Rows) -> None:
    """The demo a second time, and what a newcomer may type after it."""
    again = demo_project.loader("demo", "--rows", 300, "--periods", 4)
    assert again.exit_code == 0, again.output
    assert "0 loaded, 1 refused, 4 unchanged" in again.output
    assert "--to 2" in again.output
    assert "every one as before the correction" in again.output
    assert demo_project.sql("select * from core.citizens order by citizen_id, dbt_valid_from") == history

    # a plain `dbt build` in the root finds project and profile, and has nothing to change
    process = demo_project.start_dbt("build")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "WARN=0 ERROR=0" in output
    assert demo_project.sql("select * from core.citizens order by citizen_id, dbt_valid_from") == history


def test_demo_does_not_mix_with_deliveries_of_others(demo_project: Project) -> None:
    (demo_project.landing / "citizens_2025-01.xlsx").write_bytes(b"of somebody else")
    result = demo_project.loader("demo", "--rows", 300, "--periods", 4)
    assert result.exit_code == 2
    assert "other deliveries of citizens (citizens_2025-01.xlsx)" in result.output
    assert (demo_project.landing / "citizens_2025-01.xlsx").read_bytes() == b"of somebody else"
