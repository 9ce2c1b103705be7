"""PostgreSQL: a connection is cut before and after each statement, the commits too, and nothing is done twice or lost.

The statements of a load are enumerated from a first course; `make test` cuts at some and at each commit of a load.
`CUT=17 pytest tests/warehouse/test_lost_connections.py -s` repeats the one that a failure names.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.support.digest import difference, digest
from tests.support.disturbed import COMMANDS
from tests.support.effort import LONG
from tests.support.engines import Engine
from tests.support.proxy import Proxy
from tests.support.shop import prepared

SOME = 4
"""Cuts of `make test` beside those at the commits of what matters."""


def said(output: str) -> str:
    return re.sub(r"in [0-9.]+ s", "in … s", output)


def matters(statements: list[str], at: int) -> bool:
    """Whether a statement commits a new load, or the states of loads."""
    if statements[at - 1].upper() != "COMMIT":
        return False
    before = statements[: at - 1]
    begun = max((number for number, one in enumerate(before) if one.upper() == "COMMIT"), default=0)
    return any(re.match(r"(?i)(insert into|update) meta\.dataset_version", one) for one in before[begun:])


@pytest.mark.parametrize("name", ["load", "rollback"])
def test_a_cut_connection(engine: Engine, new_project: Callable[..., Project], tmp_path: Path, name: str) -> None:
    if engine.name != "postgres":
        pytest.skip("there is no connection to cut, or none that this proxy knows")
    command = COMMANDS[name]
    project, saved = prepared(new_project, engine, command.prepare), new_project(engine, folder="saved")
    engine.copy(project.profile_output, saved.profile_output)
    home = project.profile_output
    proxy = Proxy(f"{home['host']}/.s.PGSQL.{home['port']}")
    with proxy.running():
        project.profile_output = {**home, "host": "127.0.0.1", "port": proxy.port}
        project.write_profile()
        project.profile_output = home
        first = project.loader(*command.args)
        assert first.exit_code == 0, first.output
        expected, statements = digest(project), proxy.statements
        cuts = [(at, after) for at in range(1, len(statements) + 1) for after in (False, True)]
        numbers = set(range(len(cuts)) if LONG else random.sample(range(len(cuts)), SOME))
        numbers |= {number for number, (at, _) in enumerate(cuts) if matters(statements, at)}
        if "CUT" in os.environ:
            numbers = {int(os.environ["CUT"])}
        for number in sorted(numbers):
            at, after = cuts[number]
            engine.copy(saved.profile_output, home)
            proxy.begin(at, after=after)
            done = project.loader(*command.args)
            context = f"CUT={number}: {'after' if after else 'before'} {statements[at - 1][:60]}\n{done.output}"
            assert len(proxy.statements) >= at, context
            assert (done.exit_code, said(done.output)) == (0, said(first.output)), context
            assert difference(digest(project), expected) == [], context
        print(f"{name}: {len(numbers)} of {len(cuts)} cuts")
