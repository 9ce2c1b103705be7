"""Roles: the script that gives each tool an account with the rights that it needs, and no others."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy.schema import CreateTable

from loader.errors import UsageError
from loader.warehouse.engines.append_only import append_only
from loader.warehouse.engines.base import Engine
from loader.warehouse.ledger import applied_load
from loader.warehouse.meta import ends_of_audit, etl_audit, version_event


def roles_script(engine: Engine, target: str) -> str:
    """The script for the engine of a target; an administrator runs it, `loader` never does.

    Raises:
        UsageError: the warehouse is a file.
    """
    if engine.embedded:
        raise UsageError(
            f"target '{target}' is a file, which has no accounts: whoever may write the file may do all; "
            "name a server with --target"
        )
    # the ledger is dbt's; it is made here so that there is something to grant
    ledger = CreateTable(applied_load).compile(dialect=engine.dialect())
    template = files("loader.warehouse.engines").joinpath(f"{engine.name}_roles.sql").read_text(encoding="utf-8")
    fixed = [name for name in etl_audit.columns.keys() if name not in ends_of_audit]  # noqa: SIM118
    kept = append_only(engine.dialect(), version_event.fullname)
    kept += append_only(engine.dialect(), etl_audit.fullname, ends_of_audit, fixed)
    return template.replace("{{ ledger }}", str(ledger).strip()).replace("{{ append_only }}", ";\n".join(kept))
