"""Every point at which a command changes a file: killed there, told of an error, or on a full disk.

The points are enumerated, not drawn: a first course tells them, then each is tried. `make test` takes some, evenly
spread; `FAULT=load:137 pytest tests/test_fault_points.py -s` repeats the one that a failure names.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support import faults
from tests.support.disturbed import COMMANDS, Trial
from tests.support.effort import LONG
from tests.support.shop import prepared

pytestmark = pytest.mark.skipif(bool(faults.unavailable()), reason=str(faults.unavailable()))

WORDS = {"K": "killed", "E": "EIO", "F": "ENOSPC"}


def chosen(name: str, count: int, tries: int) -> Sequence[int]:
    """The numbers of the cases to try, of so many."""
    named, _, number = os.environ.get("FAULT", "").partition(":")
    if named:
        return [int(number)] if named == name else []
    step = 1 if LONG else max(-(-count // tries), 1)
    return range(random.randrange(step), count, step)


@pytest.mark.parametrize("name", [pytest.param(name, marks=one.marks) for name, one in COMMANDS.items()])
def test_a_disturbed_command_is_mended_by_the_next(
    new_project: Callable[..., Project], tmp_path: Path, name: str
) -> None:
    command = COMMANDS[name]
    trial = Trial.of(prepared(new_project, "duckdb", command.prepare), command, tmp_path)
    cases, wrong = trial.cases(), []
    numbers = chosen(name, len(cases), command.tries)
    for number in numbers:
        change, fault = cases[number]
        found = trial.disturb(cases[number], look=number % 2 == 1)
        if found:
            where = f"{change.sign} {Path(change.path).relative_to(trial.project.root)}"
            wrong.append(f"FAULT={name}:{number}: {WORDS[fault.answer]} at point {fault.at}, {where}\n{found}")
            print(wrong[-1], flush=True)
    print(f"{name}: {len(numbers)} of {len(cases)} cases at {len(trial.course)} points, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
