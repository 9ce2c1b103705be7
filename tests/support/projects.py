"""The repository's project with some of its subjects."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

PLACES = (
    "dbt_project/models/marts",
    "dbt_project/snapshots",
    "dbt_project/tests",
    "dbt_project/analyses",
    "gx/expectations/core",
    "gx/expectations/mart",
)
"""Where a subject has a folder of its own."""


def subjects_of(root: Path) -> list[str]:
    """The subjects of a project, sorted."""
    return sorted(path.name for path in (root / "dbt_project/snapshots").iterdir() if path.is_dir())


def only_subjects(root: Path, *kept: str) -> None:
    """Take the other subjects out of a project: a line, their folders, their contracts and what is derived of these."""
    others = [subject for subject in subjects_of(root) if subject not in kept]
    snapshots = root / "dbt_project/snapshots"
    datasets = {path.stem for subject in others for path in (snapshots / subject).glob("*.sql")}
    config, dbt = root / "datasets_config.yml", root / "dbt_project.yml"
    contracts = re.split(r"(?m)^(?=  \w+:$)", config.read_text(encoding="utf-8"))
    left = [contract for contract in contracts if contract.split(":")[0].strip() not in datasets]
    config.write_text("".join(left), encoding="utf-8", newline="\n")
    line = f"  subjects: [{', '.join(kept)}]"
    dbt.write_text(re.sub(r"(?m)^  subjects: .*$", line, dbt.read_text(encoding="utf-8")), encoding="utf-8")
    for subject in others:
        for place in PLACES:
            shutil.rmtree(root / place / subject, ignore_errors=True)
    for dataset in datasets:
        (root / f"dbt_project/models/staging/_{dataset}__sources.yml").unlink()
        for layer in ("stage", "core"):
            (root / f"gx/expectations/{layer}/{dataset}.json").unlink(missing_ok=True)
