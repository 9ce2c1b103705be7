"""Types: mypy, strict, over the loader. A test, so that it works beside the others."""

from __future__ import annotations

import sys
from subprocess import run

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_types() -> None:
    said = run([sys.executable, "-m", "mypy"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
