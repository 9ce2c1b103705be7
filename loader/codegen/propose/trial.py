"""The samples, read and checked by the proposed contract as by a load, in a place that is gone afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from loader.contracts import Contract, Grain, Period
from loader.errors import RefusedError
from loader.validation import Outcome, clean_delivery

_ANY_PERIOD = {Grain.WINDOW: "2025-01-01T00:00"}


@dataclass(frozen=True)
class Tried:
    """What loading one sample would do."""

    path: Path
    outcome: Outcome
    refusal: str = ""

    @property
    def name(self) -> str:
        """That of the file."""
        return self.path.name

    @property
    def rejected(self) -> str:
        """Why rows would be rejected, the most frequent reasons first; empty when none would be."""
        return "; ".join(f"{what} ({count:,})" for what, count in self.outcome.summary.most_common(5))


def try_contract(contract: Contract, paths: Sequence[Path], periods: Sequence[str]) -> list[Tried]:
    """What loading each sample would do; a sample without a period is read as one of any period."""
    names = [*periods, *[_ANY_PERIOD.get(contract.grain, contract.grain.example)] * (len(paths) - len(periods))]
    return [_tried(contract, path, contract.period(name)) for path, name in zip(paths, names, strict=True)]


def _tried(contract: Contract, path: Path, period: Period) -> Tried:
    outcome = Outcome()
    with TemporaryDirectory(prefix="almanac-") as folder:
        place = Path(folder)
        try:
            clean_delivery(path, contract, period, place / "rows.parquet", place / "rejects.csv", outcome)
        except RefusedError as error:
            return Tried(path, outcome, error.message)
    return Tried(path, outcome)
