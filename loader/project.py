"""One project as a command sees it: its folders, contracts, warehouse and audit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loader import console
from loader.contracts import Contract, Contracts, find_contract, read_contracts
from loader.errors import UsageError
from loader.monitoring import Auditor
from loader.settings import Settings, load_settings
from loader.warehouse import Target, Warehouse
from loader.warehouse.engines.registry import engine_for
from loader.warehouse.migrate import ensure_migrated
from loader.warehouse.profile import ensure_profile, find_profiles, read_target


@dataclass(frozen=True, eq=False)
class Project:
    """Opened once per command; what it holds is read when it is first needed."""

    settings: Settings
    account: str = "loader"
    """Which account of the target works: `loader`, or `migration`, which may change tables."""

    @classmethod
    def open(cls, project_dir: Path | None = None, target: str | None = None, account: str = "loader") -> Project:
        """The project of the folder given, or found upwards from here; raises UsageError."""
        return cls(load_settings(project_dir, target=target), account)

    @property
    def root(self) -> Path:
        """The project folder."""
        return self.settings.project_dir

    @cached_property
    def contracts(self) -> Contracts:
        """The contracts of datasets_config.yml; raises UsageError with the lines of its mistakes."""
        return read_contracts(self.root)

    @cached_property
    def target(self) -> Target:
        """The output of profiles.yml to work against; raises UsageError when there is none of the name."""
        made = ensure_profile(self.root)
        if made is not None:
            console.note(f"{made.name} was made from profiles.yml.example; dbt and the loader both read it")
        return read_target(self.root, self.settings.target)

    @property
    def profiles_dir(self) -> Path:
        """The folder of the profiles.yml that both dbt and the loader read."""
        found = find_profiles(self.root) if self.target else None
        return found.parent if found else self.root

    @cached_property
    def warehouse(self) -> Warehouse:
        """The database of the target, by the account of the command; opened when it is used."""
        return Warehouse(engine_for(self.target.for_account(self.account), self.root), self.settings.lock_timeout)

    @cached_property
    def audit(self) -> Auditor:
        """Writes each step to `meta.etl_audit` and to the log."""
        return Auditor(self.warehouse, self.settings.log_dir, self.settings.log_level)

    def contract(self, dataset: str) -> Contract:
        """The contract of a dataset; raises UsageError, with the known names, when there is none."""
        return find_contract(self.contracts, dataset)

    def ensure_datasets(self) -> None:
        """Raise UsageError when no dataset has a contract yet."""
        if not self.contracts.datasets:
            raise UsageError("no dataset has a contract yet; write one into datasets_config.yml, then `loader derive`")

    def ensure_migrated(self) -> None:
        """Make an embedded warehouse ready to load; raises UsageError when a server's schema is behind."""
        ensure_migrated(self.warehouse, self.contracts)

    def ensure_meta(self) -> None:
        """The same of `meta` alone, for what must work while stage and a contract do not match."""
        ensure_migrated(self.warehouse, Contracts(datasets=()))

    def archived(self, name: str) -> Path:
        """Where a parquet file of the archive lies; `meta` keeps names below the archive folder only."""
        return self.settings.cleaned_dir / name

    def rejects(self, name: str) -> Path:
        """Where a rejects file lies."""
        return self.settings.rejects_dir / name

    def shown(self, path: Path) -> str:
        """A path as a person reads it: below the project without its folder."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)
