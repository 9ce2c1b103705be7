"""The run of the tests itself: what it leaves behind, and what it may cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPOSITORY
from tests.support.cost import MOST, SMALL, judged
from tests.support.engines import Postgres

HANGS = """
import os, time
from pathlib import Path

def test_hangs(new_project):
    new_project("postgres")
    Path("there.new").write_text(os.environ["TEST_RUN_FOLDER"])
    Path("there.new").rename("there")
    time.sleep(600)
"""


@pytest.mark.slow
def test_killed_pytest_leaves_no_server_and_no_folder(tmp_path: Path) -> None:
    if Postgres.NAMED_BY in os.environ:
        pytest.skip("the server is not ours")
    (tmp_path / "test_hangs.py").write_text(HANGS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", "pytest.ini", "test_hangs.py"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for name in ("TEST_RUN_FOLDER", "PYTEST_XDIST_WORKER", "COST"):
        environment.pop(name, None)
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    mark = tmp_path / "there"
    while not mark.exists():
        assert run.poll() is None, "it ended before it had a server"
        time.sleep(0.1)
    folder = Path(mark.read_text(encoding="utf-8"))
    server = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]))
    run.kill()
    run.wait()
    server.wait(timeout=60)
    for _ in range(600):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not folder.exists()


def test_an_area_is_judged_by_loops_of_this_machine() -> None:
    budget = {"tests/dear": 2.0 * SMALL, "tests/dearer": 2.0 * SMALL}
    most = 2 * SMALL * MOST
    spent = Counter({"tests/dear": most, "tests/dearer": most + 1, "tests/new": 2.0 * SMALL, "tests/few": 1.0})
    assert judged(spent, 1.0, budget)[1] == ["tests/dearer", "tests/new"]
    assert judged(spent, 2.0, budget)[1] == []
