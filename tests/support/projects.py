"""The repository's project without one of its subjects."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

INSURER = ("members", "health_plans", "providers", "enrollments", "claims")
"""The datasets of the subject `aca`."""


def without_insurer(root: Path) -> None:
    """Take the subject `aca` out of a project, as somebody would who has no use for it."""
    config = root / "datasets_config.yml"
    blocks = re.split(r"(?m)^(?=  \w+:$)", config.read_text(encoding="utf-8"))
    kept = [block for block in blocks if block.split(":")[0].strip() not in INSURER]
    config.write_text("".join(kept), encoding="utf-8", newline="\n")
    dbt = root / "dbt_project.yml"
    dbt.write_text(
        re.sub(r"(?m)(?<=^  subjects:)(.|\n  - )*", " [citizens]", dbt.read_text(encoding="utf-8")), encoding="utf-8"
    )
    project = root / "dbt_project"
    names = [*INSURER, *(model.stem for model in (project / "models/marts/aca").glob("*.sql"))]
    for name in names:
        for path in (
            project / f"models/staging/_{name}__sources.yml",
            project / f"snapshots/{name}.sql",
            project / f"snapshots/{name}.yml",
            *(root / "gx/expectations").glob(f"*/{name}.json"),
        ):
            path.unlink(missing_ok=True)
    for folder in ("models/marts/aca", "tests/aca"):
        shutil.rmtree(project / folder, ignore_errors=True)
