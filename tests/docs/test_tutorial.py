"""The tutorial does what it says: its files are written, its commands run, its answers compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import REPOSITORY, Project

pytestmark = pytest.mark.slow

BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<language>\w+)\n(?::caption: (?P<caption>[^\n]*)\n\n)?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
REPLACED = re.compile(r"(?P<file>\S+), in place of the line that begins with (?P<start>\w+)")


@dataclass(frozen=True)
class Block:
    language: str
    caption: str | None
    text: str


def blocks() -> Iterator[Block]:
    page = (REPOSITORY / "docs" / "use" / "tutorial.md").read_text(encoding="utf-8")
    yield from (Block(found["language"], found["caption"], found["text"]) for found in BLOCK.finditer(page))


def test_the_tutorial(new_folder: Callable[..., Project]) -> None:
    project = new_folder()
    project.write_profile()
    rows: list[str] = []
    seen = set()
    for block in blocks():
        if block.caption:
            write(project, block.caption, block.text)
        elif block.language == "console":
            for command, *answer in commands(block.text):
                assert_answers(answer, run(project, command), command)
        elif block.language == "sql":
            rows = ["  ".join(map(str, row)) for row in project.sql(block.text)]
        else:
            assert block.text.splitlines() == rows
        seen.add(block.language)
    assert seen == {"text", "yaml", "json", "jinja", "console", "sql"}


def write(project: Project, caption: str, text: str) -> None:
    """A new file, the end of one, or a line of one."""
    if caption.startswith("at the end of "):
        path = project.root / caption.removeprefix("at the end of ")
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    elif replaced := REPLACED.fullmatch(caption):
        path = project.root / replaced["file"]
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (at,) = (number for number, line in enumerate(lines) if line.startswith(f"      {replaced['start']}: "))
        path.write_text("".join([*lines[:at], text, *lines[at + 1 :]]), encoding="utf-8")
    else:
        path = project.root / caption
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


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


def assert_answers(expected: list[str], said: str, command: str) -> None:
    """The lines are there, in this order; `…` stands for anything, on a line of its own for any lines."""
    wanted = [line for line in expected if line.strip() != "…"]
    patterns = [re.escape(line).replace("…", ".*") for line in wanted]
    found = re.search(r"(?:^|\n)" + r"\n(?:.*\n)*?".join(patterns), said) if patterns else True
    assert found, f"{command} said\n{said}"
