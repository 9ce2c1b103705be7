"""The archive against `meta`: files of active loads that are not what was written, and files that nothing names.

A power cut, a full disk or a hand can do that. What is in stage stays right; the archive is what it is rebuilt from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from loader import console
from loader.archive import Stem
from loader.archive.damage import Damage, damage_of
from loader.contracts import Contract
from loader.project import Project
from loader.text import listed
from loader.warehouse import Version
from loader.warehouse.meta import dataset_version, validation_log

_MOST = 5
"""Files or periods that are named in one line."""


def damage_of_version(project: Project, version: Version, *, by_hash: bool) -> Damage | None:
    """What is wrong with the files of a load, the worst; by their sizes, or also by their hashes."""
    found = []
    for name, size in version.sizes.items():
        found.append(damage_of(project.archived(name), size, version.files.hashes[name] if by_hash else None))
    return next((damage for damage in Damage if damage in found), None)


def note_damaged(damaged: Mapping[tuple[str, str], Damage]) -> None:
    """Tell of which periods the files in the archive are damaged, by dataset and kind, and what to do."""
    periods: dict[tuple[str, Damage], list[str]] = defaultdict(list)
    for (dataset, period), damage in damaged.items():
        periods[dataset, damage].append(period)
    for (dataset, damage), names in periods.items():
        console.note(
            f"{dataset} {listed(names, _MOST)}: the parquet file {damage.in_words}; stage is not touched. Restore it "
            "from a backup, or `loader load --file-path …` writes it again from what was delivered"
        )


def strays(connection: Connection, project: Project, contracts: Sequence[Contract]) -> list[str]:
    """The parquet files of some datasets in the archive that no load and no validation names, sorted."""
    loaded, checked = dataset_version.c, validation_log.c
    known = set()
    for query in (
        select(loaded.parquet_path, loaded.unknown_path),
        select(checked.parquet_path, checked.unknown_path).where(checked.parquet_path.is_not(None)),
    ):
        known |= {name for row in connection.execute(query) for name in row}
    found = []
    for contract in contracts:
        files = project.archived(contract.name).glob("*.parquet")
        names = (f"{contract.name}/{path.name}" for path in files if Stem.of(contract, path.name))
        found += [name for name in names if name not in known]
    return sorted(found)


def note_strays(names: Sequence[str]) -> None:
    """Tell of them in one line; they are not removed, since another warehouse may share the archive."""
    if names:
        console.note(
            f"archive: {listed(names, _MOST)}: no load and no validation of this warehouse names it, as after a kill; "
            "remove it unless another warehouse shares the archive"
        )
