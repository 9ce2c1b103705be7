"""The period that stands within a delivery: found once, and known by the hash of the file from then on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary, proxy

from sqlalchemy import select

from loader.contracts import Contract
from loader.errors import RefusedError, UsageError
from loader.project import Project
from loader.staging.content import Content, full_path
from loader.warehouse.meta import ingestion_log


class PeriodNotFoundError(RefusedError):
    """A delivery of a dataset whose period is not found within it, or is another one by its name."""

    def __init__(self, message: str, dataset: str) -> None:
        super().__init__(message)
        self.dataset = dataset


@dataclass(frozen=True)
class Within:
    """The name of the period of a delivery, and the hash of the bytes in which it was found."""

    period: str
    sha256: str


_Known = tuple[str, str, str]
"""Hash of the bytes, dataset, fingerprint of the contract: what makes the period within."""
_ANY = ""
"""In place of a fingerprint: what was recorded last, under whichever contract."""


@dataclass
class _Memory:
    """What is known of the files of a project."""

    project: Project
    found: dict[_Known, str | RefusedError] = field(default_factory=dict)
    """What this command has found."""
    by_hand: dict[str, str] = field(default_factory=dict)
    """The periods that somebody says, by the full path of the file."""
    looked_at: dict[str, Content] = field(default_factory=dict)

    @cached_property
    def recorded(self) -> tuple[Mapping[str, Content], Mapping[_Known, str]]:
        """What each file held when it was ingested last, by its full path, and the periods that were found."""
        from loader.archive.kept import is_kept  # heavy, and seldom needed

        self.project.ensure_meta()
        log = ingestion_log.c
        columns = (log.dataset, log.data_period, log.contract_fingerprint, log.sha256)
        query = select(log.file_path, log.size_bytes, log.modified_at, *columns).order_by(log.ingested_at)
        rows = self.project.warehouse.run(lambda c: c.execute(query).all())
        visits = {row.file_path: Content(row.size_bytes, row.modified_at, row.sha256) for row in rows}
        # what the archive has kept is read again for its old period, whatever a contract says today
        told = [row for row in rows if row.data_period is not None and not is_kept(Path(row.file_path))]
        periods = {(row.sha256, row.dataset, row.contract_fingerprint): row.data_period for row in told}
        return visits, periods | {(row.sha256, row.dataset, _ANY): row.data_period for row in told}

    def said(self, path: Path, contract: Contract, sha256: str) -> str | None:
        """The period that is said by hand, or was when a file of these bytes was ingested last.

        Raises:
            UsageError: what is said is no period of the dataset.
        """
        try:
            if (said := self.by_hand.get(full_path(path))) is not None:
                return contract.period(said).name
        except ValueError as error:
            raise UsageError(f"--period: {error}") from None
        recorded = self.recorded[1].get((sha256, contract.name, _ANY))
        with suppress(ValueError):  # it was of another grain
            return contract.period(recorded).name if recorded else None
        return None

    def content(self, path: Path) -> Content:
        """What a file holds; raises OSError."""
        full = full_path(path)
        seen = self.looked_at.get(full) or self.recorded[0].get(full)
        self.project.warehouse.let_go()  # to read a file takes long
        content = Content.of(path, seen)
        self.looked_at[full] = content
        return content


_memories: WeakKeyDictionary[Project, _Memory] = WeakKeyDictionary()


def _memory(project: Project) -> _Memory:
    return _memories.setdefault(project, _Memory(proxy(project)))  # else the memory would keep its project


def say_by_hand(project: Project, path: Path, period: str) -> None:
    """Say the period of a file for as long as the command lasts; it counts where the contract leaves it to people."""
    _memory(project).by_hand[full_path(path)] = period


def find_within(project: Project, path: Path, contract: Contract, name: str) -> Within:
    """The period that stands within a delivery that is called `name`; a file that was ingested is not opened again.

    A changed contract opens it again: it may look elsewhere.

    Raises:
        PeriodNotFoundError: there is none, or the file cannot be read.
        RefusedError: the file changed meanwhile.
        UsageError: what is said by hand is no period of the dataset.
    """
    memory = _memory(project)
    try:
        content = memory.content(path)
        if contract.period_within == "by_hand":
            said = memory.said(path, contract, content.sha256)
            if said is None:
                raise PeriodNotFoundError(
                    f"{name}: its period is said by hand; load it by `loader load --file-path FILE --period PERIOD`",
                    contract.name,
                )
            return Within(said, content.sha256)
        key = (content.sha256, contract.name, contract.fingerprint)
        found = memory.recorded[1].get(key) or memory.found.get(key)
        if found is None:
            found = _found(path, contract)
            if memory.content(path).sha256 != content.sha256:
                raise RefusedError(f"{path.name}: it changed while it was read; load it when its sender has finished")
            memory.found[key] = found
    except OSError as error:
        reason = f"{name}: cannot be read ({error.strerror}); check the file and its rights"
        raise PeriodNotFoundError(reason, contract.name) from None
    if isinstance(found, RefusedError):
        message = name + found.message.removeprefix(path.name)
        raise PeriodNotFoundError(message, contract.name)
    return Within(found, content.sha256)


def _found(path: Path, contract: Contract) -> str | RefusedError:
    from loader.staging.read_period import read_period  # heavy, and seldom needed

    try:
        return read_period(path, contract)
    except RefusedError as error:
        return error
    except ValueError as error:
        return RefusedError(
            f"{path.name}: no period is found within: {error}; correct the file, or 'period' in the contract"
        )
