"""The runbook knows every message of the loader, under the exit code that it ends with, and no other."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY
from tests.support.messages import ANY, FAILED, GAP, NOTE, REFUSED, SAID, USAGE, Message, messages

SECTIONS = {"1:": REFUSED, "2:": USAGE, "3:": FAILED, "Notes": NOTE, "When": SAID}
ENTRY = re.compile(r"^(?:\| )?(?P<tick>`+) ?(?P<text>.+?) ?(?P=tick)(?: \||$)")
PASSED_ON = {
    "result.summary",
    "f\"{('stale' if check else 'written')}: {project.shown(path)}\"",
    "f'{error.kind}: {error.message}'",
    "error.format_message()",
    "line",
    "name + error.message.removeprefix(path.name)",
    "loaded.reason",
    "message",
    "report.closing_line",
    "str(error)",
    "str(given.question)",
    "'\\n'.join(mistakes)",
    "f'{parquet.name}: {first_line(error)}'",
    "reason",
    "_refusal(path, landed, outcome)",
    "f'{path}: {error.strerror}'",
    "f'{name}: {error}'",
}
"""Expressions whose message is put together elsewhere, or is nothing but the words of the system."""

FOUND = [found for found in messages() if "demo/" not in str(found) or getattr(found, "kind", SAID) != SAID]
MESSAGES = sorted(
    {found for found in FOUND if isinstance(found, Message)}, key=lambda message: (message.place, message.text)
)


def entries() -> dict[str, str]:
    """The message of each entry, and the exit code of its section."""
    found: dict[str, str] = {}
    section = ""
    for line in (REPOSITORY / "docs" / "use" / "runbook.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = SECTIONS[line.split()[1]]
        entry = ENTRY.match(line)
        if section and entry:
            found[entry["text"]] = section
    return found


ENTRIES = entries()


def says(entry: str, message: Message) -> bool:
    """Whether an entry is about a message: its words stand in it, in their order; of one word, at its beginning."""
    if " " not in entry.strip(f"{GAP} ") and not message.text.startswith(entry.split(maxsplit=1)[0]):
        return False
    at = 0
    for words in entry.split(GAP):
        found = message.text.find(words.strip(), at)
        if found < 0:
            return False
        at = found + len(words.strip())
    return True


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 150


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: f"{message.place} {message.text[:60]}")
def test_every_message_has_an_entry_under_its_exit_code(message: Message) -> None:
    under = {section for entry, section in ENTRIES.items() if says(entry, message)}
    assert under, f"docs/use/runbook.md has no entry for «{message.text}» (exit code {message.kind})"
    assert message.kind in {*under, ANY}


def test_every_entry_is_about_a_message() -> None:
    assert [entry for entry in ENTRIES if not any(says(entry, message) for message in MESSAGES)] == []


def test_no_message_escapes_the_search() -> None:
    """A message that is handed through a variable has to be known by the place where it is put together."""
    assert {found.partition(": ")[2] for found in FOUND if isinstance(found, str)} == PASSED_ON
