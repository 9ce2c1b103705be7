"""A session of SQL Server as its documentation has transactions and locks; it keeps statements, and no rows.

Read were SET IMPLICIT_TRANSACTIONS, BEGIN, COMMIT and ROLLBACK TRANSACTION, sp_getapplock, APPLOCK_MODE (Transact-SQL).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mssql_python import ProgrammingError

from tests.support.tsql import CATCH, Statement, statements

Answer = tuple[Sequence[str], Sequence[tuple[Any, ...]]]
"""Names of columns, and rows."""
_BEGINS = re.compile(
    r"(alter table|begin tran|create|delete|drop|fetch|grant|insert|merge|open|revoke|truncate|update"
    r"|select .*\bfrom\b)",
    re.IGNORECASE | re.DOTALL,
)
"""Statements before which an implicit transaction begins; `select` only when it reads a table, `exec` never."""
_CHANGES = re.compile(
    r"(alter|create|delete|drop|insert|merge|truncate|update|exec(ute)? sp_rename|(select|with)\b.*\binto\b)",
    re.IGNORECASE | re.DOTALL,
)
_RESOURCE = re.compile(r"@Resource = N?(?:'([^']+)'|@name)")
_PYFORMAT = re.compile(r"%\((\w+)\)s")
_HELD = re.compile(r"isnull\(applock_mode\('public', N'([^']+)', 'Transaction'\), 'NoLock'\) <> 'Exclusive'")
_COUNTED = re.compile(r"@@trancount (<>|>|=) (\d)", re.IGNORECASE)


@dataclass
class Session:
    """What `mssql_python.connect` returns."""

    autocommit: bool = False
    trancount: int = 0
    locks: set[str] = field(default_factory=set)
    """Of the transaction."""
    pending: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    """What was executed in no transaction."""
    rowcount: int = 1
    """Of the last change."""

    def cursor(self) -> Cursor:
        return Cursor(self)

    def commit(self) -> None:
        """The driver's; with autocommit it does nothing."""
        if not self.autocommit:
            self.execute("if @@trancount > 0 commit transaction")

    def rollback(self) -> None:
        """The driver's."""
        if not self.autocommit:
            self.execute("if @@trancount > 0 rollback transaction")

    def close(self) -> None:
        self._end(kept=False)

    def execute(self, batch: str, parameters: Sequence[Any] = ()) -> Answer | None:
        """The rows of the first question in a batch."""
        answer = None
        for statement in statements(batch):
            if all(self.holds(condition) for condition in statement.conditions):
                answer = answer or self.do(statement, parameters)
        return answer

    def do(self, statement: Statement, parameters: Sequence[Any]) -> Answer | None:
        """Execute one statement."""
        first, second = (*statement.words, "", "")[:2]
        if _BEGINS.match(statement.sql) and not self.autocommit and self.trancount == 0:
            self.trancount = 1
        if second.startswith("TRAN"):
            self._change_level(first)
        elif first == "THROW":
            self._fail(statement.sql)
        elif "sp_getapplock" in statement.sql:
            if "'Transaction'" in statement.sql:
                self.take_lock(_resource(statement, parameters))
        elif _CHANGES.match(statement.sql):
            (self.pending if self.trancount else self.alone).append(statement.sql)
        elif first in ("SELECT", "WITH"):
            return self.answer(statement, parameters)
        return None

    def holds(self, condition: str) -> bool:
        """Whether a condition of `if` is true; variables are the answers of locks, which are granted."""
        count = _COUNTED.fullmatch(condition)
        if count:
            number = int(count[2])
            return {"<>": self.trancount != number, ">": self.trancount > number, "=": self.trancount == number}[
                count[1]
            ]
        if held := _HELD.fullmatch(condition):
            return held[1] not in self.locks
        if re.fullmatch(r"@\w+ < 0", condition) or condition == CATCH:
            return False
        if re.fullmatch(r"@\w+ >= 0", condition):
            return True
        raise AssertionError(f"what is the answer? if {condition}")

    def take_lock(self, name: str) -> None:
        """Take a lock that the transaction owns."""
        if self.trancount == 0:  # it answers -999
            self._fail("the lock was not granted; run the same command again")
        self.locks.add(name)

    def answer(self, question: Statement, parameters: Sequence[Any]) -> Answer | None:
        """What is asked, of what a session knows of itself; all else is 1."""
        if "applock_mode" in question.sql:
            return ["mode"], [("Exclusive" if self.locks else "NoLock",)]
        return ["it"], [("16.0.1000.6" if "serverproperty" in question.sql else 1,)]

    def _change_level(self, word: str) -> None:
        if word == "BEGIN":
            self.trancount += 1
        elif word == "ROLLBACK":
            self._end(kept=False)
        elif self.trancount == 0:
            self._fail("The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION. (3902)")
        elif self.trancount == 1:
            self._end(kept=True)
        else:
            self.trancount -= 1

    def _end(self, *, kept: bool) -> None:
        self.committed += self.pending if kept else []
        self.pending, self.trancount, self.locks = [], 0, set()

    def _fail(self, message: str) -> None:
        """As under XACT_ABORT: an error ends the transaction."""
        self._end(kept=False)
        raise ProgrammingError("the server says", message)


def _resource(statement: Statement, parameters: Sequence[Any]) -> str:
    found = _RESOURCE.search(statement.sql)
    assert found, statement.sql
    return found[1] or str(parameters[0])


@dataclass
class Cursor:
    """One of a session."""

    session: Session
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    description: Any = None
    rowcount: int = 1
    messages: tuple[str, ...] = ()

    def execute(self, batch: str, *parameters: Any, **_: Any) -> None:
        """Parameters come one by one, as a sequence, or by their names."""
        values: Sequence[Any] = parameters
        if len(parameters) == 1 and isinstance(parameters[0], list | tuple):
            values = parameters[0]
        elif len(parameters) == 1 and isinstance(parameters[0], dict):
            values = [parameters[0][name] for name in _PYFORMAT.findall(batch)]
            batch = _PYFORMAT.sub("?", batch)
        answer = self.session.execute(batch, values)
        self.rowcount = self.session.rowcount
        names, rows = answer or ([], [])
        self.rows = list(rows)
        self.description = [(name, str, None, None, None, None, None) for name in names] or None

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        given, self.rows = self.rows[:size], self.rows[size:]
        return given

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self.rows))

    def nextset(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is left open."""

    def setinputsizes(self, *_: Any) -> None:
        """Types are of no interest here."""
