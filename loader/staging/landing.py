"""What has landed: files in the landing folder and the dataset and period in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loader import console
from loader.contracts import Contract, Period
from loader.contracts.file_names import matched, segments, told_by
from loader.errors import RefusedError, UsageError
from loader.project import Project
from loader.staging.content import full_path
from loader.staging.landing_folder import landing_folder
from loader.staging.options import refuse_contradiction
from loader.staging.period_within import PeriodNotFoundError, find_within, say_by_hand
from loader.staging.unknown_files import UnknownFile, UnknownFileError, explain, tell
from loader.warehouse.meta import MOST_NAME, MOST_PATH

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
    delivered_as: str | None = None
    """Its name when it was delivered, where the path no longer tells it."""
    read_from: str | None = None
    """The hash of the bytes in which its period was found; None when its name tells it."""

    @property
    def name(self) -> str:
        """By what it is known: its name, with the folders that the contract's file_name has."""
        return self.delivered_as or name_of_delivery(self.path, self.contract)

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts deliveries of one period: without an order first, numbers by value, then text."""
        if self.order is None:
            return (0, 0, "")
        return (1, int(self.order), "") if self.order.isdecimal() else (2, 0, self.order)

    def is_of(self, dataset: str | None, period: str | None) -> bool:
        """Whether it belongs to a dataset and a period; None stands for any."""
        return dataset in (None, self.contract.name) and period in (None, self.period.name)


def name_of_delivery(path: Path, contract: Contract) -> str:
    """The name of a file, with the folders that the contract's file_name has."""
    return "/".join(_names(path)[-contract.depth :])


def where_it_lay(recorded: Path, name: str) -> Path:
    """The path by which a file was known: the recorded one is without links, and a link may have another name."""
    above = recorded.parents
    return above[min(name.count("/"), len(above) - 1)] / name


@contextmanager
def refused_by_name(path: Path, name: str) -> Iterator[None]:
    """Say the whole name of a delivery in what a reader refuses, which knows its path alone; raises RefusedError."""
    try:
        yield
    except RefusedError as error:
        if name == path.name or not error.message.startswith(path.name):
            raise
        raise RefusedError(name + error.message.removeprefix(path.name)) from error.__cause__


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


def recognise(project: Project, path: Path) -> Landed:
    """Dataset, period and order of a file wherever it lies, from its name and those of its folders.

    Raises:
        UnknownFileError: the name matches no contract.
        RefusedError: it matches more than one, or contains no period, or cannot be recorded.
    """
    below = _names_below(project.settings.landing_dir, path)
    names = below or _names(path)
    matching = _matching(project, names) or [
        found
        for contract in project.contracts
        if contract.depth < len(names)
        for found in _matching(project, names[-contract.depth :], contract)
    ]
    return _only_one(project, path, matching)


def recognise_landed(project: Project, path: Path) -> Landed:
    """The same of a file in the landing folder, which lies just where the contract's `file_name` says."""
    return _only_one(project, path, _matching(project, _names_below(project.settings.landing_dir, path)))


_Match = tuple[Contract, Sequence[re.Match[str]]]


def _matching(project: Project, names: Sequence[str], among: Contract | None = None) -> list[_Match]:
    contracts = [among] if among else project.contracts
    return [(contract, found) for contract in contracts if (found := contract.match(*names))]


def _only_one(project: Project, path: Path, matching: Sequence[_Match]) -> Landed:
    if not matching:
        known = "; ".join(f"{contract.name}: {contract.file_name}" for contract in project.contracts)
        raise UnknownFileError(f"{path.name}: the file name matches no contract. Expected: {known}")
    refuse_unrecordable(path)
    if len(matching) > 1:
        names = ", ".join(contract.name for contract, _ in matching)
        name = name_in_landing(project, path)
        raise RefusedError(f"{name}: the file name matches several contracts ({names}); make file_name stricter")
    return _landed(project, path, *matching[0])


def name_in_landing(project: Project, path: Path) -> str:
    """The name of a file of which nobody knows what it is: with all its folders, when it lies below the landing folder.

    Without them where it would be too long to be recorded.
    """
    name = "/".join(_names_below(project.settings.landing_dir, path))
    return name if 0 < len(name) <= MOST_NAME else path.name


def _names_below(folder: Path, path: Path) -> tuple[str, ...]:
    """The names that lead from a folder to a file; none when it lies elsewhere."""
    above, names = _names(folder), _names(path)
    return names[len(above) :] if names[: len(above)] == above else ()


def _names(path: Path) -> tuple[str, ...]:
    """All names of a path: links are no matter, a `..` is."""
    return Path(os.path.abspath(path)).parts  # noqa: PTH100


def _landed(project: Project, path: Path, contract: Contract, found: Sequence[re.Match[str]]) -> Landed:
    name = name_of_delivery(path, contract)
    if len(name) > MOST_NAME:
        raise RefusedError(f"{name}: its name and folders are longer than {MOST_NAME} characters; make them shorter")
    try:
        told = told_by(found)
        order = dict(told).get("order")
        if contract.period_within is None:
            return Landed(path, contract, contract.period(contract.spelling.name(told)), order)
        within = find_within(project, path, contract, name)
        other = contract.spelling.contradiction(within.period, told)
    except ValueError as error:
        raise RefusedError(f"{name}: the file name contains no period: {error}") from None
    if other:
        place = "--period" if contract.period_within == "by_hand" else contract.period_within.place
        reason = f"the file name tells {other}, and {place} tells {within.period}"
        raise PeriodNotFoundError(f"{name}: {reason}; correct the one that is wrong", contract.name)
    return Landed(path, contract, contract.period(within.period), order, read_from=within.sha256)


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
    for path in landing_files(project):
        name = name_in_landing(project, path)
        try:
            found.append(recognise_landed(project, path))
        except UnknownFileError:
            unknown.append(name)
        except RefusedError as error:
            if dataset or period:  # of which it may be none
                reason = error.message.removeprefix(f"{name}: ").removeprefix(f"{path.name}: ")
                console.note(f"{name} is not looked at: {reason}")
            else:
                refused.append(path)
    explained = explain(unknown, project.contracts)
    wanted = [one for one in found if one.is_of(dataset, period)]
    if not wanted and (dataset or period):
        tell(explained)
        raise nothing_landed(project, dataset, period)
    return Landing(wanted, refused, explained)


def look_at(project: Project, path: Path, dataset: str | None, period: str | None) -> Landing:
    """The file that somebody named; a period that is said with it counts where the contract leaves it to people.

    Raises:
        UsageError: it is of another dataset or period than is said.
    """
    if period is not None:
        say_by_hand(project, path, period)
    try:
        landed = recognise(project, path)
    except RefusedError:
        return Landing([], [path], [])
    refuse_contradiction(landed.name, (landed.contract, landed.period), dataset, period)
    return Landing([landed], [], [])


def landing_files(project: Project) -> Iterator[Path]:
    """The files of the landing folder in the order of their names, and of folders below it that a contract names.

    Those of programs and of the system, and what is in hidden folders, are no deliveries.

    Raises:
        EnvironmentFailedError: the landing folder is not there.
    """
    folder = landing_folder(project)
    folders = {folder: None}
    for contract in project.contracts:
        found = [folder]
        for pattern in segments(contract.file_name)[:-1]:
            found = [
                below for above in found for below in _visible(above) if below.is_dir() and matched(pattern, below.name)
            ]
        folders.update(dict.fromkeys(found))
    for one in folders:
        yield from (path for path in _visible(one) if path.is_file() and path.name.lower() not in _OF_WINDOWS)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(("~$", ".")))


def nothing_landed(project: Project, dataset: str | None, period: str | None) -> UsageError:
    """The answer to a question for deliveries that are not there."""
    what = " of ".join(word for word in (period, dataset) if word)
    expected = "; ".join(f"{contract.name}: {contract.file_name}" for contract in project.contracts)
    reason = f"nothing has landed{f' for {what}' if what else ''} in {project.settings.landing_dir}"
    return UsageError(f"{reason}. Expected file names: {expected}")
