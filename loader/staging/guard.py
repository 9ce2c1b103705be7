"""The guard: refuses a delivery that would end or change an unusual share of the keys, unless it is forced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loader.archive.damage import damage_of
from loader.archive.difference import Delivery, Difference, difference, needed
from loader.contracts import Contract
from loader.errors import EnvironmentFailedError, RefusedError
from loader.project import Project
from loader.warehouse import Version
from loader.warehouse.versions import active_version


class GuardRefusedError(RefusedError):
    """The guard refuses a delivery; `compared_with` says in words what it was compared with."""

    def __init__(self, message: str, compared_with: str) -> None:
        super().__init__(message)
        self.compared_with = compared_with


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
    delivery: Delivery,
    versions: Sequence[Version],
    *,
    examples: bool = False,
) -> Verdict:
    """Compare a delivery with the load that it replaces, else with the delivered period before.

    What is compared is what is in force after each: a key that is unknown in a delivery neither ends nor changes in it.
    `versions` are those of the whole dataset. A first period has no verdict. Where nothing can break the limits there
    is none either, unless `examples` of the change are wanted: a delta is compared with all before it, which costs
    more with every period.

    Raises:
        EnvironmentFailedError: a file that is needed for the comparison is gone from the archive, or damaged.
    """
    if min(contract.guard.ended, contract.guard.changed) >= 1 and not examples:
        return Verdict(None, None, ())
    period = delivery.period
    delivered = [version for version in versions if version.is_active]
    replaced = active_version([v for v in delivered if v.data_period == period.name])
    earlier = [version for version in delivered if version.period_start < period.start]
    if replaced is not None:
        compared, before = f"version {replaced.version_no} of {period}", [*earlier, replaced]
    elif earlier:
        compared, before = f"{earlier[-1].data_period}", earlier
    else:
        return Verdict(None, None, ())
    archived = {version.load_id: _delivery(project, contract, version) for version in before}
    states = [
        needed(contract, [archived[version.load_id] for version in before]),
        needed(contract, [*(archived[version.load_id] for version in earlier), delivery]),
    ]
    for version in before:
        if any(archived[version.load_id] in state for state in states):
            _refuse_damaged(project, version)
    change = difference(contract, *states, examples=examples)
    return Verdict(compared, change, _broken(contract, change))


def _broken(contract: Contract, change: Difference) -> tuple[str, ...]:
    limits = (("end", change.ended, contract.guard.ended), ("change", change.changed, contract.guard.changed))
    return tuple(
        f"it would {verb} {count:,} of {change.before:,} keys ({count / change.before:.1%}; the limit is {limit:.1%})"
        for verb, count, limit in limits
        if change.before and count / change.before > limit
    )


def _delivery(project: Project, contract: Contract, version: Version) -> Delivery:
    unknown = project.archived(version.unknown_path) if version.unknown_path and version.unknown_keys else None
    return Delivery(
        contract.period(version.data_period), project.archived(version.parquet_path), unknown, version.is_incomplete
    )


def _refuse_damaged(project: Project, version: Version) -> None:
    for name, size in version.sizes.items():
        path = project.archived(name)
        damage = damage_of(path, size)
        if damage is not None:
            raise EnvironmentFailedError(
                f"{project.shown(path)} {damage.in_words} (version {version.version_no} of {version.dataset} "
                f"{version.data_period}); restore it from a backup, or load with --force to skip the guard"
            )
