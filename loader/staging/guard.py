"""The guard: refuses a delivery that would end or change an unusual share of the keys, unless it is forced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loader.archive.difference import Difference, difference
from loader.contracts import Contract, Period
from loader.errors import EnvironmentFailedError
from loader.project import Project
from loader.warehouse import Version
from loader.warehouse.versions import active_version


@dataclass(frozen=True)
class Verdict:
    """What the guard says of a delivery."""

    compared_with: str | None
    """What the delivery was compared with, in words; None when it is the first."""
    change: Difference | None
    broken: tuple[str, ...]
    """The limits that it breaks, in words."""


def judge(
    project: Project,
    contract: Contract,
    period: Period,
    parquet: Path,
    versions: Sequence[Version],
    *,
    examples: bool = False,
) -> Verdict:
    """Compare a delivery of `period` with the load that it replaces, else with the delivered period before.

    `versions` are those of the whole dataset. A first period has no verdict. Where nothing can break the limits there
    is none either, unless `examples` of the change are wanted: a delta is compared with all before it, which costs
    more with every period.

    Raises:
        EnvironmentFailedError: a file that is needed for the comparison is gone from the archive.
    """
    if min(contract.guard.ended, contract.guard.changed) >= 1 and not examples:
        return Verdict(None, None, ())
    delivered = [version for version in versions if version.is_active]
    replaced = active_version([v for v in delivered if v.data_period == period.name])
    earlier = [version for version in delivered if version.period_start < period.start]
    history = earlier if contract.kind == "delta" else []
    if replaced is not None:
        compared, before = f"version {replaced.version_no} of {period}", [*history, replaced]
    elif earlier:
        compared, before = f"{earlier[-1].data_period}", history or earlier[-1:]
    else:
        return Verdict(None, None, ())
    after = [*(_archived(project, version) for version in history), parquet]
    change = difference(contract, [_archived(project, v) for v in before], after, examples=examples)
    return Verdict(compared, change, _broken(contract, change))


def _broken(contract: Contract, change: Difference) -> tuple[str, ...]:
    limits = (("end", change.ended, contract.guard.ended), ("change", change.changed, contract.guard.changed))
    return tuple(
        f"it would {verb} {count:,} of {change.before:,} keys ({count / change.before:.1%}; the limit is {limit:.1%})"
        for verb, count, limit in limits
        if change.before and count / change.before > limit
    )


def _archived(project: Project, version: Version) -> Path:
    path = project.archived(version.parquet_path)
    if not path.exists():
        raise EnvironmentFailedError(
            f"{project.shown(path)} is gone from the archive (version {version.version_no} of {version.dataset} "
            f"{version.data_period}); restore it from a backup, or load with --force to skip the guard"
        )
    return path
