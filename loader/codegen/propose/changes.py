"""Whether a file lists changes: a column that says of each row what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from loader.codegen.propose.columns import Looked
from loader.codegen.propose.names import words_of

_HEADERS = {
    "op",
    "operation",
    "action",
    "change",
    "changetype",
    "type",
    "event",
    "flag",
    "aktion",
    "änderung",
    "kennzeichen",
    "status",
}
_CHANGES = (
    ({"i", "u", "d"}, "d"),
    ({"a", "c", "d"}, "d"),
    ({"a", "m", "d"}, "d"),
    ({"n", "u", "d"}, "d"),
    ({"c", "u", "d"}, "d"),
    ({"insert", "update", "delete"}, "delete"),
    ({"add", "change", "delete"}, "delete"),
    ({"add", "modify", "delete"}, "delete"),
    ({"new", "changed", "deleted"}, "deleted"),
    ({"created", "updated", "deleted"}, "deleted"),
    ({"neu", "geändert", "gelöscht"}, "gelöscht"),
)


def find_end_marker(columns: Sequence[tuple[str, Looked]], key: Sequence[str]) -> tuple[str, str] | None:
    """The column that says what became of a row, and its value for a row that is gone; None when there is none."""
    for name, looked in columns:
        if name in key or len(looked.texts) > 4 or _HEADERS.isdisjoint(words_of(looked.header)):
            continue
        values = {text.casefold(): text for text in looked.texts.to_pylist()}
        for words, end in _CHANGES:
            if end in values and len(values) > 1 and set(values) <= words:
                return name, values[end]
    return None
