"""The demo of the insurer, as a newcomer runs it, and the page about it: each of its queries, with the result it shows.

`DOCS_WRITE=1 pytest tests/docs/test_health_insurance.py` writes the results into the page instead.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.conftest import REPOSITORY, Project

pytestmark = pytest.mark.slow

PAGE = REPOSITORY / "docs" / "use" / "health-insurance.md"
QUERY = re.compile(
    r"^```(?P<language>sql|jinja)\n(?P<asked>.*?)^```\n(?P<shown>\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^```console\n(?P<asked>\$ [^\n]+\n)(?P<shown>.*?)^```\n", re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without profile, as after a clone, in which one stands: its profile has a relative path."""
    made = new_project("duckdb", whole=True)
    monkeypatch.chdir(made.root)
    (made.root / "profiles.yml").unlink()
    shutil.copy(REPOSITORY / "profiles.yml.example", made.root)
    return made


@pytest.mark.long
def test_the_demo_and_the_page_about_it(project: Project) -> None:
    first = project.loader("demo", "aca", own_process=True)
    assert first.exit_code == 0, first.output
    assert "24 loaded, 0 refused, 0 unchanged" in first.output
    assert "loss_ratio=paid_amount/premium_amount" in first.output
    assert "changed the plan: what the claims cost before and after" in first.output
    assert re.search(r"The report of 2025-02, as it stood\s+on +claim lines", first.output)
    day = re.search(r"mart.fct_claim_line +(?P<kept>[\d,]+) +(?P<written>\d+) +(?P<gone>\d+)", first.output)
    assert day is not None
    assert 0 < int(day["written"]) < 100 < int(day["kept"].replace(",", ""))

    page = PAGE.read_text(encoding="utf-8")
    told = QUERY.sub(lambda found: f"{block(found)}\n```text\n{answer(project, found['asked'])}```\n", page)
    told = COMMAND.sub(lambda found: f"```console\n{found['asked']}{pivot(project, found['asked'])}```\n", told)
    if os.environ.get("DOCS_WRITE"):
        PAGE.write_text(told, encoding="utf-8", newline="\n")
        page = told
    assert len(QUERY.findall(page)) > 10
    assert told == page

    # once more, and the citizens beside it
    facts = mart(project)
    again = project.loader("demo", "aca")
    assert again.exit_code == 0, again.output
    assert "0 loaded, 0 refused, 25 unchanged" in again.output
    assert "$ loader rollback --dataset claims --period 2025-04-30 --to 1" in again.output
    assert mart(project) == facts
    beside = project.loader("demo", "--rows", 200, "--periods", 4)
    assert beside.exit_code == 0, beside.output
    assert "every one as before the correction" in beside.output
    assert mart(project) == facts

    other = project.loader("demo", "aca", "--scale", 0.1)
    assert other.exit_code == 2
    assert "holds other deliveries of members" in other.output


def block(found: re.Match[str]) -> str:
    return f"```{found['language']}\n{found['asked']}```\n"


def mart(project: Project) -> list[Any]:
    names = ("fct_claim_line", "fct_enrollment", "agg_plan_performance", "cube_claims")
    return [sorted(map(repr, project.sql(f"select * from mart.{name}"))) for name in names]


def answer(project: Project, query: str) -> str:
    """What the query gives, as the page shows it."""
    if "{{" in query:
        compiled = project.dbt("compile", "--inline", query, "--quiet")
        query = compiled.result.results[0].node.compiled_code
    with closing(duckdb.connect(project.profile_output["path"], read_only=True)) as connection:
        found = connection.execute(query)
        header, rows = [column[0] for column in found.description], found.fetchall()
    lines = [header, *([shown(cell) for cell in row] for row in rows)]
    is_number = [isinstance(cell, int | Decimal) for cell in rows[0]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def shown(cell: Any) -> str:
    return "" if cell is None else f"{cell:,}" if isinstance(cell, Decimal) else str(cell)


def pivot(project: Project, command: str) -> str:
    result = project.loader(*shlex.split(command.removeprefix("$ loader ")))
    assert result.exit_code == 0, result.output
    return "".join(f"{line.rstrip()}\n" for line in result.output.splitlines() if line.strip())
