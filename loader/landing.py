"""What has landed: files in the landing folder and the dataset and period that their names tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loader.contracts import Contract, Contracts
from loader.errors import RefusedError
from loader.periods import Period
from loader.project import Project


@dataclass(frozen=True)
class Landed:
    """One delivery, known by its name only."""

    path: Path
    contract: Contract
    period: Period
    order: str | None
    """The named group `order` of the file name: which of two deliveries of a period is the later one."""

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts deliveries of one period: without an order first, numbers by value, then text."""
        if self.order is None:
            return (0, 0, "")
        return (1, int(self.order), "") if self.order.isdecimal() else (2, 0, self.order)


def recognise(path: Path, contracts: Contracts) -> Landed:
    """Dataset, period and order of a file, from its name.

    Raises:
        RefusedError: the name fits no contract, or more than one, or names no period.
    """
    fits = [(contract, match) for contract in contracts if (match := contract.match(path.name))]
    if not fits:
        known = "; ".join(f"{contract.name}: {contract.file_name}" for contract in contracts)
        raise RefusedError(f"{path.name}: the file name fits no contract. Expected: {known}")
    if len(fits) > 1:
        names = ", ".join(contract.name for contract, _ in fits)
        raise RefusedError(f"{path.name}: the file name fits several contracts ({names}); make file_name stricter")
    contract, match = fits[0]
    try:
        period = contract.period((match["period"] or "").upper())
    except ValueError as error:
        raise RefusedError(f"{path.name}: the file name tells no period: {error}") from None
    return Landed(path, contract, period, match.groupdict().get("order"))


def landed_files(project: Project) -> Iterator[Path]:
    """Files of the landing folder in the order of their names; the lock files of office programs are no deliveries."""
    folder = project.settings.landing_dir
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith(("~$", ".")):
                yield path
