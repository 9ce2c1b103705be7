"""A power cut at any moment: what was reported as loaded is there after it, in the archive too.

After each sync, rename and line of output of a command, what the disk has is laid out (`tests.support.disk`), and the
command is run there. `CUT=load:17 pytest tests/test_power_cuts.py -s` repeats the moment that a failure names.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from loader.files import sha256_of
from tests.conftest import Project
from tests.support import faults
from tests.support.digest import difference, digest
from tests.support.disk import Disk, Model
from tests.support.disturbed import COMMANDS, FOLDERS, Trial
from tests.support.effort import LONG
from tests.support.shop import prepared

pytestmark = pytest.mark.skipif(bool(faults.unavailable()), reason=str(faults.unavailable()))

TRIES = {"load": 6, "rollback": 2, "purge": 2}
"""Moments that `make test` takes of each command."""


@dataclass(frozen=True)
class Moment:
    """What the disk has then, and what was told before."""

    where: str
    files: dict[str, bytes]
    told: str


def moments(trial: Trial) -> Iterator[Moment]:
    """Each at which the disk has something else than at the one before, or something was told."""
    for model in get_args(Model):
        disk, told, before = Disk(trial.project.root, trial.saved, model), "", None
        for number, change in enumerate(trial.journal, 1):
            disk.follow(change)
            if change.sign == "p":
                told += change.data.decode()
            if change.sign in "srp":
                now = disk.after_a_cut()
                if (now, told) != before:
                    before = now, told
                    path = change.path.removeprefix(str(trial.project.root))
                    yield Moment(f"{model}: after {change.sign} {path}, change {number}", now, told)


def lay_out(trial: Trial, files: dict[str, bytes]) -> None:
    """Make the project what the disk has; what landed is nobody's to change, and keeps its times."""
    trial.put_back()
    for folder in FOLDERS:
        for path in (trial.project.root / folder).rglob("*"):
            if path.is_file() and trial.project.landing not in path.parents:
                path.unlink()
    for path in map(Path, files):
        if trial.project.landing not in path.parents:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[str(path)])


def lost(project: Project, told: str) -> list[str]:
    """What was told and is not, and files of active loads that are not what was written."""
    loads = project.sql(
        "select data_period, version_no, parquet_path, parquet_sha256, unknown_path, unknown_sha256 "
        "from meta.dataset_version where state = 'active'"
    )
    active = {(period, number) for period, number, *_ in loads}
    said = re.findall(r"(?m)^loaded +\S+ (\S+) .*\(version (\d+)", told)
    wrong = [f"{period} was loaded and is not" for period, number in said if (period, int(number)) not in active]
    for *_, rows, rows_hash, unknown, unknown_hash in loads:
        for name, sha256 in ((rows, rows_hash), (unknown, unknown_hash)):
            path = project.root / "data/stage/cleaned" / (name or "")
            if name and (not path.exists() or sha256_of(path) != sha256):
                wrong.append(f"{name} is {'there, but another one' if path.exists() else 'gone'}")
    return wrong


def chosen(name: str, count: int) -> Sequence[int]:
    """The numbers of the moments to try, of so many."""
    named, _, number = os.environ.get("CUT", "").partition(":")
    if named:
        return [int(number)] if named == name else []
    step = 1 if LONG else max(-(-count // TRIES[name]), 1)
    return range(random.randrange(step), count, step)


@pytest.mark.parametrize("name", TRIES)
def test_nothing_that_was_told_is_lost(new_project: Callable[..., Project], tmp_path: Path, name: str) -> None:
    command = COMMANDS[name]
    trial = Trial.of(prepared(new_project, "duckdb", command.prepare), command, tmp_path)
    every, wrong = list(moments(trial)), []
    numbers = chosen(name, len(every))
    for number in numbers:
        lay_out(trial, every[number].files)
        found = lost(trial.project, every[number].told)
        again = trial.project.loader(*command.args)
        if again.exit_code not in (0, command.again):
            found.append(f"the next run failed: {again.output}")
        found += difference(digest(trial.project), trial.after)
        if found:
            wrong.append("\n".join([f"CUT={name}:{number}: {every[number].where}", *found]))
            print(wrong[-1], flush=True)
    print(f"{name}: {len(numbers)} of {len(every)} moments, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
