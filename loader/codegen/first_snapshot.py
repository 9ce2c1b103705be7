"""The first files of a dataset's history: its snapshot, and the yml with descriptions and tests beside it.

They are written once and belong to the project from then on. The suite of core follows from the contract by `derive`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loader.codegen.dbt_sources import dbt_yaml
from loader.contracts import Column, Contract

SNAPSHOTS = Path("dbt_project/snapshots")


def write_snapshot(project_dir: Path, contract: Contract) -> list[Path]:
    """Write the snapshot of a dataset and its yml; nothing where there is a snapshot of its name already.

    The yml comes first, since a snapshot has its key there.

    Returns:
        The files that were written, below the project folder.
    """
    if any((project_dir / SNAPSHOTS).rglob(f"{contract.name}.sql")):
        return []
    files = {f"{contract.name}.sql": snapshot_sql(contract), f"{contract.name}.yml": snapshot_yml(contract)}
    written = []
    for name, text in sorted(files.items(), reverse=True):
        path = project_dir / SNAPSHOTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(SNAPSHOTS / name)
    return sorted(written)


def snapshot_sql(contract: Contract) -> str:
    """The snapshot with strategy `period`, which makes the history of a staged dataset."""
    columns = "".join(f"    {column.name},\n" for column in contract.columns)
    source = f"{{{{ source('stage', '{contract.name}') }}}}"
    select = f"select\n{columns}    _data_period,\n    _load_id\nfrom {source}\n"
    return f"{{% snapshot {contract.name} %}}\n\n{select}\n{{% endsnapshot %}}\n"


def snapshot_yml(contract: Contract) -> str:
    """Descriptions of the history and its columns, for the dbt docs, and the tests that every history has to pass."""
    key = list(contract.key)
    tests: list[Any] = [{"history_is_sound": {"arguments": {"key": key}}}]
    if contract.kind == "full":
        staged = f"source('stage', '{contract.name}')"
        tests.append({"history_matches_stage": {"arguments": {"staged": staged}}})
    snapshot = {
        "name": contract.name,
        "description": (
            f"{contract.description} Its history: one row per version, a half-open interval from dbt_valid_from to "
            "dbt_valid_to."
        ),
        "config": {"unique_key": key[0] if len(key) == 1 else key},
        "data_tests": tests,
        "columns": [*(_column(contract, column) for column in contract.columns), *_version(contract)],
    }
    return dbt_yaml({"version": 2, "snapshots": [snapshot]})


def _column(contract: Contract, column: Column) -> dict[str, Any]:
    remarks = ["personal"] if column.personal else []
    if column.name not in (*contract.key, *contract.tracked):
        remarks.append("not tracked, as it was when the version began")
    text = column.description.removesuffix(".") + (f" ({'; '.join(remarks)})" if remarks else "") + "."
    entry: dict[str, Any] = {"name": column.name, "description": text}
    if column.name in contract.key:
        entry["data_tests"] = ["not_null"]
    return entry


def _version(contract: Contract) -> list[dict[str, Any]]:
    key = ", ".join(contract.key)
    return [
        {
            "name": "dbt_scd_id",
            "description": f"Identity of the version: hash of {key} and dbt_valid_from.",
            "data_tests": ["not_null", "unique"],
        },
        {
            "name": "dbt_valid_from",
            "description": "Start of the first period of the version.",
            "data_tests": ["not_null"],
        },
        {
            "name": "dbt_valid_to",
            "description": "Start of the first delivered period without the version; NULL while current.",
        },
    ]
