"""The loader reads profiles.yml as dbt does: dbt's own reader is the oracle."""

import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.errors import UsageError
from loader.warehouse.engines.registry import ENGINES, engine_class, engine_for
from loader.warehouse.profile import ensure_profile, find_profiles, read_target
from tests.conftest import REPOSITORY, Project
from tests.support.effort import effort

PROFILES = """
almanac:
  target: "{{ env_var('ALMANAC_TARGET', 'dev') }}"
  outputs:
    dev:
      type: duckdb
      path: data/warehouse.duckdb
      schema: mart
      threads: 3
      disable_transactions: "{{ env_var('SOME_FLAG', 'False') | as_bool }}"
    server:
      type: postgres
      host: "{{ env_var('SOME_HOST', 'localhost') }}"
      port: "{{ env_var('SOME_PORT', '5432') | as_number }}"
      user: "prefix_{{ env_var('SOME_USER') }}"
      password: "{{ env_var('SOME_PASSWORD') }}"
      dbname: almanac
      schema: mart
      threads: "{{ env_var('SOME_THREADS', '2') | as_native }}"
"""
OTHER_ACCOUNTS = ("loader_", "migration_")
"""How the keys begin that dbt passes over: accounts that are not its own."""


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody's own settings, and an empty home folder."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("ALMANAC_", "DBT_", "SOME_")):
            del os.environ[name]
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(tmp_path_factory.mktemp("home"))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text("name: almanac\nprofile: almanac\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(PROFILES, encoding="utf-8")
    return tmp_path


def dbt_profile(folder: Path, target: str | None = None) -> Any:
    from dbt.adapters.factory import load_plugin
    from dbt.config.profile import Profile, read_profile
    from dbt.config.renderer import ProfileRenderer
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    set_from_args(Namespace(LOG_CACHE_EVENTS=False), {})
    for engine in ENGINES:
        load_plugin(engine)
    return Profile.from_raw_profiles(read_profile(str(folder)), "almanac", ProfileRenderer({}), target)


def as_dbt_reads(folder: Path, target: str | None = None) -> tuple[str, str, dict[str, Any]]:
    """Name, type and credentials of the target."""
    profile = dbt_profile(folder, target)
    credentials = profile.credentials
    known = {**credentials.to_dict(), "threads": profile.threads, "dbname": credentials.database}
    return profile.target_name, credentials.type, known


def assert_same_as_dbt(root: Path, target: str | None = None) -> None:
    ours = read_target(root, target)
    name, engine, theirs = as_dbt_reads(root, target)
    assert (ours.name, ours.type) == (name, engine)
    for key, value in ours.fields.items():
        if key != "type" and not key.startswith(OTHER_ACCOUNTS):
            assert (value, type(value)) == (theirs[key], type(theirs[key]))


@pytest.mark.parametrize("target", [None, "dev", "server"])
def test_every_target_is_read_as_dbt_reads_it(root: Path, target: str | None) -> None:
    os.environ.update(SOME_USER="anna", SOME_PASSWORD="0815", SOME_PORT="6000", SOME_FLAG="True")
    assert_same_as_dbt(root, target)


def test_the_environment_chooses_the_target(root: Path) -> None:
    os.environ.update(SOME_USER="anna", SOME_PASSWORD="x", ALMANAC_TARGET="server")
    assert_same_as_dbt(root)
    assert read_target(root).name == "server"
    os.environ["DBT_TARGET"] = "dev"
    assert read_target(root).name == "dev"
    assert read_target(root, "server").name == "server"


def test_the_target_that_dbt_takes_by_itself_need_not_be_named(root: Path) -> None:
    os.environ.update(SOME_USER="anna", SOME_PASSWORD="x", ALMANAC_TARGET="server")
    assert read_target(root).is_default
    assert read_target(root, "server").is_default
    os.environ["DBT_TARGET"] = "dev"
    assert read_target(root).is_default
    assert not read_target(root, "server").is_default


plain_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
tricky_text = st.sampled_from(["0815", "True", "None", "[1]", "{{ 1 }}", "{% raw %}", "'", '"a"', " a ", "1e5"])


@settings(max_examples=effort(25, 200), deadline=None)
@given(password=plain_text | tricky_text)
def test_a_password_is_the_text_of_its_variable(password: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "dbt_project.yml").write_text("profile: almanac", encoding="utf-8")
    (root / "profiles.yml").write_text(PROFILES, encoding="utf-8")
    os.environ.update(SOME_USER="anna", SOME_PASSWORD=password)
    assert read_target(root, "server").fields["password"] == password
    assert_same_as_dbt(root, "server")


def test_secrets_are_never_shown(root: Path) -> None:
    os.environ.update(SOME_USER="anna", SOME_PASSWORD="hunter2")
    target = read_target(root, "server")
    assert target.fields["password"] == "hunter2"
    assert "hunter2" not in f"{target} {target!r}"


def test_the_place_of_an_embedded_warehouse_is_below_the_project(root: Path) -> None:
    assert engine_for(read_target(root), root).url().database == str(root / "data" / "warehouse.duckdb")


def test_an_engine_is_called_as_its_module() -> None:
    assert [engine_class(name).name for name in ENGINES] == [*ENGINES]


def test_a_missing_variable_is_named_with_its_file(root: Path) -> None:
    os.environ["SOME_USER"] = "anna"
    with pytest.raises(UsageError, match=r"profiles\.yml: needs the variable SOME_PASSWORD; set it"):
        read_target(root, "server")
    assert read_target(root, "dev").name == "dev"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PROFILES.replace("almanac:", "other:"), "no profile 'almanac' (see dbt_project.yml); it has: other"),
        (PROFILES.replace("dev:", "dove:"), "no target 'dev' in profile 'almanac'; it has: dove, server"),
        (
            PROFILES.replace("duckdb", "oracle", 1),
            "target 'dev' has type 'oracle'; Almanac knows duckdb",
        ),
        (
            PROFILES.replace("data/warehouse.duckdb", "':memory:'"),
            "target 'dev' needs the path of a DuckDB file",
        ),
        (
            PROFILES.replace("data/warehouse.duckdb", "'md:?motherduck_token=hunter2'"),
            "DuckDB file, not 'md'",
        ),
        (
            PROFILES.replace("threads: 3", "threads: \"{{ env_var('HOME') | as_number }}\""),
            "threads: cannot be rendered (not a number)",
        ),
        (
            PROFILES.replace("threads: 3", 'threads: "{{ hunter2 }"'),
            "threads: cannot be rendered (TemplateSyntaxError)",
        ),
        ("almanac: {password: 'hunter2", "profiles.yml, line 1: is not valid YAML"),
        ("almanac:", "no target 'default' in profile 'almanac'; it has: none"),
        ("- almanac", "profiles.yml: holds no mapping"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(root: Path, text: str, reason: str) -> None:
    (root / "profiles.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(reason)) as refusal:
        engine_for(read_target(root), root)
    assert "hunter2" not in str(refusal.value)


def test_the_file_is_looked_for_where_dbt_looks(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home, chosen = Path.home() / ".dbt" / "profiles.yml", tmp_path_factory.mktemp("chosen")
    home.parent.mkdir()
    home.write_text(PROFILES, encoding="utf-8")
    assert find_profiles(root) == root / "profiles.yml"
    (root / "profiles.yml").unlink()
    assert find_profiles(root) == home
    os.environ["DBT_PROFILES_DIR"] = str(chosen)
    assert find_profiles(root) is None
    with pytest.raises(UsageError, match=re.escape(f"no profiles.yml in {chosen}; copy")):
        read_target(root)


def test_the_project_must_name_its_profile(root: Path) -> None:
    (root / "dbt_project.yml").write_text("name: almanac", encoding="utf-8")
    with pytest.raises(UsageError, match="names no profile"):
        read_target(root)
    (root / "dbt_project.yml").unlink()
    with pytest.raises(UsageError, match=r"dbt_project\.yml is missing"):
        read_target(root)


def test_a_first_profile_is_copied_and_then_left_alone(root: Path) -> None:
    path = root / "profiles.yml"
    path.unlink()
    assert ensure_profile(root) is None
    (root / "profiles.yml.example").write_text(PROFILES, encoding="utf-8")
    assert ensure_profile(root) == path
    assert path.read_text(encoding="utf-8") == PROFILES
    assert ensure_profile(root) is None


def test_a_profile_in_the_home_folder_counts_when_it_is_ours(root: Path) -> None:
    (root / "profiles.yml").rename(root / "profiles.yml.example")
    home = Path.home() / ".dbt" / "profiles.yml"
    home.parent.mkdir()
    home.write_text(PROFILES, encoding="utf-8")
    assert ensure_profile(root) is None
    home.write_text(PROFILES.replace("almanac:", "other:"), encoding="utf-8")
    assert ensure_profile(root) == root / "profiles.yml"


EXAMPLE = (REPOSITORY / "profiles.yml.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", yaml.safe_load(EXAMPLE)["almanac"]["outputs"])
def test_the_example_says_the_same_to_dbt(root: Path, target: str) -> None:
    (root / "profiles.yml").write_text(EXAMPLE, encoding="utf-8")
    os.environ.update(ALMANAC_PROD_PATH="data/prod.duckdb", ALMANAC_POSTGRES_PASSWORD="x")
    os.environ.update(
        ALMANAC_SQLSERVER_USER="anna", ALMANAC_SQLSERVER_PASSWORD="x", ALMANAC_SQLSERVER_TRUST_CERT="true"
    )
    assert_same_as_dbt(root, target)


@pytest.mark.parametrize("target", ["sqlserver", "sqlserver_trusted", "sqlserver_entra"])
@pytest.mark.parametrize("backend", ["mssql-python", "pyodbc"])
def test_drivers_of_sql_server_take_the_example(root: Path, target: str, backend: str) -> None:
    """Each driver refuses some logins; unless somebody says so, all is encrypted and no strange certificate counts."""
    from dbt.adapters.sqlserver import sqlserver_backend, sqlserver_helpers

    (root / "profiles.yml").write_text(EXAMPLE, encoding="utf-8")
    os.environ.update(ALMANAC_SQLSERVER_USER="anna", ALMANAC_SQLSERVER_PASSWORD="x", ALMANAC_SQLSERVER_BACKEND=backend)
    credentials = dbt_profile(root, target).credentials
    sqlserver_helpers.validate_connection_requirements(credentials)
    if backend == "pyodbc":
        sqlserver_helpers.validate_pyodbc_requirements(credentials)
        address = sqlserver_backend.build_pyodbc_connection_string(credentials)
    else:
        sqlserver_helpers.validate_mssql_python_requirements(credentials)
        address = sqlserver_backend.build_mssql_python_connection_string(credentials)
    assert "encrypt=Yes;TrustServerCertificate=No" in address


def test_a_plain_dbt_in_the_root_meets_the_same_warehouse(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    (project.root / "profiles.yml").unlink()
    ensure_profile(project.root)
    warehouse = Path(str(engine_for(read_target(project.root), project.root).url().database))
    assert not warehouse.exists()
    process = project.start_dbt("debug")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert warehouse.is_file()
