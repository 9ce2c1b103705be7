"""What became of each load: the events, replayed up to any moment, give the loads that were active then."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY, Project
from tests.support.effort import PHASES, effort
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products

PAGE = REPOSITORY / "docs" / "reference" / "tables.md"
PERIODS = ("2025-01", "2025-02", "2025-03")
SKUS = ("P1", "P2", "P3")
Action = tuple[str, str, int]
"""What is done, in which period, and to which version, or with how many products."""
Known = dict[tuple[str, int], int]
"""The rows of the active version of each period."""


@dataclass
class Oracle:
    """What is expected, written down by hand: the products of each version, and which is active."""

    versions: dict[str, dict[int, set[str]]] = field(default_factory=lambda: {period: {} for period in PERIODS})
    active: dict[str, int] = field(default_factory=dict)
    gone: set[tuple[str, int]] = field(default_factory=set)
    """Versions that were purged."""

    def follow(self, action: Action) -> None:
        what, period, number = action
        versions = self.versions[period]
        if what == "deliver":
            self.active[period] = len(versions) + 1
            versions[len(versions) + 1] = set(SKUS[:number])
        elif what == "rollback":
            if number in versions and (period, number) not in self.gone:
                self.active[period] = number
            elif number == 0:
                self.active.pop(period, None)
        elif what == "purge key":
            for each in (version for all_of in self.versions.values() for version in all_of.values()):
                each.discard(SKUS[number % 3])
        elif what == "purge before":
            for earlier in PERIODS[: PERIODS.index(period)]:
                self.gone |= {(earlier, each) for each in self.versions[earlier]}
                self.active.pop(earlier, None)
        else:
            self.active.clear()

    def known(self) -> Known:
        return {(period, number): len(self.versions[period][number]) for period, number in self.active.items()}


def follow(shop: Project, action: Action, name: str) -> None:
    """The same with the loader. Each delivery has a name of its own in its rows, so that none is known."""
    what, period, number = action
    match what:
        case "deliver":
            deliver(shop, period, products(*({"sku": sku, "name": name} for sku in SKUS[:number])))
            load(shop, "--period", period, "--force")
        case "rollback":
            done = shop.loader("rollback", "--dataset", "products", "--period", period, "--to", number)
            assert done.exit_code in (0, 2), done.output
        case "purge key":
            assert shop.loader("purge", "--dataset", "products", "--key", SKUS[number % 3], "--yes").exit_code == 0
        case "purge before":
            assert shop.loader("purge", "--dataset", "products", "--before", period, "--yes").exit_code == 0
        case "reset":
            assert shop.loader("reset", "--dataset", "products", "--yes").exit_code == 0


def known_at(shop: Project, moment: dt.datetime) -> Known:
    """What the query of the documentation says of a moment."""
    (query,) = re.findall(r"```sql\n(with until_then.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    rows = shop.sql(query.replace("2025-05-04 00:00:00", f"{moment:%Y-%m-%d %H:%M:%S.%f}"))
    assert {row[0] for row in rows} <= {"products"}
    return {(row[1], row[3]): row[5] for row in rows}


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


periods = st.sampled_from(PERIODS)
action = st.one_of(
    st.tuples(st.just("deliver"), periods, st.integers(1, 3)),
    st.tuples(st.just("rollback"), periods, st.integers(0, 3)),
    st.tuples(st.sampled_from(["purge key", "purge before", "reset"]), periods, st.integers(0, 2)),
)
BACK_AND_FORTH: list[Action] = [
    *(("deliver", "2025-01", number) for number in (3, 2)),
    *(("rollback", "2025-01", number) for number in (1, 0, 2)),
    ("purge key", "2025-01", 0),
    ("reset", "2025-01", 0),
    ("rollback", "2025-01", 1),
    ("purge before", "2025-02", 0),
]
_folders = (f"project_{number}" for number in itertools.count())


@settings(max_examples=effort(1, 60), phases=PHASES, suppress_health_check=list(HealthCheck), print_blob=True)
@given(actions=st.lists(action, min_size=3, max_size=effort(5, 9)))
@example(actions=BACK_AND_FORTH)
def test_the_events_up_to_a_moment_tell_what_was_active(
    engine: Engine, new_project: Callable[..., Project], actions: list[Action]
) -> None:
    shop = prepared(lambda on, folder="": new_project(on, f"{next(_folders)}{folder}"), engine, open_shop)
    oracle = Oracle()
    story = [(now(), oracle.known())]
    for at, one in enumerate(actions):
        follow(shop, one, f"delivery {at}")
        oracle.follow(one)
        story.append((now(), oracle.known()))
    for moment, known in story:
        assert known_at(shop, moment) == known
    happened = shop.sql("select event_id, happened_at, run_id, step from meta.version_event order by event_id")
    assert [row[1] for row in happened] == sorted(row[1] for row in happened)
    assert all(story[0][0] <= row[1] <= story[-1][0] and row[2] for row in happened)
    states = "select load_id, state, row_count from meta.dataset_version order by load_id"
    last = "select max(event_id) from meta.version_event group by load_id"
    replayed = f"select load_id, state, row_count from meta.version_event where event_id in ({last}) order by load_id"
    assert shop.sql(replayed) == shop.sql(states)


def test_a_clock_that_goes_back_does_not_change_the_order(
    engine: Engine, new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = prepared(new_project, engine, open_shop)
    deliver(shop, "2025-01", products("P1"))
    load(shop)
    monkeypatch.setattr("loader.warehouse.version_changes.now", lambda: dt.datetime(2020, 1, 1))
    follow(shop, ("rollback", "2025-01", 0), "")
    assert known_at(shop, now()) == {}
    ((moments,),) = shop.sql("select count(distinct happened_at) from meta.version_event")
    assert moments == 1
