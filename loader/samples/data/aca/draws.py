"""Random numbers: each part of the sample draws from a stream of its own, so that no part depends on another."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Stream(IntEnum):
    """What the numbers are for; the values decide on the bytes of every file."""

    WORDS = 1
    PLANS = 2
    PROVIDERS = 3
    MONTH = 4
    CLAIMS = 5
    RETURNS = 6
    EXPORT = 7


def stream(seed: int, what: Stream, *which: int) -> np.random.Generator:
    """A generator of its own for a part of the sample, such as one month or one day."""
    return np.random.default_rng([seed, what, *which])


def one_of(random: np.random.Generator, weights: Array, count: int) -> Array:
    """Positions drawn by weight."""
    steps = np.cumsum(weights, dtype=np.float64)
    at = np.searchsorted(steps, random.random(count) * steps[-1], side="right")
    return np.asarray(np.minimum(at, len(steps) - 1))


def chance(random: np.random.Generator, share: float, count: int) -> Array:
    """Which of `count` things happen, when each does so with this probability."""
    return np.asarray(random.random(count) < share)


def half_up(amounts: Array) -> Array:
    """Whole cents, halves away from zero, as money is rounded."""
    return np.asarray(np.floor(amounts + 0.5), np.int64)
