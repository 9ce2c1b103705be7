"""The tutorial does what it says: its files are written, its commands run, its answers compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project

pytestmark = pytest.mark.slow

BLOCK = re.compile(
    r"^(?:`(?P<file>[^`\n]+)`(?:, (?P<where>at the end|in place of the line that begins with `(?P<start>\w+)`))?:\n\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """What stands between two fences; before them the file that it is, and where in the file."""

    language: str
    text: str
    file: str | None
    where: str | None
    start: str | None


def blocks() -> Iterator[Block]:
    page = (REPOSITORY / "docs" / "use" / "tutorial.md").read_text(encoding="utf-8")
    yield from (Block(**found.groupdict()) for found in BLOCK.finditer(page))


def test_the_tutorial(new_folder: Callable[..., Project]) -> None:
    project = new_folder()
    project.write_profile()
    rows: list[str] = []
    seen = set()
    for block in blocks():
        if block.file:
            write(project.root / block.file, block)
        elif block.language == "console":
            for command, *answer in commands(block.text):
                assert_answers(answer, run(project, command), command)
        elif block.language == "sql":
            rows = ["  ".join(map(str, row)) for row in project.sql(block.text)]
        else:
            assert block.text.splitlines() == rows
        seen.add(block.language)
    assert seen == {"text", "yaml", "json", "jinja", "console", "sql"}


def write(path: Path, block: Block) -> None:
    """A new file, the end of one, or a line of one."""
    if block.start:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (at,) = (number for number, line in enumerate(lines) if line.startswith(f"      {block.start}: "))
        path.write_text("".join([*lines[:at], block.text, *lines[at + 1 :]]), encoding="utf-8")
    elif block.where:
        path.write_text(path.read_text(encoding="utf-8") + block.text, encoding="utf-8")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")


def commands(text: str) -> Iterator[list[str]]:
    """Each command, without its `$`, and the lines of its answer."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        yield part.splitlines()


def run(project: Project, command: str) -> str:
    """What a command says; `loader`, or `dbt`, which only has to succeed."""
    program, *arguments = shlex.split(command)
    if program == "dbt":
        assert project.dbt(*arguments).success
        return ""
    here = [str(project.root / argument) if argument.startswith("data/") else argument for argument in arguments]
    return project.loader(*here).output


def assert_answers(expected: list[str], output: str, command: str) -> None:
    """The lines are there, in this order; `…` stands for anything, on a line of its own for any lines."""
    wanted = [line for line in expected if line.strip() != "…"]
    patterns = [re.escape(line).replace("…", ".*") for line in wanted]
    found = re.search(r"(?:^|\n)" + r"\n(?:.*\n)*?".join(patterns), output) if patterns else True
    assert found, f"{command} said\n{output}"
