"""The warehouse: its engines, the tables of `meta` and `stage`, versions, migrations, roles."""

from loader.warehouse.engines.base import Engine
from loader.warehouse.profile import Target
from loader.warehouse.transactions import Warehouse
from loader.warehouse.versions import State, Version

__all__ = ["Engine", "State", "Target", "Version", "Warehouse"]
