"""A session of SQL Server as its documentation has transactions and locks; it keeps statements, and no rows.

Read were SET IMPLICIT_TRANSACTIONS, BEGIN, COMMIT and ROLLBACK TRANSACTION, sp_getapplock, APPLOCK_MODE (Transact-SQL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mssql_python import ProgrammingError

_BEGINS = re.compile(
    r"\s*(alter table|begin tran|create|delete|drop|fetch|grant|insert|merge|open|revoke|select .*\bfrom\b|truncate"
    r"|update)",
    re.IGNORECASE | re.DOTALL,
)
"""Statements before which an implicit transaction begins; `select` only when it reads a table, `exec` never."""
_CHANGES = re.compile(r"\s*(alter|create|delete|drop|insert|truncate|update)", re.IGNORECASE)
_CONDITION = re.compile(r"if @@trancount (?P<sign><>|>) (?P<number>\d) (?P<then>.*)", re.DOTALL)


@dataclass
class Session:
    """What `mssql_python.connect` returns."""

    autocommit: bool = False
    trancount: int = 0
    lock: str = "NoLock"
    pending: list[str] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    """What was executed in no transaction."""

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

    def execute(self, statement: str) -> tuple[Any, ...] | None:
        """The first row, of a question."""
        if _BEGINS.match(statement) and not self.autocommit and self.trancount == 0:
            self.trancount = 1
        condition = _CONDITION.search(statement)
        if condition and self._holds(condition) and condition["then"].startswith("throw"):
            self._fail("a lock needs exactly one open transaction")
        if condition and condition.start() == 0:
            statement = condition["then"] if self._holds(condition) else ""
        if statement.endswith(" transaction"):
            self._change_level(statement.split()[0])
        elif "sp_getapplock" in statement:
            self._lock()
        elif _CHANGES.match(statement):
            (self.pending if self.trancount else self.alone).append(statement)
        elif statement.startswith(("select", "SELECT")):
            return (self._answer(statement),)
        return None

    def _holds(self, condition: re.Match[str]) -> bool:
        number = int(condition["number"])
        return self.trancount != number if condition["sign"] == "<>" else self.trancount > number

    def _change_level(self, word: str) -> None:
        if word == "begin":
            self.trancount += 1
        elif word == "rollback":
            self._end(kept=False)
        elif self.trancount == 0:
            self._fail("The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION. (3902)")
        elif self.trancount == 1:
            self._end(kept=True)
        else:
            self.trancount -= 1

    def _lock(self) -> None:
        if self.trancount == 0:  # it answers -999
            self._fail("the lock was not granted; run the same command again")
        self.lock = "Exclusive"

    def _answer(self, question: str) -> str | int:
        if "applock_mode" in question:
            return self.lock
        return "16.0.1000.6" if "serverproperty" in question else 1

    def _end(self, *, kept: bool) -> None:
        self.committed += self.pending if kept else []
        self.pending, self.trancount, self.lock = [], 0, "NoLock"

    def _fail(self, message: str) -> None:
        """As under XACT_ABORT: an error ends the transaction."""
        self._end(kept=False)
        raise ProgrammingError("the server says", message)


@dataclass
class Cursor:
    """One of a session; it has one row at most."""

    session: Session
    row: tuple[Any, ...] | None = None
    description: Any = None
    rowcount: int = 1
    messages: tuple[str, ...] = ()

    def execute(self, statement: str, *_: Any, **__: Any) -> None:
        self.row = self.session.execute(statement.strip())
        self.description = [("it", str, None, None, None, None, None)] if self.row else None

    def fetchone(self) -> tuple[Any, ...] | None:
        row, self.row = self.row, None
        return row

    def close(self) -> None:
        """Nothing is left open."""

    def setinputsizes(self, *_: Any) -> None:
        """Types are of no interest here."""
