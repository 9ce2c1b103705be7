"""Roles: the script that gives each tool an account with the rights that it needs, and no others."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy.schema import CreateTable

from loader.errors import UsageError
from loader.meta import applied_load
from loader.project import Project


def roles_script(project: Project) -> str:
    """The script for the target's engine; an administrator runs it, `loader` never does.

    Raises:
        UsageError: the warehouse is a file.
    """
    engine = project.warehouse.engine
    if engine.embedded:
        raise UsageError(
            f"target '{project.target.name}' is a file, which has no accounts: whoever may write the file may do all; "
            "name a server with --target"
        )
    # the ledger is dbt's; it is made here so that there is something to grant
    ledger = CreateTable(applied_load).compile(dialect=engine.url().get_dialect()())
    template = files("loader.engines").joinpath(f"{engine.name}_roles.sql").read_text(encoding="utf-8")
    return template.replace("{{ ledger }}", str(ledger).strip())
