"""What has landed: files in the landing folder and the dataset and period in their names."""

from __future__ import annotations

import datetime as dt
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loader import console
from loader.contracts import Contract, Contracts, Period
from loader.errors import RefusedError, UsageError
from loader.files import sha256_of
from loader.project import Project
from loader.staging.landing_folder import landing_folder
from loader.staging.unknown_files import UnknownFile, UnknownFileError, explain, tell
from loader.warehouse.meta import MOST_PATH

_OF_WINDOWS = ("desktop.ini", "thumbs.db")
"""What Windows puts into a folder by itself."""


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

    def is_of(self, dataset: str | None, period: str | None) -> bool:
        """Whether it belongs to a dataset and a period; None stands for any."""
        return dataset in (None, self.contract.name) and period in (None, self.period.name)


_EPOCH = dt.datetime(1970, 1, 1)
_LAST_SECOND = (dt.datetime(9999, 12, 31) - _EPOCH).total_seconds()
"""A file system may hold times that no calendar knows."""


@dataclass(frozen=True)
class Content:
    """What a file held when it was looked at: size in bytes, time of change in UTC, and the hash of its bytes."""

    size: int
    modified_at: dt.datetime
    sha256: str

    @classmethod
    def of(cls, path: Path, seen: Content | None = None) -> Content:
        """The content of a file; it is not read again when size and time of change are still as they were `seen`.

        Raises:
            OSError: it cannot be read, or is a folder, a pipe or a device (which may have no end).
        """
        status = path.stat()  # before the hash, so that a file that grows meanwhile is read again the next time
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", str(path))
        modified_at = _EPOCH + dt.timedelta(seconds=min(max(status.st_mtime, 0), _LAST_SECOND))
        if seen is not None and (seen.size, seen.modified_at) == (status.st_size, modified_at):
            return seen
        return cls(status.st_size, modified_at, sha256_of(path))


def full_path(path: Path) -> str:
    """The path by which a file is recorded, without links."""
    return os.path.realpath(path)


def refuse_unrecordable(path: Path) -> None:
    """Raise RefusedError when `meta` could not hold the name or the path of a file."""
    full = full_path(path)
    try:
        full.encode()
        path.name.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            f"{path.name}: the name or its folder contains bytes that are not valid characters; rename it"
        ) from None
    if len(full) > MOST_PATH:
        raise RefusedError(
            f"{path.name}: its path is longer than {MOST_PATH:,} characters; move it to a folder further up"
        )


def recognise(path: Path, contracts: Contracts) -> Landed:
    """Dataset, period and order of a file, from its name.

    Raises:
        UnknownFileError: the name matches no contract.
        RefusedError: it matches more than one, or contains no period, or cannot be recorded.
    """
    matching = [(contract, match) for contract in contracts if (match := contract.match(path.name))]
    if not matching:
        known = "; ".join(f"{contract.name}: {contract.file_name}" for contract in contracts)
        raise UnknownFileError(f"{path.name}: the file name matches no contract. Expected: {known}")
    refuse_unrecordable(path)
    if len(matching) > 1:
        names = ", ".join(contract.name for contract, _ in matching)
        raise RefusedError(f"{path.name}: the file name matches several contracts ({names}); make file_name stricter")
    contract, match = matching[0]
    try:
        period = contract.period((match["period"] or "").upper())
    except ValueError as error:
        raise RefusedError(f"{path.name}: the file name contains no period: {error}") from None
    return Landed(path, contract, period, match.groupdict().get("order"))


@dataclass(frozen=True)
class Landing:
    """What lies in the landing folder."""

    deliveries: list[Landed]
    refused: list[Path]
    """Files with a name of a contract that cannot be taken: it tells no period, say, or is one of two contracts."""
    unknown: list[UnknownFile]

    @property
    def paths(self) -> list[Path]:
        """The files that are, or should be, deliveries."""
        return sorted([*(one.path for one in self.deliveries), *self.refused])


def look(project: Project, dataset: str | None = None, period: str | None = None) -> Landing:
    """What lies in the landing folder: of a dataset and a period, when they are named, and what no contract knows.

    Raises:
        UsageError: nothing has landed for what was named, or there is no such dataset.
        EnvironmentFailedError: the landing folder is not there.
    """  # noqa: DOC501 (`nothing_landed` makes a UsageError)
    if dataset is not None:
        project.contract(dataset)
    found, refused, unknown = [], [], []
    for path in landing_files(landing_folder(project)):
        try:
            found.append(recognise(path, project.contracts))
        except UnknownFileError:
            unknown.append(path.name)
        except RefusedError as error:
            if dataset or period:  # of which it may be none
                console.note(f"{path.name} is not looked at: {error.message.removeprefix(f'{path.name}: ')}")
            else:
                refused.append(path)
    explained = explain(unknown, project.contracts)
    wanted = [one for one in found if one.is_of(dataset, period)]
    if not wanted and (dataset or period):
        tell(explained)
        raise nothing_landed(project, dataset, period)
    return Landing(wanted, refused, explained)


def landing_files(folder: Path) -> Iterator[Path]:
    """The files of a folder in the order of their names; those of programs and of the system are no deliveries."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(("~$", ".")) and path.name.lower() not in _OF_WINDOWS:
            yield path


def nothing_landed(project: Project, dataset: str | None, period: str | None) -> UsageError:
    """The answer to a question for deliveries that are not there."""
    what = " of ".join(word for word in (period, dataset) if word)
    expected = "; ".join(f"{contract.name}: {contract.file_name}" for contract in project.contracts)
    reason = f"nothing has landed{f' for {what}' if what else ''} in {project.settings.landing_dir}"
    return UsageError(f"{reason}. Expected file names: {expected}")
