"""Loads whose values an earlier reader has read: how many there are, and what tells whether they are right."""

from __future__ import annotations

from collections.abc import Mapping

from loader import console
from loader.project import Project
from loader.readers import READER_REVISION
from loader.text import listed
from loader.warehouse.versions import count_of_other_readers

_MOST = 5
"""Datasets that are named."""


def of_earlier_reader(project: Project, dataset: str | None = None) -> dict[str, int]:
    """How many active loads of each dataset an earlier reader has read under today's contract, and nobody accepted."""
    fingerprints = {one.name: one.fingerprint for one in project.contracts if dataset in (None, one.name)}
    return project.warehouse.run(lambda c: count_of_other_readers(c, fingerprints, READER_REVISION))


def note_earlier_reader(loads: Mapping[str, int]) -> None:
    """Tell of them in one line, with what to do."""
    if loads:
        names = listed((f"{name} ({count:,})" for name, count in loads.items()), _MOST)
        console.note(
            f"loads of {names}: read by an earlier reader; `loader recheck` lists those with other values today, "
            "`loader recheck --load` loads these and ends this note"
        )
