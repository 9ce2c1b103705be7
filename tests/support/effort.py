"""How hard the tests try: as much as `make test` has time for, or with LONG=1 (`make test-long`) all of it."""

from __future__ import annotations

import os

from hypothesis import Phase

LONG = os.environ.get("LONG", "") not in ("", "0")


def effort(usual: int, long: int) -> int:
    """The number of examples, kills or seconds of this run."""
    return long if LONG else usual


PHASES = tuple(Phase) if LONG else (Phase.explicit, Phase.reuse, Phase.generate)
"""For rules whose examples load and build: to shrink one that failed takes minutes, the long form has them."""
