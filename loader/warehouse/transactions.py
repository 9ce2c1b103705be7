"""Transactions against the warehouse: wait for whoever holds it, repeat what a passing fault interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar, cast

import sqlalchemy
from sqlalchemy import Connection, NullPool, Table, create_engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from loader import console
from loader.disclosure import names_in, without_values
from loader.errors import EnvironmentFailedError
from loader.text import first_line
from loader.warehouse.engines.base import Engine

T = TypeVar("T")
_ATTEMPTS = 5
_AT_ONCE = 1_000
_PATIENCE = 2.0
"""Seconds that a wait for a lock takes before it is told."""


def portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values for as many statements as they need: SQL Server takes 2,100 parameters, and the list may have no end."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


@dataclass
class Warehouse:
    """The warehouse of one target. Connections are opened late and closed early: DuckDB lets in one process."""

    engine: Engine
    lock_timeout: float
    """Seconds to wait for another process."""
    _keeps: bool = field(default=False, init=False, repr=False)
    _kept: Connection | None = field(default=None, init=False, repr=False)
    _has_said_who: bool = field(default=False, init=False, repr=False)
    """Whether it was told that somebody holds the warehouse: once is enough for a command."""

    @cached_property
    def _connections(self) -> sqlalchemy.Engine:
        # closing rolls back; to do so before fails where an error broke the connection, and is told with a traceback
        options = {"poolclass": NullPool, "pool_reset_on_return": None, "hide_parameters": True}
        return create_engine(self.engine.url(), **options)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; commit when it returns, roll back when it raises.

        The whole transaction is repeated when the engine calls its error transient. A commit that was not answered is
        asked for on a new connection, where the engine can tell, and not repeated when it was done.

        Raises:
            EnvironmentFailedError: the warehouse is out of reach, stays locked, or the fault does not pass.
        """
        try:
            return cast("T", self._repeated(self._once, work))
        except DBAPIError as error:
            raise EnvironmentFailedError(self._explain(error)) from error
        except SQLAlchemyError as error:
            raise EnvironmentFailedError(f"the database said: {first_line(error)}") from error

    def lock(self, connection: Connection, name: str) -> None:
        """Take the lock called `name` until the end of the transaction, and say for whom that waits."""
        if self.engine.embedded:
            return
        watch = Timer(_PATIENCE, copy_context().run, (self._say_who_holds_the_lock, name))
        watch.daemon = True  # whoever ends does not wait for its connection
        watch.start()
        try:
            self.engine.lock(connection, name)
        finally:
            watch.cancel()

    def _say_who_holds_the_lock(self, name: str) -> None:
        holder = None
        with suppress(SQLAlchemyError), self._connections.connect() as beside:
            holder = self.engine.holder(beside, name)
        console.note(f"waiting for {name}, which {f'is held by {holder}' if holder else 'another session holds'}")

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Transactions inside follow each other on one connection: to open a file of DuckDB costs more than most.

        Whoever is about to read, clean or gate a file calls `let_go`; the next transaction opens the warehouse again.
        """
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            self.let_go()

    def let_go(self) -> None:
        """Close the connection that was kept open, if one was, for something that takes its time."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @contextmanager
    def uploaded(self, table: Table, parquet: Path, load_id: int) -> Iterator[None]:
        """Bring the rows of a parquet file near the table that a transaction will append them to.

        Raises:
            EnvironmentFailedError: as `run`.
            DataError: a row does not fit the table.
        """
        with ExitStack() as stack:
            try:
                self._repeated(
                    lambda: stack.enter_context(self.engine.uploaded(self._connect, table, parquet, load_id))
                )
            except DataError:
                raise
            except DBAPIError as error:
                raise EnvironmentFailedError(self._explain(error)) from error
            yield

    def reclaim_space(self, tables: Sequence[str]) -> None:
        """Let go of the bytes of deleted rows; `tables` are those that they were deleted from.

        Raises:
            EnvironmentFailedError: as `run`; the rows are deleted all the same.
        """
        try:
            self.engine.reclaim_space(self._connect, tables, self.lock_timeout)
        except DBAPIError as error:
            raise EnvironmentFailedError(self._explain(error)) from error

    def when_free(self, work: Callable[[], T]) -> T:
        """Do what opens the warehouse in its own way; again, while that fails because another process holds it.

        Raises:
            EnvironmentFailedError: the warehouse stays locked. What `work` raises else is left as it is.
        """
        try:
            return self._while_busy()(work)
        except Exception as error:
            holder = self.engine.busy(error)
            if holder is None:
                raise
            raise EnvironmentFailedError(self._stays_locked(holder)) from error

    def _repeated(self, work: Callable[..., Any], *arguments: Any) -> Any:
        repeat = Retrying(
            retry=retry_if_exception(self.engine.transient),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        return repeat(work, *arguments)

    def _once(self, work: Callable[[Connection], T]) -> T:
        if not self._keeps:
            with self._connect() as connection:
                return self._in_transaction(connection, work)
        self._kept = self._kept or self._connect()
        try:
            return self._in_transaction(self._kept, work)
        except BaseException:
            self.let_go()  # the error may have broken it
            raise

    def _in_transaction(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        with connection.begin() as transaction:
            result = work(connection)
            mark = self.engine.transaction_mark(connection)
            try:
                transaction.commit()
            except DBAPIError as error:
                if mark is None or not error.connection_invalidated or not self._was_committed(mark):
                    raise
                self.let_go()
            return result

    def _was_committed(self, mark: str) -> bool:
        """Whether a transaction of which the commit was not answered took place; to repeat it could do it twice."""

        def ask() -> bool | None:
            with self._connect() as connection, connection.begin():
                return self.engine.was_committed(connection, mark, self.lock_timeout)

        try:
            found: bool | None = self._repeated(ask)
        except DBAPIError:
            found = None
        if found is None:
            raise EnvironmentFailedError(
                "the connection was lost in a commit, and the server does not say whether it was done; run the same "
                "command again: it does what is left to do"
            )
        return found

    def _connect(self) -> Connection:
        return self._while_busy()(self._connections.connect)

    def _while_busy(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(lambda error: self.engine.busy(error) is not None),
            stop=stop_after_delay(self.lock_timeout),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            before_sleep=self._say_who_holds_it,
            reraise=True,
        )

    def _say_who_holds_it(self, state: RetryCallState) -> None:
        if state.attempt_number == 3 and state.outcome is not None and not self._has_said_who:
            self._has_said_who = True
            holder = self.engine.busy(state.outcome.exception() or Exception())
            console.note(f"the warehouse is in use by {holder}; waiting up to {self.lock_timeout:.0f} s")

    def _explain(self, error: DBAPIError) -> str:
        holder = self.engine.busy(error)
        if holder is not None:
            return self._stays_locked(holder)
        message = first_line(error)
        if error.statement is not None and not isinstance(error, OperationalError):  # it may quote a cell
            message = without_values(message, names_in(error.statement))
        host = self.engine.url().host
        is_unnamed = error.statement is None and host is not None and host not in message  # it could not be reached
        return f"the database said: {f'{host}: ' if is_unnamed else ''}{message}"

    def _stays_locked(self, holder: str) -> str:
        return (
            f"the warehouse has been in use by {holder} for more than {self.lock_timeout:.0f} s; "
            "wait until it is done or stop it, then run the same command again"
        )
