"""Every step runs in one audited context: `meta.etl_audit`, the console and the JSON log tell the same story."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from loader.errors import AlmanacError, RefusedError
from loader.warehouse import Warehouse
from loader.warehouse.meta import audit_ids, etl_audit, now

RUN_ID = uuid.uuid4().hex
"""One id for everything that this process does."""


@dataclass
class Step:
    """One run of one step; the step fills in the rows."""

    audit_id: int
    started: float
    rows_in: int | None = None
    rows_out: int | None = None
    ended: dict[str, Any] = field(default_factory=dict)
    """How it ended; empty while it runs."""

    def end(self, connection: Connection) -> None:
        """Record that all went well; a step calls it in the transaction of its result, so that both stand or none."""
        self.say_how_it_ended("done")
        self.record_end(connection)

    def say_how_it_ended(self, status: str, error: str | None = None) -> None:
        """Keep status, rows and seconds; `record_end` writes them."""
        self.ended = {
            "status": status,
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "duration_seconds": round(time.perf_counter() - self.started, 3),
            "error": error,
        }

    def record_end(self, connection: Connection) -> None:
        """Write how the step ended, in the transaction of the caller."""
        this = update(etl_audit).where(etl_audit.c.audit_id == self.audit_id)
        connection.execute(this.values(ended_at=now(), **self.ended))


@dataclass(frozen=True)
class Auditor:
    """Writes the audit of one project."""

    warehouse: Warehouse
    log_dir: Path
    log_level: str

    @contextmanager
    def step(
        self, name: str, *, dataset: str | None = None, period: str | None = None, subject: str | None = None
    ) -> Iterator[Step]:
        """Record start and end of a step, unless it recorded its end itself; an error goes on its way.

        `status` ends as `done`, `refused` (the data was at fault), or `failed`. A step of a process that died is
        found as `running` and set to `interrupted` by the next step that starts on the same host.
        """
        fields = {"step": name, "dataset": dataset, "data_period": period, "subject": subject}
        audit_id = self.warehouse.run(lambda connection: self._start(connection, fields))
        self._log("started", **fields)
        step = Step(audit_id, time.perf_counter())
        try:
            yield step
            if not step.ended:
                self.warehouse.run(step.end)
        except BaseException as error:
            status = "refused" if isinstance(error, RefusedError) else "failed"
            reason = error.message if isinstance(error, AlmanacError) else type(error).__name__
            step.say_how_it_ended(status, reason)
            with suppress(AlmanacError):  # the error that ended the step is the one to show
                self.warehouse.run(step.record_end)
            raise
        finally:
            self._log("ended", **fields, **step.ended)

    def _start(self, connection: Connection, fields: dict[str, Any]) -> int:
        _mark_interrupted(connection)
        audit_id = int(connection.execute(select(audit_ids.next_value())).scalar_one())
        where = {"host": socket.gethostname(), "pid": os.getpid()}
        row = {
            "audit_id": audit_id,
            "run_id": RUN_ID,
            "status": "running",
            "started_at": now(),
            **fields,
            **where,
        }
        connection.execute(insert(etl_audit).values(row))
        return audit_id

    def _log(self, event: str, **fields: Any) -> None:
        """One JSON line: steps at INFO, refusals at WARNING, failures at ERROR."""
        import structlog

        self.log_dir.mkdir(parents=True, exist_ok=True)
        level = {"refused": "warning", "failed": "error"}.get(fields.get("status", ""), "info")
        with (self.log_dir / f"almanac-{now():%Y-%m-%d}.jsonl").open("a", encoding="utf-8") as file:
            logger = structlog.wrap_logger(
                structlog.WriteLogger(file),
                processors=[
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.JSONRenderer(default=str),
                ],
                wrapper_class=structlog.make_filtering_bound_logger(self.log_level),
            )
            known = {name: value for name, value in fields.items() if value is not None}
            getattr(logger, level)(event, run_id=RUN_ID, **known)


def _mark_interrupted(connection: Connection) -> None:
    """Steps that this host left `running` and whose process is gone were killed."""
    import psutil

    audit = etl_audit.c
    others = (audit.status == "running") & (audit.host == socket.gethostname()) & (audit.run_id != RUN_ID)
    for step in connection.execute(select(audit.audit_id, audit.pid).where(others)).all():
        # in a container every run has the same number
        if step.pid == os.getpid() or not psutil.pid_exists(step.pid):
            ended = update(etl_audit).where(audit.audit_id == step.audit_id)
            connection.execute(ended.values(status="interrupted", ended_at=now()))
