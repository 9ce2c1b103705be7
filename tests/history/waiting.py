"""Sessions that wait for each other, and how a test sees to it that they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.history.warehouse import Warehouse
from tests.support.processes import Process, wait_until


def with_lock_held(
    warehouse: Warehouse,
    start: Callable[[], list[Process]],
    *,
    waiting: int,
    name: str = "people",
    statements: Sequence[str] = (),
    then: Sequence[str] = (),
) -> list[str]:
    """Start builds while another transaction holds the lock of `name`, and commit it when all of them wait.

    `statements` belong to that transaction, `then` when they wait. Returns what the builds said.
    """
    holder = warehouse.connect()
    cursor = holder.cursor()
    cursor.execute(warehouse.locks.of_dataset.format(name))
    for statement in statements:
        cursor.execute(statement)
    processes = start()
    wait_until(lambda: waiting_for(warehouse, warehouse.locks.waiting_for_datasets) == waiting, *processes)
    for statement in then:
        cursor.execute(statement)
    holder.commit()
    holder.close()
    return [process.communicate()[0] for process in processes]


def waiting_for(warehouse: Warehouse, count: str) -> int:
    [(sessions,)] = warehouse.rows(count)
    return int(sessions)
