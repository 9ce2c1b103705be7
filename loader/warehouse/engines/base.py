"""What the steps need of an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from sqlalchemy import URL, Connection, Dialect, Table

from loader.errors import UsageError
from loader.warehouse.engines.types import plain_script
from loader.warehouse.profile import Target

if TYPE_CHECKING:
    from loader.warehouse.engines.duckdb_export import Exported


def lock_name(name: str) -> str:
    """What a lock is called in the database; dbt takes the same locks."""
    return f"almanac.{name}"


class Engine(Protocol):
    """A place where the warehouse lives. What has a body here holds for an engine that says nothing else."""

    type_words: ClassVar[Mapping[str, str]]
    """What its catalog and its DDL call the types of a contract, where that is another word."""

    grammar: ClassVar[str]
    """What `sqlglot` calls its SQL."""

    copied_by: ClassVar[str] = ""
    """What of a server makes a copy of its database."""

    @staticmethod
    def dialect() -> Dialect:
        """Of SQLAlchemy, for statements that are written without a connection."""

    @staticmethod
    def stage_tables(stage: Table) -> list[Table]:
        """A stage table, with an index of its periods where one serves, and the tables that come with it."""

    @staticmethod
    def script(statements: Iterable[str]) -> str:
        """Statements as a script for the tools of the engine."""
        return plain_script(statements)

    @staticmethod
    def other_texts(value: object) -> Sequence[str]:  # noqa: ARG004
        """What a cast to text makes of a value, where neither Python nor Arrow would write it so."""
        return ()

    @classmethod
    def of(cls, target: Target, project_dir: Path) -> Self:
        """The engine of a target; raises UsageError when it cannot be used."""

    @property
    def name(self) -> str:
        """The dbt type of the target."""

    @property
    def embedded(self) -> bool:
        """True when the warehouse is a file of this project, so that the loader may set it up by itself."""

    def url(self) -> URL:
        """The address for SQLAlchemy; its repr hides the password."""

    def reading_url(self) -> URL:
        """The address as Great Expectations can use it; reads only where the engine can promise that."""
        return self.url()

    def lack_of_patterns(self, connection: Connection) -> str | None:
        """Why `regexp_like` cannot be asked; None when it can. Ends the transaction of the connection."""

    def lock(self, connection: Connection, name: str) -> None:
        """Take the lock called `name` until the end of the transaction; waits for whoever holds it."""

    def holder(self, connection: Connection, name: str) -> str | None:  # noqa: ARG002
        """Who holds the lock called `name`, as far as this account may see it: a program and its session."""
        return None

    def uploaded(
        self,
        connect: Callable[[], Connection],  # noqa: ARG002
        table: Table,  # noqa: ARG002
        parquet: Path,  # noqa: ARG002
        load_id: int,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """While it lasts, the rows of a parquet file lie near the table, for `append_parquet` to take them in.

        Nothing to do for engines whose transactions can take them from the file. `connect` opens the warehouse;
        `load_id` is the mark of the rows. Nothing of them stays behind, or the next load removes it.
        """
        return nullcontext()

    def append_parquet(self, connection: Connection, table: Table, parquet: Path, constants: dict[str, object]) -> int:
        """Append the rows of a parquet file, with the same `constants` in each row; returns their number.

        Columns of the table that the file lacks stay NULL. Joins the connection's transaction, inside `uploaded`.
        """

    def as_owner(self, connection: Connection, table: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """While it lasts, the connection may do to a table what its owner may, where the roles allow that."""
        return nullcontext()

    def lacking_rights(
        self,
        connection: Connection,  # noqa: ARG002
        needed: Mapping[str, Sequence[str]],  # noqa: ARG002
        sequences: Sequence[str],  # noqa: ARG002
    ) -> Sequence[str]:
        """Which of the rights on tables that are `needed`, or to take numbers of `sequences`, the account has not.

        Each is `insert on stage.members` and the like. None where there are no accounts.
        """
        return ()

    def views_on(self, connection: Connection, table: str, column: str) -> Sequence[str]:  # noqa: ARG002
        """What else in the database hinders that the type of a column changes: views, by schema and name."""
        return ()

    def busy(self, error: BaseException) -> str | None:  # noqa: ARG002
        """Who holds the warehouse, when `error` says that somebody else does; else None."""
        return None

    def reclaim_space(self, connect: Callable[[], Connection], tables: Sequence[str], timeout: float) -> None:
        """Let go of the bytes of rows that are deleted already, as far as the engine can.

        `connect` opens the warehouse, and waits for whoever holds it; `tables` are those that rows were deleted from,
        for engines that do it table by table; `timeout` is how many seconds to wait for those who may still read the
        rows. Nobody else may write meanwhile.
        """

    def export(self, fresh: Path, schemas: Collection[str], storage_version: str | None) -> Exported:  # noqa: ARG002
        """Copy an embedded warehouse to the file `fresh`, as `duckdb_export` has it; raises UsageError on a server."""
        raise UsageError(
            f"`loader export` copies the file of an embedded warehouse; on {self.name} any client reads while a build "
            f"writes, and {self.copied_by} makes a copy"
        )

    def release_dbt(self) -> None:
        """Let go of what dbt's adapter still holds after a run in this process."""

    def transaction_mark(self, connection: Connection) -> str | None:  # noqa: ARG002
        """By what `was_committed` knows the transaction; None when it wrote nothing, or the engine cannot tell."""
        return None

    def was_committed(self, connection: Connection, mark: str, timeout: float) -> bool | None:
        """Whether a transaction that lost its connection took place; None when that is open after `timeout` seconds."""

    def transient(self, error: BaseException) -> bool:
        """Whether the same transaction may well succeed when it is repeated."""

    def is_deadlock(self, message: str) -> bool:
        """Whether what dbt says of a failed node tells that it was the victim of a deadlock."""
