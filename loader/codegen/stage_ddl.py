"""The scripts that create the stage tables."""

from __future__ import annotations

from loader.codegen.header import DERIVED
from loader.contracts import Contract
from loader.warehouse.engines.registry import engine_class


def stage_ddl(contract: Contract, engine: str) -> str:
    """The script that creates `stage.<dataset>` on `engine` (one of ENGINES); harmless when it is there."""
    from sqlalchemy.schema import CreateSchema

    from loader.warehouse.layers import STAGE
    from loader.warehouse.stage_table import stage_statements

    words = engine_class(engine)
    schema = str(CreateSchema(STAGE, if_not_exists=True).compile(dialect=words.dialect())).lower()
    statements = [schema, *stage_statements(contract, words, if_not_exists=True)]
    lines = "\n".join(words.script([statement]) for statement in statements).splitlines()
    return "\n".join([f"-- {DERIVED}", *(line.rstrip() for line in lines)]) + "\n"
