"""Load: ingest, validate and load-stage in one, for what has landed; one bad file does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from loader import console
from loader.contracts import Contract
from loader.errors import AlmanacError, RefusedError
from loader.project import Project
from loader.staging.earlier_reader import note_earlier_reader, of_earlier_reader
from loader.staging.guard import GuardRefusedError
from loader.staging.ingest import Ingested, ingest
from loader.staging.landing import look, look_at, name_in_landing
from loader.staging.landing_folder import files_missed
from loader.staging.load_stage import Loaded, Unchanged, load_stage
from loader.staging.older_contracts import as_json as older_as_json
from loader.staging.older_contracts import note_older_contracts, of_older_contracts
from loader.staging.period_within import keep_periods
from loader.staging.selection import Candidate, select
from loader.staging.sources import Place, Source
from loader.staging.unknown_files import UnknownFile, tell
from loader.staging.validate import ensure_suite, take_up, validate
from loader.staging.validation_record import Validated
from loader.text import plural
from loader.warehouse.rights import refuse_missing_rights
from loader.warehouse.versions import words_of_unknown

Result = Literal["loaded", "refused", "unchanged"]


@dataclass
class Line:
    """What became of one delivery."""

    file: str
    dataset: str | None
    period: str | None
    result: Result
    message: str
    rows: int | None = None
    rejected: int | None = None
    dropped: int | None = None
    unknown_keys: int | None = None
    """Keys that only rejected rows have, of which it says nothing."""
    unreadable_keys: int | None = None
    """Rejected rows without a readable key: above 0, it is incomplete."""
    notes: dict[str, int] = field(default_factory=dict)
    """What is told of it beside its rejected rows, and how often."""
    same_bytes: str | None = None
    """Which load of another period has the bytes of its file, in words that follow its name."""
    seconds: float = 0.0
    checks: list[dict[str, Any]] = field(default_factory=list)
    """Of its gate those that failed."""
    guarded: str | None = None
    """What the guard compared it with, when that refused it; not for programs, which have the message."""

    def as_json(self) -> dict[str, Any]:
        """The line as `--json` prints it."""
        return {name: value for name, value in asdict(self).items() if name != "guarded"}


@dataclass
class Report:
    """What became of all deliveries of a command."""

    lines: list[Line] = field(default_factory=list)
    older_contract: list[Source] = field(default_factory=list)
    """What stage still holds as an older contract read it, of what was asked for."""
    unknown: list[UnknownFile] = field(default_factory=list)
    """Files in the landing folder that no contract knows."""
    earlier_reader: dict[str, int] = field(default_factory=dict)
    """How many loads of each dataset an earlier reader has read."""
    missed: int = 0
    """Files that were read from the landing folder before, when nothing at all is in it."""
    seconds: float = 0.0

    def count(self, result: Result) -> int:
        """How many deliveries ended with this result."""
        return sum(line.result == result for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """The report as `--json` prints it."""
        counts = {result: self.count(result) for result in ("loaded", "refused", "unchanged")}  # type: ignore[arg-type]
        return {
            **counts,
            "missed": self.missed,
            "seconds": round(self.seconds, 3),
            "files": [line.as_json() for line in self.lines],
            "unknown": [one.as_json() for one in self.unknown],
            "earlier_reader": self.earlier_reader,
            "older_contract": [older_as_json(source) for source in self.older_contract],
        }

    def exit_code(self, *, strict: bool) -> int:
        """1 when a delivery was refused, or, if it is `strict`, a file is known to no contract; else 0."""
        return int(self.count("refused") > 0 or (strict and bool(self.unknown)))

    @property
    def closing_line(self) -> str:
        """Numbers of deliveries, rows and seconds in one line."""
        counts = [
            f"{self.count('loaded')} loaded",
            f"{self.count('refused')} refused",
            f"{self.count('unchanged')} unchanged",
            *([f"{len(self.unknown)} unknown"] if self.unknown else []),
        ]
        rows = sum(line.rows or 0 for line in self.lines if line.result == "loaded")
        return f"{', '.join(counts)}; {rows:,} rows in {self.seconds:.1f} s"


def load(
    project: Project,
    *,
    period: str | None = None,
    dataset: str | None = None,
    file_path: Path | None = None,
    force: bool = False,
) -> Report:
    """Load what has landed for a period, or all that is new, or one file; an embedded warehouse is made ready first.

    Raises:
        UsageError: nothing has landed for what was asked, or the names in the question are unknown.
        EnvironmentFailedError: the landing folder is not there, the database or the disk failed; what was loaded before
            stays loaded.
    """
    started = time.perf_counter()
    report = Report()
    with project.warehouse.kept_open():
        for line in _load_each(project, period, dataset, file_path, force, report):
            report.lines.append(line)
            _show(line, verbose=period is not None or file_path is not None)
        for line in _load_older(project, period, dataset, force, report) if file_path is None else ():
            report.lines.append(line)
            _show(line, verbose=True)
    tell(report.unknown)
    _tell_of_breaks(report.lines)
    report.seconds = time.perf_counter() - started
    return report


def _load_each(
    project: Project, period: str | None, dataset: str | None, file_path: Path | None, force: bool, report: Report
) -> Iterator[Line]:
    if file_path is None:
        landing = look(project, dataset, period)
        report.missed, report.unknown = files_missed(project), landing.unknown
    else:
        landing = look_at(project, file_path, dataset, period)
    keep_periods(project)
    for path in landing.refused:
        project.ensure_migrated()
        try:
            ingest(project, path)
        except RefusedError as error:
            yield Line(name_in_landing(project, path), None, None, "refused", error.message)
    selected = select(project, landing.deliveries, force=force, named=file_path is not None)
    due = {one.landed.contract.name: one.landed.contract for one in selected if not (one.unchanged or one.refusal)}
    ensure_loadable(project, list(due.values()))
    for candidate in selected:
        yield load_one(project, candidate, force)


def _load_older(
    project: Project, period: str | None, dataset: str | None, force: bool, report: Report
) -> Iterator[Line]:
    """Load again what an older contract read and only the archive has kept; the rest is reported."""
    for source in of_older_contracts(project, dataset, period):
        if source.place is Place.KEPT:
            line = load_one(project, Candidate.of(source), force)
            yield line
            if line.result == "loaded":
                continue
        report.older_contract.append(source)
    note_older_contracts(one for one in report.older_contract if one.place not in (Place.LANDED, Place.KEPT))
    report.earlier_reader = of_earlier_reader(project, dataset)
    note_earlier_reader(report.earlier_reader)


def ensure_loadable(project: Project, contracts: Sequence[Contract]) -> None:
    """Say what keeps deliveries from being loaded before one is read.

    Raises:
        UsageError: a dataset has no stage suite.
        EnvironmentFailedError: the account of the loader may not write.
    """
    for contract in contracts:
        ensure_suite(project, contract)
    if contracts:
        project.warehouse.run(lambda c: refuse_missing_rights(c, project.warehouse.engine, contracts))


def load_one(project: Project, candidate: Candidate, force: bool, *, anew: bool = False) -> Line:
    """Load one delivery; whatever is wrong with the delivery itself ends in its line, not in an exception.

    A validation that passed and came to no load is taken up, unless the delivery is to be read `anew`, or is forced.
    """
    landed = candidate.landed
    line = Line(landed.name, landed.contract.name, landed.period.name, "unchanged", candidate.unchanged or "")
    if candidate.unchanged:
        return line
    started = time.perf_counter()
    try:
        with refusing_the_unforeseen(line.file), candidate.ingested(project) as delivery:
            if candidate.refusal:
                _refuse(project, delivery, candidate.refusal)
            validated = None if force or anew else take_up(project, delivery)
            if validated is None:
                validated = validate(project, delivery, force=force)
            needless = partial(candidate.needless_now, delivery.sha256)
            done = load_stage(project, validated, force=force, replaces=candidate.replaces, needless=needless)
            _record_outcome(line, validated, done)
            if candidate.damage is not None:
                written = f"its parquet file, which was damaged in the archive ({candidate.damage}), was written again"
                line.message = f"{line.message}; {written}"
                console.note(f"{line.file}: {written}")
    except RefusedError as error:
        line.result, line.message = "refused", error.message
        line.checks = error.as_json().get("checks", [])
        line.guarded = error.compared_with if isinstance(error, GuardRefusedError) else None
    line.seconds = time.perf_counter() - started
    return line


@contextmanager
def refusing_the_unforeseen(file: str) -> Iterator[None]:
    """Refuse a delivery that something fails on; raises RefusedError."""
    try:
        yield
    except (AlmanacError, OSError, MemoryError, ImportError, NameError):
        raise  # nobody's bad data
    except Exception as error:
        if console.DEBUG.get():
            raise
        # only its class: the text of a foreign exception may quote a cell
        raise RefusedError(
            f"{file}: cannot be processed ({type(error).__name__}); --debug shows where it fails"
        ) from error


def _refuse(project: Project, delivery: Ingested, reason: str) -> None:
    names = {"dataset": delivery.contract.name, "period": delivery.period.name, "subject": delivery.name}
    with project.audit.step("load", **names):
        raise RefusedError(reason)


def _record_outcome(line: Line, validated: Validated, loaded: Loaded | Unchanged) -> None:
    """Fill in what became of a delivery that was validated."""
    if isinstance(loaded, Unchanged):
        line.message = loaded.reason
        return
    outcome = validated.outcome
    parts = [f"version {loaded.version_no}"]
    if loaded.replaced is not None:
        parts.append(f"supersedes version {loaded.replaced}")
    if validated.taken_up is not None:
        parts.append(f"as validated at {validated.taken_up:%Y-%m-%d %H:%M} UTC")
    if outcome.rows_rejected:
        rules = ", ".join(f"{rule} ({count:,})" for rule, count in outcome.summary.most_common(3))
        parts.append(f"{outcome.rows_rejected:,} rejected: {rules}; marked in {validated.workbook}")
    if outcome.rows_dropped:
        parts.append(f"{plural(outcome.rows_dropped, 'duplicate')} dropped; listed in {validated.workbook}")
    unknown = words_of_unknown(outcome.unknown_keys, outcome.unreadable_keys)
    if unknown:
        parts.append(unknown)
    line.same_bytes = loaded.same_bytes
    if loaded.same_bytes:
        parts.append(loaded.same_bytes)
    parts += outcome.mixed_dates
    if outcome.notes:
        parts.append(f"noted: {outcome.noted}")
    line.result, line.message, line.notes = "loaded", "; ".join(parts), dict(outcome.notes)
    line.rows, line.rejected, line.dropped = loaded.rows, outcome.rows_rejected, outcome.rows_dropped
    line.unknown_keys, line.unreadable_keys = outcome.unknown_keys, outcome.unreadable_keys


def _tell_of_breaks(lines: Sequence[Line]) -> None:
    """Where the guard refuses delivery after delivery, all compared with the same one, one break is the cause."""
    breaks: dict[tuple[str | None, str], list[Line]] = {}
    for line in lines:
        if line.guarded is not None:
            breaks.setdefault((line.dataset, line.guarded), []).append(line)
    for (dataset, compared_with), refused in breaks.items():
        if len(refused) > 1:
            first = refused[0]
            told = (
                f"{dataset} {first.period} is the first of {len(refused)} that the guard refuses, each compared with "
                f"{compared_with}. Look at the first; if it is right, load it with --force, then the others"
            )
            first.message = f"{first.message}. {told}"
            console.ask_for_attention(f"guard      {told}")


def _show(line: Line, *, verbose: bool) -> None:
    where = f"{line.dataset or '?'} {line.period or '?'}"
    if line.result == "loaded":
        console.say(f"loaded     {where}  {line.rows:,} rows from {line.file} ({line.message})")
    elif line.result == "refused":
        console.ask_for_attention(f"refused    {line.message}")
    elif verbose:
        console.say(f"unchanged  {line.file} {line.message}")
