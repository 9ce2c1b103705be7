"""What may be told where personal values are about: names and counts, never a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loader.gates.columns import UntraceableError
from loader.gates.origins import Origins


@dataclass(frozen=True)
class Masking:
    """What of one table may be shown: nothing of a column that is personal, or of which that is not known."""

    origins: Origins
    schema: str
    table: str
    declared: Collection[str]
    """Columns that its suite calls personal."""

    def hidden_columns(self, query: str, result: Sequence[str]) -> set[str]:
        """Columns of a query's `result` that may hold personal values; the query reads the table as `{batch}`."""
        try:
            asked = query.format(batch=f"{self.schema}.{self.table}")
            return self.origins.outputs(asked, self.schema, self.table, self.declared).hidden(result)
        except (UntraceableError, ValueError, LookupError):
            return set(result)

    def why_hidden(self, kind: str, kwargs: Mapping[str, Any]) -> str | None:
        """Why an expectation's values are not shown; None when they may be."""
        named = [str(kwargs[word]) for word in ("column", "column_A", "column_B") if word in kwargs]
        columns = [*named, *map(str, kwargs.get("column_list", ()))]
        if not columns:
            return None if kind.startswith("expect_table_") else _UNKNOWN
        known = {one.name: one.personal for one in self.origins.columns(self.schema, self.table) or ()}
        declared = {name.lower() for name in self.declared}
        said = [name.lower() in declared or known.get(name.lower()) for name in columns]
        return _PERSONAL if any(said) else _UNKNOWN if None in said else None


_PERSONAL = "values are personal and not shown"
_UNKNOWN = "where the values come from is not known, so they are not shown"
