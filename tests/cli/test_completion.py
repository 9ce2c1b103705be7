"""Completion by the shell: what Tab suggests, by each shell's own script or, where it is not here, by its protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from loader.cli.app import main
from tests.conftest import Project
from tests.support.shop import PRODUCTS, deliver, load, open_shop, prepared, products

WINDOWS = """
  taps:
    title: Taps
    description: One row per tap.
    file_name: '(?P<year>\\d{4})/taps_(?P<month>\\d\\d)(?P<day>\\d\\d)(?P<hour>\\d\\d)\\.csv'
    format: {type: csv}
    grain: window
    window_hours: 6
    kind: full
    key: tap
    columns:
      tap: {type: varchar(8), description: The tap., required: true}
"""


@pytest.fixture
def shop(new_project: Callable[..., Project]) -> Project:
    """Loaded: January. Landed: March, and a window of another dataset."""
    project = prepared(new_project, "duckdb", open_shop)
    deliver(project, "2025-01", products("P1"))
    load(project)
    (project.root / "data/landing/products_2025-01.csv").unlink()
    deliver(project, "2025-03", products("P1"))
    (project.root / "datasets_config.yml").write_text(PRODUCTS + WINDOWS, encoding="utf-8")
    folder = project.root / "data/landing/2025"
    folder.mkdir()
    (folder / "taps_061412.csv").write_text("tap\n1\n", encoding="utf-8")
    (folder / "taps_061413.csv").write_text("no window begins then\n", encoding="utf-8")
    return project


def suggested(root: Path, line: str, shell: str = "bash") -> list[str]:
    """What stands behind the answer's types: `line` is the command up to the cursor."""
    words = line.split(" ")
    env = {
        "_LOADER_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
        "ALMANAC_PROJECT_DIR": str(root),
    }
    result = CliRunner().invoke(main, [], env=env, prog_name="loader")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    if shell in ("zsh", "powershell"):  # three lines each: type, value, help
        return lines[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in lines if line]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_datasets_and_periods_are_suggested(shop: Project, shell: str) -> None:
    def of(line: str) -> list[str]:
        return [text.replace("\\", "") for text in suggested(shop.root, line, shell)]

    assert of("loader vers") == ["versions"]
    assert of("loader versions --dataset ") == ["products", "taps"]
    assert of("loader purge --dataset p") == ["products"]
    assert of("loader load --dataset products --period ") == ["2025-01", "2025-03"]
    assert of("loader rollback --period 2025-0 --dataset taps --period 2025-0") == ["2025-06-14T12:00"]
    assert of("loader load --period 2025-0") == ["2025-01", "2025-03", "2025-06-14T12:00"]
    assert of("loader versions --dataset nobody --period ") == []


def test_nothing_is_said_or_written_where_nothing_can_be_suggested(shop: Project, tmp_path: Path) -> None:
    (shop.root / "profiles.yml").unlink()
    shutil.rmtree(shop.root / "data/landing")
    assert suggested(shop.root, "loader load --dataset products --period ") == ["2025-01"]
    assert not (shop.root / "profiles.yml").exists()
    config = shop.root / "datasets_config.yml"
    for broken in ("datasets: [", "datasets:\n  products: 7\n", ""):
        config.write_text(broken, encoding="utf-8")
        assert suggested(shop.root, "loader load --period ") == []
    assert suggested(tmp_path / "nowhere", "loader load --dataset ") == []


def test_folders_of_the_settings_are_looked_at(shop: Project, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share/products_2026-05.csv").touch()
    (shop.root / ".env").write_text(f"ALMANAC_LANDING_DIR={(tmp_path / 'share').as_posix()}\n", encoding="utf-8")
    assert suggested(shop.root, "loader load --dataset products --period ") == ["2025-01", "2026-05"]


def test_a_press_of_tab_opens_no_database(shop: Project) -> None:
    """Importing one of these takes as long as a press of Tab may."""
    heavy = "alembic dbt duckdb great_expectations pandas pyarrow pydantic_settings sqlalchemy"
    script = (
        "import sys\n"
        "from loader.cli import main\n"
        "try: main(prog_name='loader')\n"
        f"finally: print(*set('{heavy}'.split()) & set(sys.modules), file=sys.stderr)"
    )
    asked = {"_LOADER_COMPLETE": "bash_complete", "COMP_WORDS": "loader load --period 2025-0", "COMP_CWORD": "3"}
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **asked},
        cwd=shop.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout.count("plain,2025-"), result.stderr.split()) == (3, [])


SHELLS = {
    "bash": """
eval "$(loader completion bash)"; complete -p loader
COMP_WORDS=(loader load --dataset products --period 2025); COMP_CWORD=5
_loader_completion loader; printf '%s\\n' "${COMPREPLY[@]}"
""",
    "fish": """
loader completion fish | source
complete --do-complete 'loader load --dataset products --period 2025'
""",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_works_in_its_shell(shop: Project, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [shell, "--norc" if shell == "bash" else "--no-config", "-c", SHELLS[shell]]
    result = subprocess.run(
        command, env={**os.environ, "PATH": path}, cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    assert result.stdout.split()[-2:] == ["2025-01", "2025-03"]
