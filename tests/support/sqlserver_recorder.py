"""Stands in for a SQL Server: records each statement, keeps a catalogue of them, and has made-up answers for few.

A question without an answer fails the test; it never means "no rows".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mssql_python import ProgrammingError

from tests.support.sqlserver_catalogue import DDL, Catalogue, is_rename, plain
from tests.support.sqlserver_session import Answer, Session
from tests.support.tsql import Statement

_COMMENT = re.compile(r'/\* \{"app": "dbt".*?"(?:connection_name|node_id)": "(?P<node>[^"]*)"\} \*/\s*')
_OBJECT = re.compile(r"object_id\(\s*'([^']+)'(?:, '[UV]')?\) is (not )?null", re.IGNORECASE)
_SCHEMA = re.compile(r"schema_id\('([^']+)'\) is (not )?null", re.IGNORECASE)
_NAMED = re.compile(r"(not )?exists\s*\(\s*select .* from sys\.(\w+) .*name = '([^']+)'", re.IGNORECASE | re.DOTALL)
_CLUSTERED = re.compile(
    r"not exists \(select \* from sys\.indexes where object_id = object_id\('([^']+)'\) and index_id = 1\)"
)


@dataclass(frozen=True)
class Recorded:
    """A statement as it was executed."""

    node: str
    """What dbt sent it for; empty for the loader."""
    statement: Statement
    trancount: int
    """Levels of transactions before it."""
    locks: frozenset[str]
    """Those of the project that its transaction held."""
    parameters: int = 0

    @property
    def sql(self) -> str:
        return self.statement.sql


@dataclass
class Recorder:
    """What `mssql_python.connect` is for a test, by `connect`."""

    answers: Sequence[tuple[str, Callable[[re.Match[str]], Answer]]] | None
    """What is answered to a question in which a pattern is found, the first that fits; None: nobody listens."""
    catalogue: Catalogue = field(default_factory=Catalogue)
    recorded: list[Recorded] = field(default_factory=list)
    batches: list[tuple[int, str, Sequence[Any]]] = field(default_factory=list)
    """What each session was sent, with the parameters."""
    left_open: list[str] = field(default_factory=list)
    """Nodes and connections that ended with an open transaction, or took back rows that they had written."""
    unanswered: list[str] = field(default_factory=list)
    """Questions; who asked may have caught what was raised."""
    sessions: int = 0

    def connect(self, *_: Any, autocommit: bool = False, **__: Any) -> RecordedSession:
        self.sessions += 1
        return RecordedSession(autocommit, recorder=self, number=self.sessions)

    def replayed(self, change: Callable[[str], str]) -> Recorder:
        """The same batches, each changed, as a server sees them that answers nothing."""
        replay = Recorder(None)
        sessions: dict[int, RecordedSession] = {}
        for number, batch, parameters in self.batches:
            if number not in sessions:
                sessions[number] = replay.connect(autocommit=True)
            with suppress(ProgrammingError):
                sessions[number].execute(change(batch), parameters)
        for session in sessions.values():
            session.close()
        return replay


@dataclass
class RecordedSession(Session):
    """A connection to nothing."""

    recorder: Recorder = field(default_factory=lambda: Recorder(None))
    number: int = 0
    node: str = ""
    owner: str = ""
    """The node of the open transaction, once it is known: dbt begins and commits without a word of it."""

    def execute(self, batch: str, parameters: Sequence[Any] = ()) -> Answer | None:
        self.recorder.batches.append((self.number, batch, parameters))
        comment = _COMMENT.match(batch)
        self.node = comment["node"] if comment else ""
        if comment and self.trancount:
            if self.owner not in ("", self.node):
                self.recorder.left_open.append(self.owner)
            self.owner = self.node
        answer = super().execute(batch[comment.end() :] if comment else batch, parameters)
        if self.trancount == 0:
            self.owner = ""
        return answer

    def close(self) -> None:
        if self.trancount:
            self.recorder.left_open.append(self.owner or "the loader")
        super().close()

    def do(self, statement: Statement, parameters: Sequence[Any]) -> Answer | None:
        held = frozenset(name for name in self.locks if name.startswith("almanac."))
        recorded = Recorded(self.node, statement, self.trancount, held, len(parameters))
        self.recorder.recorded.append(recorded)
        if statement.words[0] == "ROLLBACK" and any(is_write(Statement(sql, ())) for sql in self.pending):
            self.recorder.left_open.append(self.owner or "the loader")
        answer = super().do(statement, parameters)
        if is_ddl(statement) and self.recorder.answers is not None:
            self.recorder.catalogue.follow(statement)
        return answer

    def holds(self, condition: str) -> bool:
        catalogue = self.recorder.catalogue
        if " and database_principal_id(" in condition:  # nobody has an account here
            return False
        if found := _OBJECT.fullmatch(condition):
            return (plain(found[1]) in catalogue.columns) == bool(found[2])
        if found := _SCHEMA.fullmatch(condition):
            return (found[1] in catalogue.schemas) == bool(found[2])
        if found := _CLUSTERED.fullmatch(condition):
            return not catalogue.is_clustered(plain(found[1]))
        if found := _NAMED.match(condition):
            is_there = found[3] in (catalogue.schemas if found[2] == "schemas" else catalogue.indexes)
            return is_there != bool(found[1])
        return super().holds(condition)

    def answer(self, question: Statement, parameters: Sequence[Any]) -> Answer | None:
        if self.recorder.answers is None:
            return None
        for pattern, answer in self.recorder.answers:
            if found := re.search(pattern, question.sql, re.IGNORECASE | re.DOTALL):
                names, rows = answer(found)
                asked = [column.alias_or_name for column in question.tree.selects]
                assert asked in (list(names), ["*"]), f"{names} is no answer to {question.sql}"
                return names, rows
        self.recorder.unanswered.append(question.sql)
        raise AssertionError(f"what is the answer? {question.sql}")


def is_write(statement: Statement) -> bool:
    """Whether it changes rows."""
    return statement.words[0] in ("INSERT", "UPDATE", "DELETE", "MERGE") and statement.words[1] != "STATISTICS"


def is_ddl(statement: Statement) -> bool:
    """Whether it makes, changes or removes something of the catalogue."""
    words = statement.words
    if statement.sql.lower().endswith(" rebuild"):
        return False
    return (
        words[0] in DDL
        or is_rename(statement)
        or (words[0] in ("SELECT", "WITH") and re.search(r"\binto\b", statement.sql, re.IGNORECASE) is not None)
    )
