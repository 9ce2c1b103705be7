"""The period that stands within a delivery: found once, and known by the hash of the file from then on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, insert, select

from loader.contracts import Contract
from loader.errors import RefusedError, UsageError
from loader.project import Project
from loader.readers import READER_REVISION
from loader.staging.content import Content, Visits, full_path, last_visits
from loader.warehouse import meta


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


class _Question(NamedTuple):
    """What makes the period within, beside the reader."""

    sha256: str
    dataset: str
    contract_fingerprint: str


class _Answer(NamedTuple):
    """The name of the period; without one, why there is none, in words that follow the name of the file."""

    data_period: str | None
    message: str | None
    lasts: bool = True
    """Whether only another contract or reader gives another one; of a file that cannot be read nobody knows."""


@dataclass
class _Memory:
    """What is known of the files of a project."""

    visits: Visits
    answers: dict[_Question, _Answer]
    unkept: dict[_Question, _Answer] = field(default_factory=dict)
    """Those that this command has found, and that are in no table yet."""
    looked_at: dict[str, Content] = field(default_factory=dict)


_memories: WeakKeyDictionary[Project, _Memory] = WeakKeyDictionary()
_by_hand: WeakKeyDictionary[Project, dict[str, str]] = WeakKeyDictionary()
"""The periods that somebody says, by the full path of the file."""


def _memory(project: Project) -> _Memory:
    if project not in _memories:
        project.ensure_meta()
        _memories[project] = project.warehouse.run(lambda c: _Memory(last_visits(project, c), _kept_answers(c)))
    return _memories[project]


def _kept_answers(connection: Connection) -> dict[_Question, _Answer]:
    kept = meta.period_within.c
    columns = (kept.sha256, kept.dataset, kept.contract_fingerprint, kept.data_period, kept.message)
    rows = connection.execute(select(*columns).where(kept.reader_revision == READER_REVISION))
    return {_Question(*row[:3]): _Answer(*row[3:]) for row in rows}


def keep_periods(project: Project) -> None:
    """Keep what this command has found within files, for those that follow."""
    memory = _memories.get(project)
    if memory and memory.unkept:
        project.warehouse.run(lambda c: remember_periods(project, c))
        memory.unkept.clear()


def remember_periods(project: Project, connection: Connection) -> None:
    """The same in a transaction of the caller."""
    memory = _memories.get(project)
    if memory is None or not memory.unkept:
        return
    project.warehouse.lock(connection, meta.ingestion_log.fullname)  # another command may find the same
    known = _kept_answers(connection)
    rows = [
        question._asdict()
        | {"reader_revision": READER_REVISION, "data_period": answer.data_period, "message": answer.message}
        for question, answer in memory.unkept.items()
        if question not in known
    ]
    if rows:
        connection.execute(insert(meta.period_within), rows)


def say_by_hand(project: Project, path: Path, period: str) -> None:
    """Say the period of a file for as long as the command lasts; it counts where the contract leaves it to people."""
    _by_hand.setdefault(project, {})[full_path(path)] = period


def find_within(project: Project, path: Path, contract: Contract, name: str) -> Within:
    """The period that stands within a delivery that is called `name`; a file in which it was found is not opened again.

    Nor is one in which none was found. A changed contract or another reader opens it again: it may look elsewhere.

    Raises:
        PeriodNotFoundError: there is none, or the file cannot be read.
        RefusedError: the file changed meanwhile.
        UsageError: what is said by hand is no period of the dataset.
    """
    memory = _memory(project)
    try:
        content = _content(project, memory, path)
        if contract.period_within == "by_hand":
            said = _said(project, memory, path, contract, content.sha256)
            if said is None:
                raise PeriodNotFoundError(
                    f"{name}: its period is said by hand; load it by `loader load --file-path FILE --period PERIOD`",
                    contract.name,
                )
            return Within(said, content.sha256)
        question = _Question(content.sha256, contract.name, contract.fingerprint)
        answer = memory.answers.get(question)
        if answer is None:
            answer = _answer(path, contract)
            if _content(project, memory, path).sha256 != content.sha256:
                raise RefusedError(f"{path.name}: it changed while it was read; load it when its sender has finished")
            memory.answers[question] = answer
            if answer.lasts:
                memory.unkept[question] = answer
    except OSError as error:
        reason = f"{name}: cannot be read ({error.strerror}); check the file and its rights"
        raise PeriodNotFoundError(reason, contract.name) from None
    if answer.data_period is None:
        reason = f"{name}{answer.message}"
        raise PeriodNotFoundError(reason, contract.name)
    return Within(answer.data_period, content.sha256)


def _content(project: Project, memory: _Memory, path: Path) -> Content:
    """What a file holds; raises OSError."""
    full = full_path(path)
    seen = memory.looked_at.get(full) or memory.visits.contents.get(full)
    project.warehouse.let_go()  # to read a file takes long
    content = Content.of(path, seen)
    memory.looked_at[full] = content
    return content


def _said(project: Project, memory: _Memory, path: Path, contract: Contract, sha256: str) -> str | None:
    """The period that is said by hand, or was when a file of these bytes was ingested last.

    Raises:
        UsageError: what is said is no period of the dataset.
    """
    try:
        if (said := _by_hand.get(project, {}).get(full_path(path))) is not None:
            return contract.period(said).name
    except ValueError as error:
        raise UsageError(f"--period: {error}") from None
    recorded = memory.visits.periods.get((sha256, contract.name))
    with suppress(ValueError):  # it was of another grain
        return contract.period(recorded).name if recorded else None
    return None


def _answer(path: Path, contract: Contract) -> _Answer:
    from loader.staging.read_period import read_period  # heavy, and seldom needed

    try:
        return _Answer(read_period(path, contract), None)
    except RefusedError as error:  # it may have been the machine
        return _Answer(None, error.message.removeprefix(path.name), lasts=False)
    except ValueError as error:
        refusal = RefusedError(
            f"{path.name}: no period is found within: {error}; correct the file, or 'period' in the contract"
        )
        return _Answer(None, refusal.message.removeprefix(path.name))
