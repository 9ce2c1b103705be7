"""The whole structure as one SQL script."""

from __future__ import annotations

from sqlalchemy.schema import CreateSchema

from loader.contracts import Contracts
from loader.warehouse.engines.base import Engine
from loader.warehouse.layers import META, SCHEMAS, STAGE
from loader.warehouse.migrate import meta_script
from loader.warehouse.stage_table import stage_statements


def ddl(engine: Engine, contracts: Contracts, schema: str | None = None) -> str:
    """The whole structure (of `meta`, of `stage`, or both) as one SQL script for an engine."""
    dialect = engine.dialect()
    schemas = [CreateSchema(name, if_not_exists=True) for name in SCHEMAS]
    script = engine.script(str(one.compile(dialect=dialect)) for one in schemas)
    if schema in (None, META):
        script += meta_script(dialect)
    if schema in (None, STAGE):
        for contract in contracts:
            script += engine.script(stage_statements(contract, engine))
    return script
