"""The names of the files in the archive."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loader.contracts import Contract, Period
from loader.contracts.periods import with_colon, without_colon

UNKNOWN = ".unknown"
"""What stands behind the stem in the name of the file with a delivery's unknown keys."""


def unknown_beside(parquet: Path) -> Path:
    """Where the unknown keys of a delivery are until they are published, next to its rows."""
    return parquet.with_name(f"{parquet.name}{UNKNOWN}")


def name_of_period(period: Period) -> str:
    """The name of a period as files have it."""
    return without_colon(period.name)


def period_of_name(contract: Contract, name: str) -> Period:
    """The period that a file name tells so; raises ValueError when the dataset has no such period."""
    return contract.period(with_colon(name))


def file_stem(contract: Contract, period: Period, sha256: str) -> str:
    """The deterministic name of what validation makes of one delivery under one contract."""
    return f"{contract.name}_{name_of_period(period)}_{sha256[:12]}_{contract.fingerprint[:8]}"


@dataclass(frozen=True)
class Stem:
    """What the name of such a file tells; the number behind it counts files of other content."""

    base: str
    period: Period
    sha256: str
    """The first 12 digits of the delivery's hash."""
    of_unknown: bool
    """Whether the file holds unknown keys, not rows."""

    @property
    def parquet(self) -> str:
        """The name of a file of that kind in the archive."""
        return f"{self.base}{UNKNOWN if self.of_unknown else ''}.parquet"

    @classmethod
    def of(cls, contract: Contract, file_name: str) -> Stem | None:
        """None for files of other datasets, and for strangers."""
        found = re.match(
            rf"(?P<base>{re.escape(contract.name)}_(?P<period>[0-9A-Z-]+)_(?P<sha256>[0-9a-f]{{12}})_[0-9a-f]{{8}})"
            r"(?:_\d+)*\.",
            file_name,
        )
        if found is None:
            return None
        with suppress(ValueError):
            of_unknown = file_name[len(found["base"]) :].startswith(UNKNOWN)
            return cls(found["base"], period_of_name(contract, found["period"]), found["sha256"], of_unknown)
        return None
