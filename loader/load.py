"""Load: ingest, validate and load-stage in one, for what has landed; one bad file does not stop the others."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from loader import console
from loader.errors import AlmanacError, RefusedError, UsageError
from loader.ingest import Ingested, fingerprints, ingest, ingested, known_file_id
from loader.landing import Landed, landed_files, recognise
from loader.project import Project
from loader.stage import Loaded, load_stage
from loader.validate import Validated, validate, validated, validated_file_id
from loader.versions import State, Version, active_version, versions_of

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
    seconds: float = 0.0


@dataclass
class Report:
    """What became of all deliveries of a command."""

    lines: list[Line] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, result: Result) -> int:
        return sum(line.result == result for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        counts = {result: self.count(result) for result in ("loaded", "refused", "unchanged")}  # type: ignore[arg-type]
        return {**counts, "seconds": round(self.seconds, 3), "files": [asdict(line) for line in self.lines]}

    @property
    def closing_line(self) -> str:
        counts = [
            f"{self.count('loaded')} loaded",
            f"{self.count('refused')} refused",
            f"{self.count('unchanged')} unchanged",
        ]
        rows = sum(line.rows or 0 for line in self.lines if line.result == "loaded")
        return f"{', '.join(counts)}; {rows:,} rows in {self.seconds:.1f} s"


@dataclass(frozen=True)
class _Candidate:
    """A landed delivery, and why it shall or shall not be loaded."""

    landed: Landed
    refusal: str | None = None
    unchanged: str | None = None


def load(
    project: Project,
    *,
    period: str | None = None,
    dataset: str | None = None,
    file_path: Path | None = None,
    force: bool = False,
) -> Report:
    """Load what has landed for a period, or all that is new, or one file.

    Raises:
        UsageError: nothing has landed for what was asked, or the names in the question are unknown.
        EnvironmentFailedError: the database or the disk failed; what was loaded before stays loaded.
    """
    started = time.perf_counter()
    report = Report()
    paths = [file_path] if file_path else list(landed_files(project))
    recognised = _recognise(project, paths, report, explicit=file_path is not None)
    wanted = [one for one in recognised if _is_wanted(project, one, dataset, period)]
    if not wanted and not report.lines and (period or dataset or file_path):
        raise UsageError(_nothing_landed(project, dataset, period))
    for candidate in _choose(project, wanted, force=force, explicit=file_path is not None):
        report.lines.append(_load_one(project, candidate, force))
        _show(report.lines[-1], verbose=period is not None or file_path is not None)
    report.seconds = time.perf_counter() - started
    return report


def _recognise(project: Project, paths: Iterable[Path], report: Report, *, explicit: bool) -> list[Landed]:
    """The files whose names tell a dataset and a period; the others are noted, or refused when asked for by name."""
    found = []
    for path in paths:
        try:
            found.append(recognise(path, project.contracts))
        except RefusedError as error:
            if not explicit:
                console.note(f"{path.name} is not looked at: {str(error).removeprefix(f'{path.name}: ')}")
                continue
            report.lines.append(_refuse_name(project, path))
            _show(report.lines[-1], verbose=True)
    return found


def _refuse_name(project: Project, path: Path) -> Line:
    try:
        ingest(project, path)
    except RefusedError as error:
        return Line(path.name, None, None, "refused", str(error))
    raise UsageError(f"{path.name}: its contract changed while the command ran; try again")


def _is_wanted(project: Project, landed: Landed, dataset: str | None, period: str | None) -> bool:
    if dataset is not None and project.contract(dataset).name != landed.contract.name:
        return False
    return period is None or landed.period.name == period


def _nothing_landed(project: Project, dataset: str | None, period: str | None) -> str:
    what = " of ".join(word for word in (period, dataset) if word) or "this file"
    expected = "; ".join(f"{contract.name}: {contract.file_name}" for contract in project.contracts)
    return f"nothing has landed for {what} in {project.settings.landing_dir}. Expected file names: {expected}"


def _choose(project: Project, landed: Sequence[Landed], *, force: bool, explicit: bool) -> list[_Candidate]:
    """Of the files of each period, those to load, in the order in which they follow each other."""
    hashes = fingerprints(project, [one.path for one in landed])
    by_period: dict[tuple[str, str], list[Landed]] = defaultdict(list)
    for one in sorted(landed, key=lambda one: (one.contract.name, one.period, one.rank, one.path.name)):
        by_period[one.contract.name, one.period.name].append(one)
    versions = project.warehouse.run(lambda c: {key: versions_of(c, *key) for key in by_period})
    chosen: list[_Candidate] = []
    for key, files in by_period.items():
        chosen += _choose_of_period(files, hashes, versions[key], force=force, explicit=explicit)
    return chosen


def _choose_of_period(
    files: list[Landed], hashes: dict[Path, str], versions: list[Version], *, force: bool, explicit: bool
) -> list[_Candidate]:
    active = active_version(versions)
    known = {version.file_sha256: version for version in versions}
    if active:
        known[active.file_sha256] = active
    new, rest = [], []
    for file in files:
        version = known.get(hashes.get(file.path, ""))
        if (
            (force and (explicit or file is files[-1]))
            or version is None
            or (version.is_active and version.contract_fingerprint != file.contract.fingerprint)
        ):
            new.append(file)
        else:
            rest.append(_Candidate(file, unchanged=_known(file, version)))
    twins = {file.rank for file in new if sum(other.rank == file.rank for other in new) > 1}
    for file in new:
        if file.rank in twins:
            names = ", ".join(other.path.name for other in new if other.rank == file.rank)
            rest.append(_Candidate(file, refusal=_twins(file, names)))
        elif active and not force and not explicit and _is_older(file, active):
            rest.append(_Candidate(file, unchanged=_older(file, active)))
        else:
            rest.append(_Candidate(file))
    return sorted(rest, key=lambda candidate: (candidate.landed.rank, candidate.landed.path.name))


def _known(file: Landed, version: Version) -> str:
    state = version.state.replace("_", " ")
    said = f"is version {version.version_no} of {file.contract.name} {version.data_period} ({state})"
    if version.state is State.ACTIVE:
        return f"{said}; --force reads it again"
    again = f"loader rollback --dataset {file.contract.name} --period {version.data_period} --to {version.version_no}"
    return f"{said}; to make it active again: {again}"


def _twins(file: Landed, names: str) -> str:
    return (
        f"{file.path.name}: two new files for {file.contract.name} {file.period} and nothing tells which is the later "
        f"one ({names}); remove one, or give them an order that file_name in the contract knows"
    )


def _is_older(file: Landed, active: Version) -> bool:
    of_active = Landed(file.path, file.contract, file.period, active.file_order)
    return file.rank < of_active.rank


def _older(file: Landed, active: Version) -> str:
    return f"is older than the active {active.file_name}; --file-path {file.path} loads it all the same"


def _load_one(project: Project, candidate: _Candidate, force: bool) -> Line:
    """Load one delivery; whatever is wrong with the delivery itself ends in its line, not in an exception."""
    landed = candidate.landed
    line = Line(landed.path.name, landed.contract.name, landed.period.name, "unchanged", candidate.unchanged or "")
    if candidate.unchanged:
        return line
    started = time.perf_counter()
    try:
        delivery = ingest(project, landed.path)
        if candidate.refusal:
            _refuse(project, delivery, candidate.refusal)
        validated = validate(project, delivery)
        _tell(line, validated, load_stage(project, validated, force=force))
    except RefusedError as error:
        line.result, line.message = "refused", error.message
    except (AlmanacError, OSError, MemoryError):
        raise
    except Exception as error:
        if console.STATE["debug"]:
            raise
        # only its class: the text of a foreign exception may quote a cell
        line.result = "refused"
        line.message = f"{line.file}: cannot be processed ({type(error).__name__}); --debug shows where it fails"
    line.seconds = time.perf_counter() - started
    return line


def _refuse(project: Project, delivery: Ingested, reason: str) -> None:
    names = {"dataset": delivery.contract.name, "period": delivery.period.name, "subject": delivery.path.name}
    with project.audit.step("load", **names):
        raise RefusedError(reason)


def _tell(line: Line, validated: Validated, loaded: Loaded) -> None:
    """Fill in what became of a delivery that was loaded."""
    if not loaded.reloaded:
        line.message = f"the cleaned rows are those of version {loaded.version_no}, which is active"
        return
    outcome = validated.outcome
    said = [f"version {loaded.version_no}"]
    if loaded.replaced is not None:
        said.append(f"supersedes version {loaded.replaced}")
    if outcome.rows_rejected:
        rules = ", ".join(f"{rule} ({count:,})" for rule, count in outcome.summary.most_common(3))
        said.append(f"{outcome.rows_rejected:,} rejected: {rules}")
    line.result, line.message = "loaded", "; ".join(said)
    line.rows, line.rejected = loaded.rows, outcome.rows_rejected


def _show(line: Line, *, verbose: bool) -> None:
    where = f"{line.dataset or '?'} {line.period or '?'}"
    if line.result == "loaded":
        console.say(f"loaded     {where}  {line.rows:,} rows from {line.file} ({line.message})")
    elif line.result == "refused":
        console.ask_for_attention(f"refused    {line.message}")
    elif verbose:
        console.say(f"unchanged  {line.file} {line.message}")


def landed_for(project: Project, dataset: str | None, period: str | None) -> list[Path]:
    """The landed files of a dataset and period; raises UsageError when there is none."""
    recognised = _recognise(project, landed_files(project), Report(), explicit=False)
    found = [one.path for one in recognised if _is_wanted(project, one, dataset, period)]
    if not found:
        raise UsageError(_nothing_landed(project, dataset, period))
    return found


def find_ingested(
    project: Project, *, file_id: int | None, file_path: Path | None, dataset: str | None, period: str | None
) -> Ingested:
    """The one delivery that the options name; raises UsageError when they name none, or several."""
    if file_id is not None:
        return ingested(project, file_id)
    if file_path is None:
        paths = landed_for(project, dataset, period)
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise UsageError(f"several files fit ({names}); name one by --file-path or --file-id")
        file_path = paths[0]
    return ingested(project, known_file_id(project, file_path))


def find_validated(project: Project, *, parquet_path: Path | None, **which: Any) -> Validated:
    """The validated delivery that the options name; raises UsageError when it was not validated yet."""
    file_id = validated_file_id(project, parquet_path.name) if parquet_path else None
    delivery = ingested(project, file_id) if file_id else find_ingested(project, **which)
    found = validated(project, delivery)
    if found is None:
        raise UsageError(
            f"{delivery.path.name} has not passed validation under today's contract; "
            f"run `loader validate --file-id {delivery.file_id}` first"
        )
    if parquet_path and Path(found.parquet).name != parquet_path.name:
        raise UsageError(
            f"{parquet_path.name} was made under another contract; of {delivery.path.name} today's is {found.parquet}"
        )
    return found
