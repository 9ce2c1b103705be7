"""Everything that follows from the contracts, and is committed.

These are the dbt sources, the stage DDL, suites of Great Expectations for stage and core, and the JSON schema by which
editors check and complete a contract. Pure functions make the text of a file from a contract; `derive` compares it with
the project and writes what differs. A change of a contract is thus reviewed with all that it changes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

from loader.codegen.contract_schema import contract_schema
from loader.codegen.core_suite import core_suite
from loader.codegen.dbt_sources import sources_yml
from loader.codegen.header import DERIVED
from loader.codegen.stage_ddl import stage_ddl
from loader.codegen.stage_suite import stage_suite
from loader.contracts import Contract
from loader.errors import UsageError
from loader.files import replacing
from loader.text import listed
from loader.warehouse.engines.registry import ENGINES

_SOURCES = Path("dbt_project/models/staging")
_PLACES = {
    str(_SOURCES): "_*__sources.yml",
    "gx/expectations/stage": "*.json",
    "gx/expectations/core": "*.json",
    **{f"ddl/{engine}": "stage_*.sql" for engine in ENGINES},
}
"""Where derived files lie, and what they are called there."""


def derive(project_dir: Path, contracts: Iterable[Contract], check: bool = False) -> list[Path]:
    """Bring the derived files of a project up to date.

    Files that differ are written, those of datasets that are gone are removed; with `check` nothing is touched.

    Returns:
        The files that were stale, below the project folder, sorted.
    """
    snapshots = {path.stem for path in (project_dir / "dbt_project" / "snapshots").rglob("*.sql")}
    wanted = derived_files(contracts, snapshots)
    stale = [path for path, text in wanted.items() if _read(project_dir / path) != text]
    gone = [path for path in _existing(project_dir) if path not in wanted]
    if not check:
        for path in stale:
            with replacing(project_dir / path) as unfinished:
                unfinished.write_text(wanted[path], encoding="utf-8", newline="\n")
        for path in gone:
            (project_dir / path).unlink()
    return sorted([*stale, *gone])


def refuse_stale_sources(project_dir: Path, contracts: Iterable[Contract]) -> None:
    """Refuse to build from dbt sources that are not those of the contracts: history follows kind, key and columns.

    Raises:
        UsageError: a source is missing or stale, or that of a dataset that is gone.
    """
    wanted = {_sources(contract): sources_yml(contract) for contract in contracts}
    stale = [path for path, text in wanted.items() if _read(project_dir / path) != text]
    gone = [path for path in _existing(project_dir) if path.parent == _SOURCES and path not in wanted]
    if stale or gone:
        names = listed(path.as_posix() for path in [*stale, *gone])
        raise UsageError(f"{names}: not what follows from datasets_config.yml; run `loader derive`")


def _sources(contract: Contract) -> Path:
    return _SOURCES / f"_{contract.name}__sources.yml"


def derived_files(contracts: Iterable[Contract], snapshots: Container[str] = ()) -> dict[Path, str]:
    """The text of every derived file by its path below the project folder.

    `snapshots` are the datasets with a history: these have a suite of core too.
    """
    files = {Path("datasets_config.schema.json"): contract_schema()}
    for contract in contracts:
        files[_sources(contract)] = sources_yml(contract)
        files[Path(f"gx/expectations/stage/{contract.name}.json")] = stage_suite(contract)
        if contract.name in snapshots:
            files[Path(f"gx/expectations/core/{contract.name}.json")] = core_suite(contract)
        for engine in ENGINES:
            files[Path(f"ddl/{engine}/stage_{contract.name}.sql")] = stage_ddl(contract, engine)
    return files


def _existing(project_dir: Path) -> list[Path]:
    """The files in the project that say that they are derived."""
    found = (path for place, names in _PLACES.items() for path in (project_dir / place).glob(names))
    return [path.relative_to(project_dir) for path in found if DERIVED in (_read(path) or "")[:300]]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
