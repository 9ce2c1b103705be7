"""Two loads at once, one overtaken by the other after it has validated: what was decided is decided again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import loader.staging.load as loading
import loader.staging.validate as validating
from tests.conftest import Project
from tests.support.engines import Engine
from tests.support.shop import deliver, load, open_shop, prepared, products, skus, states

SAME = ("A1", "A2", "A3")
Overtake = Callable[[Callable[[], object]], None]


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


@pytest.fixture
def overtake(monkeypatch: pytest.MonkeyPatch) -> Overtake:
    """Does something else once, when the next delivery has been validated and before it is loaded."""

    def once(work: Callable[[], object]) -> None:
        validate = loading.validate

        def validate_and_wait(*args: Any, **options: Any) -> Any:
            validated = validate(*args, **options)
            monkeypatch.setattr(loading, "validate", validate)
            work()
            return validated

        monkeypatch.setattr(loading, "validate", validate_and_wait)

    return once


def test_a_file_that_was_overwritten_and_loaded_stays(shop: Project, overtake: Overtake) -> None:
    deliver(shop, "2025-01", products(*SAME, "P1"))

    def other() -> None:
        deliver(shop, "2025-01", products(*SAME, "P2"))
        load(shop)

    overtake(other)
    output = load(shop, refused=True)
    assert "the file is no longer the one that was ingested" in output
    assert skus(shop) == [*SAME, "P2"]
    assert "0 loaded, 0 refused" in load(shop)


def test_an_older_file_does_not_replace_a_newer_one_that_came_meanwhile(shop: Project, overtake: Overtake) -> None:
    deliver(shop, "2025-01", products(*SAME, "P1"), order=1)

    def other() -> None:
        load(shop, "--file-path", deliver(shop, "2025-01", products(*SAME, "P2"), order=2))

    overtake(other)
    output = load(shop, "--period", "2025-01")
    assert "is older than the active" in output
    assert "1 loaded" not in output
    assert skus(shop) == [*SAME, "P2"]


def test_an_older_file_that_was_named_is_loaded(shop: Project, overtake: Overtake) -> None:
    path = deliver(shop, "2025-01", products(*SAME, "P1"), order=1)

    def other() -> None:
        load(shop, "--file-path", deliver(shop, "2025-01", products(*SAME, "P2"), order=2))

    overtake(other)
    load(shop, "--file-path", path, "--force")
    assert skus(shop) == [*SAME, "P1"]


def test_two_loads_of_the_same_files_load_each_once(shop: Project, overtake: Overtake) -> None:
    deliver(shop, "2025-01", products(*SAME, "P1"), order=1)
    deliver(shop, "2025-01", products(*SAME, "P2"), order=2)
    overtake(lambda: load(shop))
    output = load(shop)
    assert "0 loaded, 0 refused, 2 unchanged" in output
    assert states(shop, "2025-01") == ["superseded", "active"]
    assert skus(shop) == [*SAME, "P2"]


def test_a_file_that_is_gone_when_it_was_read_is_refused(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell whether the bytes that were read are those that were recorded."""
    path = deliver(shop, "2025-01", products(*SAME))
    clean = validating.clean_delivery

    def clean_and_remove(*args: Any, **options: Any) -> Any:
        cleaned = clean(*args, **options)
        path.unlink()
        return cleaned

    monkeypatch.setattr(validating, "clean_delivery", clean_and_remove)
    assert "cannot be read" in load(shop, refused=True)
    assert skus(shop) == []


def test_a_file_that_was_moved_away_after_it_was_validated_is_loaded(shop: Project, overtake: Overtake) -> None:
    path = deliver(shop, "2025-01", products(*SAME))
    overtake(path.unlink)
    load(shop)
    assert skus(shop) == [*SAME]
