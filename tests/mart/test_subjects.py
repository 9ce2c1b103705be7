"""Subjects stand side by side: each can be taken out, and added, without a change to the files of another."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from loader.codegen.header import DERIVED
from tests.conftest import REPOSITORY, Project
from tests.support.insurer import claim_line, deliver, enrollment, health_plan, member, provider
from tests.support.projects import PLACES, only_subjects, subjects_of

MACROS = REPOSITORY / "dbt_project/macros"
OWN_MODELS = {
    path.stem
    for place in ("dbt_project/models/marts", "dbt_project/snapshots")
    for path in (REPOSITORY / place).rglob("*.sql")
}
SUBJECTS = subjects_of(REPOSITORY)
MUSEUMS = """
{% macro museums__dim_geography() %}
    select '99084' as postal_code, 'Erfurt' as city, 'Thüringen' as county, cast(null as varchar(2)) as state
{% endmacro %}
{% macro museums__dim_date() %}
    select cast('2019-06-01' as date) as first_start, cast('2019-06-30' as date) as last_end
{% endmacro %}
"""


def test_subjects_have_the_same_folders_and_are_declared() -> None:
    declared = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["subjects"]
    assert sorted(declared) == SUBJECTS
    for place in PLACES:
        folders = {path.name for path in (REPOSITORY / place).iterdir() if path.is_dir()}
        assert folders <= {*SUBJECTS, "shared", "generic"}, place
        files = [path.read_text(encoding="utf-8") for path in (REPOSITORY / place).iterdir() if path.is_file()]
        assert [text for text in files if DERIVED not in text] == [], place


@pytest.mark.parametrize(
    "path", sorted(MACROS.rglob("*.sql")), ids=lambda path: path.relative_to(MACROS).as_posix().removesuffix(".sql")
)
def test_macros_outside_of_a_subject_name_no_model(path: Path) -> None:
    if path.parent.name == "subjects":
        return
    code = re.sub(r"(?s)\{#.*?#\}", "", path.read_text(encoding="utf-8"))
    assert set(re.findall(r"\w+", code)) & OWN_MODELS == set()


def test_each_model_has_its_yml_beside_it() -> None:
    for place in ("dbt_project/models/marts", "dbt_project/snapshots"):
        for path in (REPOSITORY / place).rglob("*.sql"):
            described = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
            [model] = described.get("models") or described["snapshots"]
            assert model["name"] == path.stem
            assert {test["model"] for test in described.get("unit_tests", [])} <= {path.stem}


@pytest.mark.slow
@pytest.mark.parametrize(
    "subjects", [["citizens"], ["aca"], pytest.param(["citizens", "aca"], marks=pytest.mark.long)], ids="-".join
)
def test_a_project_of_some_subjects_builds(new_project: Callable[..., Project], subjects: list[str]) -> None:
    project = new_project("duckdb", whole=True)
    only_subjects(project.root, *subjects)
    assert project.loader("derive").exit_code == 0
    assert subjects_of(project.root) == sorted(subjects)
    if "citizens" in subjects:
        assert project.loader("sample-data", "--rows", 30, "--periods", 1).exit_code == 0
    if "aca" in subjects:
        deliver_insurer(project)
    for command in ("load", "build"):
        result = project.loader(command)
        assert result.exit_code == 0, result.output

    places = project.sql(
        "select count(county), count(*) - count(county) from mart.dim_geography where city <> 'Unknown'"
    )
    [(with_county, without)] = places
    assert (with_county > 0, without > 0) == ("aca" in subjects, "citizens" in subjects)
    [(first_day,)] = project.sql("select min(date_day) from mart.dim_date where date_key > 0")
    assert first_day == dt.date(2023 if "aca" in subjects else 2024, 1, 1)


def test_a_subject_adds_its_part_without_a_change_to_others(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    assert project.loader("migrate").exit_code == 0
    (project.root / "dbt_project/macros/subjects/museums.sql").write_text(MUSEUMS, encoding="utf-8")
    shared = (
        "build",
        "--select",
        "citizens",
        "dim_geography",
        "dim_date",
        "--exclude",
        "resource_type:test",
        "resource_type:unit_test",
    )
    added = ("--vars", "{subjects: [citizens, museums]}")
    for options, places, first_day in ((added, [("Erfurt", "Thüringen")], dt.date(2018, 1, 1)), ((), [], None)):
        assert project.dbt(*shared, *options).success
        assert project.sql("select city, county from mart.dim_geography where geography_key <> -1") == places
        if first_day:
            assert project.sql("select min(date_day) from mart.dim_date where date_key > 0") == [(first_day,)]


def deliver_insurer(project: Project) -> None:
    """A month of everything, with a service in the year before."""
    month = "2025-01"
    deliver(project, "members", month, [member(1)])
    deliver(project, "health_plans", month, [health_plan(1)])
    deliver(project, "providers", month, [provider(1)])
    deliver(project, "enrollments", month, [enrollment(1, 1, "300.00")])
    deliver(project, "claims", "2025-01-10", [claim_line(1, 1, 1, 1, 1, "2024-12-20", "80.00")])
