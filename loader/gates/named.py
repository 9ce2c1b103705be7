"""Whether suites name the personal columns of their tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from loader.contracts import Contract
from loader.gates.origins import Origins
from loader.gates.suites import read_suites, suite_files
from loader.warehouse.layers import CORE, MART


def unnamed_columns(project_dir: Path, contracts: Iterable[Contract]) -> dict[Path, list[str]]:
    """Columns that come from personal ones under another name, by the suite whose `meta: {personal: […]}` lacks them.

    As far as dbt has compiled something in this folder; nothing is known of the rest.

    Raises:
        UsageError: a suite is not readable.
    """
    origins = Origins(project_dir, "", contracts, doubt=False)
    lacking = {}
    for layer in (CORE, MART):
        files = suite_files(project_dir, layer)
        for suite in read_suites(project_dir, layer, files) if files else ():
            names = origins.unnamed(layer, suite.table, suite.personal)
            if names:
                lacking[files[suite.table][-1]] = names
    return lacking
