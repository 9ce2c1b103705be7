"""Audit: meta, console and JSON logs tell the same of every step, and nothing personal."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Project
from tests.support.deliveries import write_csv
from tests.support.engines import Engine
from tests.support.shop import ANY_PRODUCT, deliver, everything, load, open_shop, prepared, products

SECRET = "Geheimnis"


@pytest.fixture
def shop(engine: Engine, new_project: Callable[..., Project]) -> Project:
    return prepared(new_project, engine, open_shop)


def steps(project: Project) -> list[tuple[Any, ...]]:
    """(step, period, subject, status, rows in, rows out, error) of every step, in order."""
    columns = "step, data_period, subject, status, rows_in, rows_out, error"
    return project.sql(f"select {columns} from meta.etl_audit order by audit_id")


def log(project: Project) -> list[dict[str, Any]]:
    """The JSON log, which parses line by line."""
    (path,) = (project.root / "data" / "logs").glob("almanac-*.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_step_leaves_a_row(shop: Project) -> None:
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    deliver(shop, "2025-01", products("P1", "P2"))
    load(shop)
    file = "products_2025-01.csv"
    assert steps(shop) == [
        ("ingest", "2025-01", file, "done", None, None, None),
        ("validate", "2025-01", file, "done", 2, 2, None),
        ("gate", "2025-01", file, "done", None, None, None),
        ("load-stage", "2025-01", file, "done", 2, 2, None),
    ]
    columns = "dataset, host, pid, duration_seconds, started_at, ended_at, run_id"
    rows = shop.sql(f"select {columns} from meta.etl_audit order by audit_id")
    for dataset, host, pid, seconds, started, ended, _ in rows:
        assert (dataset, host, pid) == ("products", socket.gethostname(), os.getpid())
        assert 0 <= seconds <= 600
        assert before <= started <= ended <= dt.datetime.now(dt.UTC).replace(tzinfo=None)
    assert len({run_id for *_, run_id in rows}) == 1


def test_the_log_tells_the_same(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1", "P2"))
    deliver(shop, "2025-02", products({"sku": "P1", "price": "cheap"}))
    load(shop, refused=True)
    lines = log(shop)
    ended = [line for line in lines if line["event"] == "ended"]
    names = ("step", "data_period", "subject", "status", "rows_in", "rows_out", "error")
    assert [tuple(line.get(name) for name in names) for line in ended] == steps(shop)
    assert [line["event"] for line in lines] == ["started", "ended"] * len(ended)
    ((run_id,),) = shop.sql("select distinct run_id from meta.etl_audit")
    assert {line["run_id"] for line in lines} == {run_id}
    assert all(dt.datetime.fromisoformat(line["timestamp"]).tzinfo == dt.UTC for line in lines)


def test_refused_and_failed_steps_say_why(shop: Project) -> None:
    deliver(shop, "2025-01", [{"sku": "P1", "number": "1"}])
    deliver(shop, "2025-02", products({"sku": "P1", "price": "cheap"}))
    deliver(shop, "2025-03", products("P1", "P2", "P3"))
    deliver(shop, "2025-04", products("P9"))
    load(shop, refused=True)
    shop.loader("rollback", "--dataset", "products", "--period", "2025-07")
    ends = {(step, period): (status, error) for step, period, _, status, _, _, error in steps(shop)}
    for step, status, reason in (
        (("ingest", "2025-01"), "refused", "unknown: number"),
        (("validate", "2025-02"), "refused", "1 of 1 rows are invalid"),
        (("load-stage", "2025-04"), "refused", "the guard refuses this delivery"),
        (("rollback", "2025-07"), "failed", "was never loaded"),
    ):
        assert ends[step][0] == status
        assert reason in ends[step][1]
    columns = "gate, status, rows_read, rows_rejected"
    assert shop.sql(f"select {columns} from meta.validation_log order by validation_id") == [
        ("contract", "refused", 1, 1),
        ("contract", "passed", 3, 0),
        ("contract", "passed", 1, 0),
    ]


def test_nothing_personal_is_told(shop: Project) -> None:
    """Personal values are in stage, in the archive and in the rejects file only."""
    texts = []
    deliver(shop, "2025-01", products("P1", "P2", {"sku": "P3", "buyer": f"{SECRET} is too long"}))
    texts.append(load(shop, refused=True))
    deliver(shop, "2025-01", products("P1", "P2"))
    texts.append(load(shop))
    path = deliver(shop, "2025-02", products({"sku": "P1", "buyer": f"{SECRET}2"}, {"sku": "P2", "buyer": ""}))
    texts += [shop.loader("plan", path, *more).output for more in ((), ("--json",))]
    texts.append(load(shop, refused=True))
    write_csv(shop.landing / "products_2025-03.csv", [], header=list(ANY_PRODUCT.values()))  # the header was left out
    texts.append(load(shop, "--period", "2025-03", refused=True))
    for command in ("status", "status --json", "versions --dataset products"):
        texts.append(shop.loader(*command.split()).output)
    assert [text for text in texts if SECRET in text] == []
    assert [name for name, rows in everything(shop).items() if SECRET in repr(rows)] == ["stage.products"]
    ours = [folder for folder in (shop.root / "data").iterdir() if folder.name != "landing"]
    written = [path for folder in ours for path in folder.rglob("*.*") if path.suffix in (".csv", ".jsonl", ".log")]
    assert {path.parent.name for path in written if SECRET in path.read_text(encoding="utf-8")} == {"rejects"}


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process in an orderly way")
def test_a_killed_step_is_marked_by_the_next_one(shop: Project) -> None:
    deliver(shop, "2025-01", products("P1"))
    process = shop.start_loader("load")
    while process.poll() is None and not _gate_begun(shop):
        time.sleep(0.02)  # the gate takes seconds: it imports Great Expectations
    process.kill()
    process.communicate()
    assert steps(shop)[-1][:4] == ("gate", "2025-01", "products_2025-01.csv", "running")
    assert shop.loader("status", "--json").json[0]["state"] == "running"
    load(shop)
    ended = "select status, pid from meta.etl_audit where status <> 'done' and ended_at is not null"
    assert shop.sql(ended) == [("interrupted", process.pid)]
    assert [status for _, _, _, status, *_ in steps(shop)][2:] == ["interrupted"] + ["done"] * 4


def _gate_begun(project: Project) -> bool:
    logs = list((project.root / "data" / "logs").glob("*.jsonl"))
    return bool(logs) and '"step": "gate"' in logs[0].read_text(encoding="utf-8")
