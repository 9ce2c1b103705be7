"""All that a process of the loader or of dbt imports."""

import gc
import importlib
import pkgutil

import loader

LATE = ("alembic.command", "openpyxl", "rich.console", "structlog")
"""What is imported where it is needed."""

for name in (*LATE, "dbt.adapters.duckdb", "dbt.adapters.postgres", "dbt.cli.main", "great_expectations"):
    importlib.import_module(name)
for module in pkgutil.walk_packages(loader.__path__, "loader."):
    if not module.name.startswith(("loader.__main__", "loader.warehouse.migrations.")):
        importlib.import_module(module.name)
gc.freeze()
