"""The locks of a server in its own words: what tests hold, and whom they see wait."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = "delete from {}"
"""Keeps everybody from changing the rows of a table, until it is rolled back."""


@dataclass(frozen=True)
class Locks:
    """Statements of one engine."""

    of_dataset: str
    """Takes the lock of the dataset `{}`, as the loader and dbt do."""
    waiting_for_datasets: str
    """Counts the sessions of this database that wait for a dataset."""
    waiting_for_rows: str
    """Counts the sessions of this database that wait for rows."""
    ending_those: str
    """Gives the statements that end the sessions that wait for rows."""
    never_the_victim: str
    """Makes the engine choose the other side of a deadlock."""


def _waiting_on_postgres(kinds: str, what: str = "count(*)") -> str:
    return (
        f"select {what} from pg_locks inner join pg_stat_activity using (pid)"
        f" where datname = current_database() and not granted and locktype in ({kinds})"
    )


def _waiting_on_sqlserver(kinds: str, what: str = "count(*)") -> str:
    return (
        f"select {what} from sys.dm_tran_locks"
        f" where request_status = 'WAIT' and resource_database_id = db_id() and resource_type in ({kinds})"
    )


LOCKS = {
    "postgres": Locks(
        of_dataset="select pg_advisory_xact_lock(hashtextextended('almanac.{}', 0))",
        waiting_for_datasets=_waiting_on_postgres("'advisory'"),
        waiting_for_rows=_waiting_on_postgres("'transactionid', 'tuple'"),
        ending_those=_waiting_on_postgres(
            "'transactionid', 'tuple'", "distinct concat('select pg_terminate_backend(', pid, ', 10000)')"
        ),
        never_the_victim="set deadlock_timeout = '1h'",
    ),
    "sqlserver": Locks(
        of_dataset=(
            "exec sp_getapplock @Resource = N'almanac.{}', @LockMode = 'Exclusive', @LockOwner = 'Transaction',"
            " @LockTimeout = -1"
        ),
        waiting_for_datasets=_waiting_on_sqlserver("'APPLICATION'"),
        waiting_for_rows=_waiting_on_sqlserver("'OBJECT', 'PAGE', 'RID', 'KEY'"),
        ending_those=_waiting_on_sqlserver(
            "'OBJECT', 'PAGE', 'RID', 'KEY'", "distinct concat('kill ', request_session_id)"
        ),
        never_the_victim="set deadlock_priority high",
    ),
}
