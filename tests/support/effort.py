"""How hard the tests try: as much as `make test` has time for, or with LONG=1 (`make test-long`) all of it."""

from __future__ import annotations

import os

LONG = os.environ.get("LONG", "") not in ("", "0")


def effort(usual: int, long: int) -> int:
    """The number of examples, kills or seconds of this run."""
    return long if LONG else usual
