"""Plan: what a delivery would do, without doing it. Nothing in the warehouse or the archive changes."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loader.archive import unknown_beside
from loader.archive.difference import Delivery, Difference
from loader.errors import RefusedError
from loader.files import sha256_of
from loader.project import Project
from loader.staging.guard import Verdict, judge
from loader.staging.landing import Landed, recognise, refused_by_name
from loader.staging.validate import explained
from loader.validation import Outcome, clean_delivery, judge_rows
from loader.warehouse import Version
from loader.warehouse.versions import active_version, same_bytes_elsewhere, versions_of, words_of_unknown


@dataclass(frozen=True)
class Plan:
    """What loading a delivery would do."""

    file: str
    dataset: str
    period: str
    rows: int
    rejected: int
    dropped: int
    unknown_keys: int
    unreadable_keys: int
    reasons: dict[str, int]
    """Why rows would be rejected, as `column: rule`, and how many cells that is."""
    notes: dict[str, int]
    """What is told of it beside its rejected rows, and how often."""
    replaces: int | None
    """The version that it would supersede."""
    known_as: str | None
    """Which version this very file already is."""
    same_bytes: str | None
    """Which load of another period has its bytes, in words that follow its name."""
    refusal: str | None
    """Why the rows would be refused before the guard is asked."""
    rebased: tuple[str, ...]
    """Delivered periods whose history would be computed anew, this one included."""
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """The plan as `--json` prints it."""
        return asdict(self)


def plan(project: Project, path: Path) -> Plan:
    """Read a delivery as `load` would, and compare it with what is active.

    Raises:
        RefusedError: its name, form or header do not match, or it cannot be read.
    """
    landed = recognise(project, path)
    versions = project.warehouse.run(lambda c: versions_of(c, landed.contract.name))
    of_period = [version for version in versions if version.data_period == landed.period.name]
    active = active_version(of_period)
    outcome = Outcome()
    with explained(path, landed.name), tempfile.TemporaryDirectory(prefix="almanac-plan-") as folder:
        parquet = Path(folder) / "rows.parquet"
        with refused_by_name(path, landed.name):
            clean_delivery(path, landed.contract, landed.period, parquet, Path(folder) / "rejects.csv", outcome)
        unknown = unknown_beside(parquet) if outcome.unknown_keys else None
        delivery = Delivery(landed.period, parquet, unknown, outcome.unreadable_keys > 0)
        verdict = judge(project, landed.contract, delivery, versions, examples=True)
    sha256 = sha256_of(path)
    return Plan(
        file=landed.name,
        dataset=landed.contract.name,
        period=landed.period.name,
        rows=outcome.rows_valid,
        rejected=outcome.rows_rejected,
        dropped=outcome.rows_dropped,
        unknown_keys=outcome.unknown_keys,
        unreadable_keys=outcome.unreadable_keys,
        reasons=dict(outcome.summary.most_common()),
        notes=dict(outcome.notes),
        replaces=active.version_no if active else None,
        known_as=_known_as(sha256, of_period),
        same_bytes=same_bytes_elsewhere(versions, landed.period.name, sha256),
        refusal=_refusal(path, landed, outcome),
        rebased=_rebased(landed, versions),
        verdict=verdict,
    )


def _known_as(sha256: str, versions: list[Version]) -> str | None:
    found = [version for version in versions if version.file_sha256 == sha256 and not version.is_forgotten]
    return f"version {found[-1].version_no} ({found[-1].state.replace('_', ' ')})" if found else None


def _refusal(path: Path, landed: Landed, outcome: Outcome) -> str | None:
    try:
        with refused_by_name(path, landed.name):
            judge_rows(path, landed.contract, outcome, "the rejects file of the load")
    except RefusedError as error:
        return str(error)
    return None


def _rebased(landed: Landed, versions: list[Version]) -> tuple[str, ...]:
    later = {v.data_period: v.period_start for v in versions if v.is_active and v.period_start >= landed.period.start}
    later[landed.period.name] = landed.period.start
    return tuple(sorted(later, key=lambda name: later[name]))


def describe(made: Plan) -> list[str]:
    """The plan in the words of a person, a line each."""
    change = made.verdict.change
    lines = [
        f"{made.file}: {made.dataset} {made.period}, {made.rows:,} rows"
        + (f", {made.rejected:,} rejected" if made.rejected else "")
        + (f", {made.dropped:,} dropped" if made.dropped else "")
    ]
    if made.reasons:
        lines.append(f"rejected:  {', '.join(f'{what} ({count:,})' for what, count in made.reasons.items())}")
    unknown = words_of_unknown(made.unknown_keys, made.unreadable_keys)
    if unknown:
        lines.append(f"unknown:   {unknown}")
    if made.notes:
        lines.append(f"noted:     {', '.join(f'{note} ({count:,})' for note, count in made.notes.items())}")
    if made.known_as:
        lines.append(f"known:     this very file is {made.known_as} already; loading it again needs --force")
    if made.same_bytes:
        lines.append(f"note:      it {made.same_bytes}")
    if made.replaces is not None:
        lines.append(f"replaces:  version {made.replaces} of {made.period}")
    if made.refusal:
        lines.append(f"refused:   {made.refusal}")
    if change is None:
        lines.append("compared:  with nothing; this is the first delivered period, so every key is new")
    else:
        lines += [f"compared:  with {made.verdict.compared_with}", *_changes(change)]
    lines.append(f"rebases:   history of {_listed(made.rebased)}")
    if made.verdict.compared_with is not None:
        broken = " and ".join(made.verdict.broken)
        lines.append(f"guard:     {'refuses: ' + broken + '; --force overrules it' if broken else 'has no objection'}")
    return lines


def _changes(change: Difference) -> list[str]:
    counts = (f"{getattr(change, word):,} {word}" for word in ("new", "changed", "ended", "unchanged"))
    lines = [f"keys:      {', '.join(counts)}"]
    for column, count in sorted(change.changed_by_column.items(), key=lambda item: -item[1]):
        shown = "; ".join(f"{key}: {before} → {after}" for key, before, after in change.examples.get(column, []))
        lines.append(f"           {column}: {count:,} changed, for example {shown}")
    return lines


def _listed(periods: tuple[str, ...]) -> str:
    return periods[0] if len(periods) == 1 else f"{len(periods)} periods, {periods[0]} to {periods[-1]}"
