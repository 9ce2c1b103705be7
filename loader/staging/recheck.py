"""Recheck: read unchanged deliveries again by today's reader and contract, and say which loads have other values.

Nothing is changed by that; what differs is loaded again, as a new version of its period, only when that is asked for.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from loader import console
from loader.archive import unknown_beside
from loader.archive.comparison import Comparison, Reading, compare
from loader.errors import EnvironmentFailedError, RefusedError
from loader.project import Project
from loader.readers import READER_REVISION
from loader.staging.ingest import Ingested
from loader.staging.landing import Landed, refused_by_name
from loader.staging.load import load_one, refusing_the_unforeseen
from loader.staging.selection import Candidate
from loader.staging.sources import Place, Source, find_sources
from loader.staging.validate import explained, keep_delivered
from loader.text import plural
from loader.validation import Outcome, clean_delivery, judge_rows
from loader.warehouse import Version
from loader.warehouse.versions import accept as accept_values
from loader.warehouse.versions import set_reader_revision, versions_of

Result = Literal["same", "differs", "loaded", "accepted", "refused", "purged", "gone"]


@dataclass
class Line:
    """What became of one active load."""

    dataset: str
    period: str
    version: int
    file: str
    result: Result
    message: str
    change: Comparison | None = None
    """What differs, in numbers; None when it could not be read again."""


@dataclass
class Report:
    """What became of all of them."""

    lines: list[Line] = field(default_factory=list)
    current: int = 0
    """Loads that today's reader read under today's contract, or somebody accepted, so that they were left out."""
    seconds: float = 0.0

    def count(self, result: Result) -> int:
        """How many loads ended with this result."""
        return sum(line.result == result for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """The report as `--json` prints it."""
        counts = {result: self.count(result) for result in get_args(Result)}
        loads = [asdict(line) for line in self.lines]
        return {**counts, "current": self.current, "seconds": round(self.seconds, 3), "loads": loads}

    @property
    def closing_line(self) -> str:
        """Numbers of loads and seconds in one line."""
        counts = ", ".join(f"{count} {result}" for result in get_args(Result) if (count := self.count(result)))
        left_out = f"{self.current} read by today's reader and contract, or accepted"
        return f"{counts or 'nothing to read again'}; {left_out}; {self.seconds:.1f} s"


def recheck(
    project: Project,
    *,
    dataset: str | None = None,
    period: str | None = None,
    everything: bool = False,
    load: bool = False,
    accept: bool = False,
    force: bool = False,
) -> Report:
    """Read again what lies behind the active loads of an earlier reader or contract; of all loads for `everything`.

    With `load`, what differs comes as a new version by the ordinary load path (`force` overrules the guard), and what
    is the same is known as such from then on. With `accept`, all values stay as they are, which is written down: no
    note names these loads until contract or reader changes again.

    Raises:
        UsageError: there is no such dataset.
        EnvironmentFailedError: the database, the archive or the disk failed; what was loaded before stays loaded.
    """
    started = time.perf_counter()
    contracts = project.contracts if dataset is None else [project.contract(dataset)]
    report = Report()
    with project.warehouse.kept_open():
        active = project.warehouse.run(
            lambda c: [v for contract in contracts for v in versions_of(c, contract.name, period) if v.is_active]
        )
        due = [version for version in active if everything or not _is_current(project, version)]
        report.current = len(active) - len(due)
        for source in find_sources(project, due):
            line = _recheck_one(project, source, load=load, keep=load or accept, force=force)
            if accept and not (line.result == "same" and source.is_of_contract):
                _accept(project, source)
                line.result = "accepted"
            report.lines.append(line)
            _show(line)
    report.seconds = time.perf_counter() - started
    return report


def _is_current(project: Project, version: Version) -> bool:
    today = project.contract(version.dataset).fingerprint
    if version.is_accepted(today, READER_REVISION):
        return True
    return (version.reader_revision, version.contract_fingerprint) == (READER_REVISION, today)


def _accept(project: Project, source: Source) -> None:
    """Write down that the values of a load stay as they are."""
    version, fingerprint = source.version, source.contract.fingerprint
    fields = {"dataset": version.dataset, "period": version.data_period, "subject": version.file_name}
    with project.audit.step("accept", **fields) as step:

        def record(connection: Connection) -> None:
            accept_values(connection, version, fingerprint, READER_REVISION)
            step.end(connection)

        project.warehouse.run(record)


def _recheck_one(project: Project, source: Source, *, load: bool, keep: bool, force: bool) -> Line:
    version = source.version
    line = Line(version.dataset, version.data_period, version.version_no, version.file_name, "gone", "")
    if source.place is Place.PURGED:
        line.result = "purged"
        line.message = f"{line.file}: rows of it were purged, so it is not read again"
        return line
    if source.place is Place.GONE:
        line.message = f"{line.file}: it is gone or has other bytes, so the values stay as they were read"
        return line
    try:
        line.change = _read_again(project, source)
        line.result = "same" if line.change.is_equal else "differs"
        line.message = _words(line.change)
        is_same = line.result == "same" and source.is_of_contract
        if is_same and keep:
            _keep(project, source)
            project.warehouse.run(lambda c: set_reader_revision(c, version, READER_REVISION))
        if is_same or not load:
            return line
    except RefusedError as error:
        line.result, line.message = "refused", error.message
        return line
    done = load_one(project, Candidate.of(source), force, anew=True)
    if done.result == "loaded":
        line.result, line.message = "loaded", f"{_words(line.change)}; {done.message}"
    else:
        line.result, line.message = "refused", done.message
    return line


def _read_again(project: Project, source: Source) -> Comparison:
    """Compare what a delivery gives today with what was loaded; raises RefusedError when it is refused today."""
    version = source.version
    for archived in map(project.archived, version.files.hashes):
        if not archived.exists():
            raise EnvironmentFailedError(
                f"{project.shown(archived)} is gone from the archive; restore it from a backup"
            )
    unknown = project.archived(version.unknown_path) if version.unknown_path else None
    then = Reading(project.archived(version.parquet_path), unknown, version.unreadable_keys or 0)
    project.warehouse.let_go()
    with (
        refusing_the_unforeseen(version.file_name),
        source.opened() as landed,
        explained(landed.path, landed.name),
        tempfile.TemporaryDirectory(prefix="almanac-recheck-") as folder,
        console.progress(f"reading {version.file_name}") as seen,
    ):
        parquet = Path(folder) / "rows.parquet"
        outcome = _clean(landed, parquet, seen)
        unknown = unknown_beside(parquet) if outcome.unknown_keys else None
        return compare(source.contract, then, Reading(parquet, unknown, outcome.unreadable_keys))


def _clean(landed: Landed, parquet: Path, seen: Any) -> Outcome:
    outcome, rejects = Outcome(), parquet.with_name("rejects.csv")
    with refused_by_name(landed.path, landed.name):
        clean_delivery(landed.path, landed.contract, landed.period, parquet, rejects, outcome, seen)
        judge_rows(landed.path, landed.contract, outcome, "the rejects file of a load")
    return outcome


def _keep(project: Project, source: Source) -> None:
    """Keep the file of a load that is as it should be, if its contract wants that now."""
    landed, version = source.landed, source.version
    if source.place is not Place.KEPT:
        names = (landed.path, landed.name, landed.contract, landed.period, landed.order)
        keep_delivered(project, Ingested(version.file_id, *names, source.content))


def _words(change: Comparison) -> str:
    """What differs, in one line of numbers."""
    if change.is_equal:
        return f"{plural(change.after, 'row')}, the same values"
    parts = [f"{plural(change.before, 'row')} then, {change.after:,} now"]
    if change.changed:
        columns = ", ".join(f"{name} {count:,}" for name, count in change.changed_by_column.items())
        parts.append(f"{plural(change.changed, 'key')} with other values ({columns})")
    if change.new:
        parts.append(f"{change.new:,} only now")
    if change.missing:
        parts.append(f"{change.missing:,} only then")
    if change.unknown:
        parts.append(f"{plural(change.unknown, 'key')} unknown in one of both")
    if change.was_incomplete != change.is_incomplete:
        parts.append("incomplete now" if change.is_incomplete else "incomplete then")
    return ", ".join(parts)


def _show(line: Line) -> None:
    where = f"{line.dataset} {line.period}"
    if line.result == "refused":
        console.ask_for_attention(f"refused    {line.message}")
    elif line.result == "differs":
        console.say(f"differs    {where}  version {line.version}: {line.message}")
    elif line.result == "accepted":
        console.say(f"accepted   {where}  {line.message}")
    elif line.result == "loaded":
        console.say(f"loaded     {where}  {line.message}")
    elif line.result == "same":
        console.say(f"same       {where}  version {line.version}: {line.message}")
    else:
        console.say(f"not read   {where}  {line.message}")
