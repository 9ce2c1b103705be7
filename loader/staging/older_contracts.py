"""Periods that stage holds as an older contract read them: which they are, and what brings them to today's.

`status` and `versions` ask too, so what reads files is imported only when there is such a period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from loader import console
from loader.project import Project
from loader.readers import READER_REVISION
from loader.text import listed
from loader.warehouse.versions import versions_of_other_contracts

if TYPE_CHECKING:
    from loader.staging.sources import Source

_MOST = 5
"""Periods that are named in one line."""
_NEXT: Mapping[str, str] = {
    "landed": "`loader load` reads their files again",
    "elsewhere": "`loader recheck --load` reads their files again, which lie outside of the landing folder",
    "kept": "`loader load` reads the files again that the archive has kept",
    "purged": "rows of their files were purged: load them with --force and purge again, or `loader recheck --accept`",
    "gone": "their files are gone or have other bytes: put back what was delivered, or `loader recheck --accept`",
}


def of_older_contracts(project: Project, dataset: str | None = None, period: str | None = None) -> list[Source]:
    """The deliveries of the active loads that were read under another contract than today's, by dataset and period."""
    fingerprints = {
        contract.name: contract.fingerprint for contract in project.contracts if dataset in (None, contract.name)
    }
    versions = project.warehouse.run(lambda c: versions_of_other_contracts(c, fingerprints))
    asked = [version for version in versions if period in (None, version.data_period)]
    if not asked:
        return []
    from loader.staging.sources import find_sources

    return find_sources(project, asked)


def note_older_contracts(sources: Iterable[Source]) -> None:
    """Tell of each dataset which periods were read under an older contract and are not accepted, and what to do."""
    periods: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in sources:
        if not is_accepted(one):
            periods[one.version.dataset, one.place].append(one.version.data_period)
    for (dataset, place), names in periods.items():
        console.note(f"{dataset} {listed(names, _MOST)}: read under an older contract; {_NEXT[place]}")


def is_accepted(source: Source) -> bool:
    """Whether somebody accepted the values of a load, whatever today's contract and reader give."""
    return source.version.is_accepted(source.contract.fingerprint, READER_REVISION)


def as_json(source: Source) -> dict[str, Any]:
    """One such period for programs."""
    version = source.version
    return {
        "dataset": version.dataset,
        "period": version.data_period,
        "version": version.version_no,
        "file": version.file_name,
        "place": source.place.value,
        "accepted": is_accepted(source),
    }
