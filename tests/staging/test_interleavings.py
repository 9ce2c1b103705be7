"""Two commands at once, their transactions in any order: the result is that of one after the other."""

from __future__ import annotations

import contextvars
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loader import console
from loader.errors import AlmanacError
from loader.project import Project as Opened
from loader.staging.load import load
from loader.staging.purge.natural_key import NaturalKey
from loader.staging.purge.run import purge
from loader.staging.purge.scope import OfKey
from loader.staging.rollback import rollback
from loader.warehouse import Warehouse
from tests.conftest import Project
from tests.support.effort import PHASES, effort
from tests.support.engines import Engine
from tests.support.shop import archived, assert_stage_is_the_archive, deliver, open_shop, prepared, products, stage
from tests.support.shop import load as load_now

SKUS = ("P1", "P2", "P3", "P4")
Command = Callable[[Opened], list[str]]
"""Does its work; returns what it says of a delivery that it refused."""
PERIOD = "2025-01"


def named(name: str) -> list[Any]:
    return products(*({"sku": sku, "name": name} for sku in SKUS))


def three_versions(shop: Project) -> None:
    """A period of three versions, and two more that wait."""
    open_shop(shop)
    for number in (1, 2, 3):
        deliver(shop, PERIOD, named(f"version {number}"), order=number)
        load_now(shop, "--force")
    for number in (4, 5):
        deliver(shop, PERIOD, [*named("version 3")[:3], *named(f"version {number}")[3:]], order=number)


def load_all(project: Opened) -> list[str]:
    return [line.message for line in load(project).lines if line.result == "refused"]


def roll_back(project: Opened) -> list[str]:
    contract = project.contract("products")
    rollback(project, contract, contract.period(PERIOD))
    return []


def purge_one(project: Opened) -> list[str]:
    contract = project.contract("products")
    purge(project, OfKey(contract, NaturalKey.parse(contract, "P1", project.warehouse.engine)), lambda _: None)
    return []


PAIRS: list[tuple[Command, Command]] = [
    (load_all, load_all),
    (load_all, roll_back),
    (load_all, purge_one),
    (roll_back, roll_back),
]


class Turns:
    """Lets one of two threads work at a time; which one comes next is asked before each transaction."""

    def __init__(self, schedule: list[int]) -> None:
        self._schedule = iter(schedule)
        self._alive = {0, 1}
        self._changed = threading.Condition()
        self._at_work: int | None = None

    def begin(self) -> None:
        with self._changed:
            self._choose()

    def wait(self, mine: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._at_work == mine, timeout=120)

    def pause(self, mine: int) -> None:
        with self._changed:
            self._choose()
        self.wait(mine)

    def end(self, mine: int) -> None:
        with self._changed:
            self._alive.discard(mine)
            self._choose()

    def _choose(self) -> None:
        wanted = next(self._schedule, min(self._alive, default=None))
        self._at_work = wanted if wanted in self._alive else min(self._alive, default=None)
        self._changed.notify_all()


@contextmanager
def stopping_before_transactions(turns: Turns, numbers: dict[int, int]) -> Iterator[None]:
    """Every transaction is asked for; none keeps the warehouse open for the next, as no other process could come in."""
    run, is_ours = Warehouse.run, numbers.get

    def run_in_turn(warehouse: Warehouse, work: Callable[..., Any]) -> Any:
        mine = is_ours(threading.get_ident())
        if mine is not None:
            turns.pause(mine)
        return run(warehouse, work)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Warehouse, "run", run_in_turn)
        patched.setattr(Warehouse, "kept_open", lambda _: nullcontext())
        yield


def at_once(shop: Project, commands: tuple[Command, Command], schedule: list[int]) -> list[str]:
    """Run both, their transactions by the schedule; returns what each said when it could not do its work, or ''."""
    said, turns, numbers = ["", ""], Turns(schedule), dict[int, int]()
    failed: list[BaseException] = []

    def work(mine: int) -> None:
        numbers[threading.get_ident()] = mine
        turns.wait(mine)
        try:
            console.QUIET.set(True)
            said[mine] = "; ".join(commands[mine](Opened.open(shop.root)))
        except AlmanacError as error:
            said[mine] = error.message
        except BaseException as error:  # noqa: BLE001 - a test has to see it
            failed.append(error)
        finally:
            turns.end(mine)

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work, mine)) for mine in (0, 1)]
    with shop._environment(None), stopping_before_transactions(turns, numbers):
        for thread in threads:
            thread.start()
        turns.begin()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    return said


def result(shop: Project) -> Any:
    """What there is then, but for numbers and times."""
    assert_stage_is_the_archive(shop)
    versions = shop.sql(
        "select version_no, state, row_count, parquet_path, purged_at from meta.dataset_version "
        "inner join meta.ingestion_log on dataset_version.file_id = ingestion_log.file_id order by version_no"
    )
    rows = [sorted(str(row) for row in archived(shop, path)) for _, _, _, path, _ in versions]
    known = [(number, state, count, purged is None) for number, state, count, _, purged in versions]
    last = "select max(event_id) from meta.version_event group by load_id"
    events = shop.sql(f"select state, row_count from meta.version_event where event_id in ({last}) order by load_id")
    return stage(shop), known, rows, sorted(events)


_folders = (f"project_{number}" for number in itertools.count())


@settings(max_examples=effort(2, 400), phases=PHASES, suppress_health_check=list(HealthCheck), print_blob=True)
@given(pair=st.sampled_from(PAIRS), schedule=st.lists(st.integers(0, 1), min_size=4, max_size=40))
@example(pair=(load_all, purge_one), schedule=[0] * 9 + [1] * 40)
@example(pair=(load_all, purge_one), schedule=[0] * 13 + [1] * 40)
def test_two_at_once_are_one_after_the_other(
    engine: Engine, new_project: Callable[..., Project], pair: tuple[Command, Command], schedule: list[int]
) -> None:
    def after(commands: tuple[Command, Command], order: list[int]) -> tuple[list[str], Any]:
        shop = prepared(lambda on, folder="": new_project(on, f"{next(_folders)}{folder}"), engine, three_versions)
        if pair != (load_all, load_all):
            (shop.landing / f"products_{PERIOD}_v5.csv").unlink()
        return at_once(shop, commands, order), result(shop)

    said, found = after(pair, schedule)
    many = 100
    # who is refused has changed nothing; of two that load the same, each has its share
    done = [mine for mine in (0, 1) if not said[mine] or pair == (load_all, load_all)]
    assert done, said
    if len(done) == 2:
        orders = [after(pair, [0] * many + [1] * many), after(pair, [1] * many + [0] * many)]
    else:
        assert re.search("meanwhile|no longer|purged on|gone from the archive|the guard refuses", said[1 - done[0]]), (
            said
        )
        orders = [after((pair[done[0]], lambda _: []), [0] * many)]
    assert found in [state for _, state in orders], said
