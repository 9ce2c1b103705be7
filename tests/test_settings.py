"""Where settings come from, which of two wins, and what is said of a wrong one."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loader.errors import UsageError
from loader.places import find_project
from loader.settings import load_settings
from loader.warehouse.profile import read_target
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody's own settings; what .env adds goes with the test."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("ALMANAC_"):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "datasets_config.yml").touch()
    return tmp_path.resolve()


def test_defaults_lie_in_the_project(root: Path) -> None:
    settings = load_settings(root)
    assert settings.project_dir == root
    assert settings.target is None
    assert settings.landing_dir == root / "data/landing"
    assert settings.cleaned_dir == root / "data/stage/cleaned"
    assert settings.rejects_dir == root / "data/stage/rejects"
    assert settings.log_dir == root / "data/logs"
    assert (settings.lock_timeout, settings.log_level) == (60, "INFO")


def test_a_folder_may_be_elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    share = tmp_path_factory.mktemp("share")
    os.environ["ALMANAC_LANDING_DIR"] = str(share)
    os.environ["ALMANAC_CLEANED_DIR"] = "archive"
    os.environ["ALMANAC_LOG_DIR"] = "~/logs"
    settings = load_settings(root)
    assert settings.landing_dir == share
    assert settings.cleaned_dir == root / "archive"
    assert settings.log_dir == Path.home() / "logs"


def test_option_then_environment_then_dotenv_then_default(root: Path) -> None:
    (root / ".env").write_text("ALMANAC_TARGET=from-file\nALMANAC_LOG_LEVEL=warning\nALMANAC_LOCK_TIMEOUT=\n")
    assert load_settings(root, target=None).target == "from-file"
    assert load_settings(root).log_level == "WARNING"
    assert load_settings(root).lock_timeout == 60
    os.environ["ALMANAC_TARGET"] = "from-environment"
    assert load_settings(root).target == "from-environment"
    assert load_settings(root, target="from-option").target == "from-option"


@pytest.mark.parametrize(("value", "hours"), [("", 168), ("7d", 168), ("12h", 12), ("0d", 0), ("2 D", 48)])
def test_a_duration_is_days_or_hours(root: Path, value: str, hours: int) -> None:
    os.environ["ALMANAC_GATE_ALL_EVERY"] = value
    assert load_settings(root).gate_all_every == dt.timedelta(hours=hours)


def test_dotenv_reaches_what_dbt_reads(root: Path) -> None:
    (root / ".env").write_text("ALMANAC_POSTGRES_PASSWORD='a b$c#d'\n", encoding="utf-8")
    load_settings(root)
    assert os.environ["ALMANAC_POSTGRES_PASSWORD"] == "a b$c#d"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALMANAC_LOCK_TIMEOUT", "soon"),
        ("ALMANAC_LOCK_TIMEOUT", "-1"),
        ("ALMANAC_LOG_LEVEL", "LOUD"),
        ("ALMANAC_GATE_ALL_EVERY", "7"),
        ("ALMANAC_GATE_ALL_EVERY", "-1d"),
    ],
)
def test_a_wrong_value_is_named(root: Path, variable: str, value: str) -> None:
    os.environ[variable] = value
    with pytest.raises(UsageError, match=f"{variable} is '{value}'"):
        load_settings(root)


def test_the_project_is_found_upwards(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = root / "dbt_project" / "models"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_project() == root


def test_a_named_folder_is_the_project_or_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = root / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    with pytest.raises(UsageError, match=r"below is not a project: it has no datasets_config\.yml"):
        find_project(below)
    os.environ["ALMANAC_PROJECT_DIR"] = str(below)
    with pytest.raises(UsageError, match="is not a project"):
        find_project()
    assert find_project(root) == root


def test_no_project_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"no datasets_config\.yml in .* --project-dir"):
        find_project()


def test_the_example_says_what_is_the_default(root: Path) -> None:
    """Every line of .env.example, uncommented, changes nothing."""
    example = REPOSITORY / ".env.example"
    lines = [line.removeprefix("#") for line in example.read_text(encoding="utf-8").splitlines() if "=" in line]
    offered = [line for line in lines if line.startswith("ALMANAC_")]
    expected = load_settings(root).model_dump() | {"target": "dev"}
    (root / ".env").write_text("\n".join(offered), encoding="utf-8")
    assert load_settings(root).model_dump() == expected
    fields = {f"ALMANAC_{name}".upper() for name in expected}
    assert fields <= {line.partition("=")[0] for line in offered}


def test_help_imports_nothing_heavy() -> None:
    """`loader --help` has half a second of CPU."""
    heavy = "dbt great_expectations pandas pyarrow sqlalchemy alembic duckdb openpyxl faker pydantic_settings"
    script = f"import sys, loader.cli; print(*set('{heavy}'.split()) & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


# --- variables and files that are not what they should be -----------------------------------------------------------


def notes(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.replace("note: ", "")


def test_a_variable_that_nothing_asks_for_is_named_with_the_likely_one(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".env").write_text("ALMANAC_LANDINGDIR=/mnt/share\nALMANAC_LOCK_TIMEOUT=5\nOTHER=1\n")
    os.environ["ALMANAC_BACKUPS"] = "1"
    assert load_settings(root).landing_dir == root / "data/landing"
    assert notes(capsys) == (
        "nothing asks for the variable ALMANAC_BACKUPS, ALMANAC_LANDINGDIR (did you mean ALMANAC_LANDING_DIR?); "
        "look in .env and in the environment\n"
    )


def test_what_the_project_asks_for_is_no_mistake(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every variable of the repository, and one that only a model of dbt names."""
    for name in ("profiles.yml.example", "dbt_project.yml", ".env.example"):
        (root / name).write_bytes((REPOSITORY / name).read_bytes())
    example = (root / ".env.example").read_text(encoding="utf-8")
    models = root / "dbt_project" / "models"
    models.mkdir(parents=True)
    (models / "rates.sql").write_text("select {{ env_var('ALMANAC_RATE') }} as rate", encoding="utf-8")
    offered = [line.lstrip("#") for line in example.splitlines() if line.startswith("#ALMANAC_")]
    (root / ".env").write_text("\n".join([*offered, "ALMANAC_RATE=1"]), encoding="utf-8")
    load_settings(root)
    assert notes(capsys) == ""
    os.environ |= {f"ALMANAC_OTHER_{number}": "1" for number in range(9)}
    load_settings(root)
    assert "ALMANAC_OTHER_4 and 4 more; look in" in notes(capsys)


DOTENV = "# für alle\nALMANAC_TARGET=prod\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (DOTENV.encode("utf-16"), "line 1: is not UTF-8, but likely UTF-16"),
        (DOTENV.encode("utf-16-le"), "line 1: is not UTF-8, but likely UTF-16"),
        (b"ALMANAC_TARGET=prod\n".decode().encode("utf-16-be"), "line 1: is not UTF-8, but likely UTF-16"),
        (f"\n{DOTENV}".encode("cp1252"), "line 2: is not UTF-8, but likely an encoding of Windows, such as cp1252"),
    ],
)
def test_a_file_in_another_encoding_is_named(root: Path, content: bytes, said: str) -> None:
    for name, read in ((".env", load_settings), ("profiles.yml", read_target)):
        (root / "dbt_project.yml").write_text("profile: almanac")
        (root / name).write_bytes(content)
        with pytest.raises(UsageError) as error:
            read(root)
        assert f"{name}, {said}" in str(error.value)
        (root / name).unlink()


def test_a_byte_order_mark_is_no_part_of_a_name(root: Path) -> None:
    (root / ".env").write_bytes("ALMANAC_TARGET=prod\n".encode("utf-8-sig"))
    assert load_settings(root).target == "prod"
