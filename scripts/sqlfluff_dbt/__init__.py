"""What dbt gives to macros while it runs, as far as sqlfluff needs it to render our models for DuckDB."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context


@pass_context
def _dispatch(context: Context, macro_name: str, macro_namespace: str | None = None) -> Callable[..., Any]:
    """The macro as DuckDB says it, else as the default has it."""
    return context.resolve(f"duckdb__{macro_name}") or context.resolve(f"default__{macro_name}")


def _relation(database: str, schema: str, identifier: str) -> str:
    return f"{schema}.{identifier}"


class _CrossDatabase:
    """dbt's own macros: types by their name, everything else as a call of a function."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *args: (
            name.removeprefix("type_") if name.startswith("type_") else f"{name}({', '.join(map(str, args))})"
        )


adapter = SimpleNamespace(dispatch=_dispatch)
api = SimpleNamespace(Relation=SimpleNamespace(create=_relation))
dbt = _CrossDatabase()
target = SimpleNamespace(type="duckdb", database="almanac", schema="mart")
