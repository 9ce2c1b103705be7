"""What a recorder answers to dbt: of the catalogue what statements made of it, of stale periods what a test says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.support.sqlserver_catalogue import plain
from tests.support.sqlserver_recorder import Recorder
from tests.support.sqlserver_session import Answer

_SIZED = re.compile(r"(\w+)(?:\((\w+)(?:, (\d+))?\))?")
_FOLLOWS = re.compile(r"insert .*\bselect '([^']+)', '([^']+)', '', 0, '(\w+)'", re.DOTALL)
_FORGETS = re.compile(r"delete from \S+\s+where dataset = '([^']+)'$")


@dataclass
class Stale:
    """What a build finds of the periods of its snapshots."""

    since: str | None
    stale: int
    periods: int
    has_unknown: int = 0
    windows: tuple[tuple[str, str | None, str | None], ...] = ()
    """Start, last and until of those of a full dataset."""


class Answers:
    """The questions of a build with dbt, by a word of theirs; `begin` says of which."""

    def __init__(self) -> None:
        self.stale = Stale(None, 0, 0)
        self.recorder = Recorder(
            [
                (r"name as \[schema\]\s+from sys\.schemas", self._schemas),
                (r"'(\w+)' as \[schema\],\s+'table' as table_type", self._relations),
                (r"INFORMATION_SCHEMA\.TABLES where TABLE_SCHEMA = '(\w+)' and TABLE_NAME = '(\w+)'", self._is_there),
                (
                    r"INFORMATION_SCHEMA\.COLUMNS where .* = '(\w+)' and .* = '(\w+)' and COLUMN_NAME = '(\w+)'",
                    self._has_column,
                ),
                (r"^select top 0 (\* from .*)", self._nothing_of),
                (r"from sys\.columns c .*object_id\('([^']+)'\)", self._columns_of),
                (r"^select is_hidden, .*sys\.dm_exec_describe_first_result_set\(N'(.*)', null, 0\)", self._shape),
                (r"sys\.dm_exec_describe_first_result_set\(N'(.*)', null, 0\)", self._described),
                (r"from sys\.sql_expression_dependencies refs .*'(\w+)_snapshot_staging_temp_view'", self._no_views),
                (r"from sys\.sql_expression_dependencies refs .*__dbt_tmp_vw'", self._no_views),
                (r"^select min\(case when is_stale = 1 ", self._found_stale),
                (r"^with loads as \(.*as window_until", self._windows),
                (r"^select count\(\*\) as (periods)\s+from \(", self._following),
                (r"^select distinct period_start from \(", self._stale_starts),
                (r"as incomplete_loads from", self._found_unknown),
                (r"^select (data_period) from .*dataset_version.* order by period_start$", self._periods),
                (r"from sys\.indexes i .*OBJECT_ID\('(\S+)'\)\s+and i.index_id > 0", self._indexes),
                (r"^select name from sys\.indexes .*object_id\('(\S+)'\) and name like '(\w+)%'$", self._named),
                (r"^select\s+count\(\*\) as failures,.*testview_", self._passed),
                (r"^select count\(\*\) as (row_count) from \S+__dbt_tmp.$", self._one),
                (r"^select count\(\*\) as (row_count) from .* is null$", self._none),
                (r"^select count\(\*\) as (row_count) from \(.*\) as unsound$", self._none),
                (r"^select count\(\*\) as (row_count) from \S+applied_load. where consumer = '\S+'$", self._none),
                (r"^select count\(\*\) as (written) from \S+$", self._one),
                (r"^select count\(\*\) as (marker_count) from sys\.extended_properties", self._none),
                (r"^select (fingerprint) from .*applied_load. where consumer = '([^']+)'$", self._known),
                (r"^select (\* from \(.*\) dbt_sbq_tmp\s+where 1 = 0)$", self._nothing_of),
            ]
        )
        self.known: dict[str, tuple[str, str]] = {}
        """Of a follower its fact and its fingerprint, as the builds before have written them."""

    def begin(self, stale: Stale) -> Recorder:
        """The recorder of the next build; the catalogue is that of those before."""
        self._remember()
        self.stale = stale
        self.recorder = Recorder(self.recorder.answers, self.recorder.catalogue)
        return self.recorder

    def _remember(self) -> None:
        """What the build has written of followers; a fact that was made anew has none."""
        for recorded in self.recorder.recorded:
            if written := _FOLLOWS.match(recorded.sql):
                self.known[written[1]] = (written[2], written[3])
            elif forgotten := _FORGETS.match(recorded.sql):
                self.known = {name: kept for name, kept in self.known.items() if kept[0] != forgotten[1]}

    def _schemas(self, _: re.Match[str]) -> Answer:
        return ["schema"], [(name,) for name in sorted(self.recorder.catalogue.schemas)]

    def _relations(self, found: re.Match[str]) -> Answer:
        catalogue, schema = self.recorder.catalogue, found[1]
        names = [name.split(".")[1] for name in catalogue.columns if name.startswith(f"{schema}.")]
        kinds = ["view" if f"{schema}.{name}" in catalogue.views else "table" for name in names]
        rows = [("db", name, schema, kind) for name, kind in zip(names, kinds, strict=True)]
        return ["database", "name", "schema", "table_type"], rows

    def _is_there(self, found: re.Match[str]) -> Answer:
        return ["found"], [(1,)] if f"{found[1]}.{found[2]}" in self.recorder.catalogue.columns else []

    def _has_column(self, found: re.Match[str]) -> Answer:
        columns = self.recorder.catalogue.columns[f"{found[1]}.{found[2]}"]
        return ["found"], [(1,)] if found[3] in columns else []

    def _nothing_of(self, found: re.Match[str]) -> Answer:
        return list(self.recorder.catalogue.columns_of(f"select {found[1]}")), []

    def _columns_of(self, found: re.Match[str]) -> Answer:
        columns = self.recorder.catalogue.columns[plain(found[1])]
        names = ["column_name", "data_type", "character_maximum_length", "numeric_precision", "numeric_scale"]
        return names, [(name, *_sizes(kind)) for name, kind in columns.items()]

    def _described(self, found: re.Match[str]) -> Answer:
        columns = self.recorder.catalogue.columns_of(found[1].replace("''", "'"))
        return ["name", "data_type", "size", "precision", "scale"], [
            (name, *_sizes(kind)) for name, kind in columns.items()
        ]

    def _shape(self, found: re.Match[str]) -> Answer:
        columns = self.recorder.catalogue.columns_of(found[1].replace("''", "'"))
        names = ["is_hidden", "name", "system_type_name", "error_number", "error_message"]
        return names, [(0, name, kind, None, None) for name, kind in columns.items()]

    def _indexes(self, found: re.Match[str]) -> Answer:
        names = "name type unique is_primary_key is_unique_constraint columns included_columns data_compression"
        rest = "descending_columns where fillfactor ignore_dup_key"
        return [*names.split(), *rest.split()], [
            (name, index.kind, index.is_unique, False, False, index.columns, "", "NONE", "", None, 0, False)
            for name, index in self.recorder.catalogue.indexes.items()
            if index.table == plain(found[1])
        ]

    def _named(self, found: re.Match[str]) -> Answer:
        indexes = self.recorder.catalogue.indexes.items()
        of_table = [name for name, index in indexes if index.table == plain(found[1])]
        return ["name"], [(name,) for name in of_table if name.startswith(found[2])]

    def _passed(self, _: re.Match[str]) -> Answer:
        return ["failures", "should_warn", "should_error"], [(0, "false", "false")]

    def _one(self, found: re.Match[str]) -> Answer:
        return [found[1]], [(1,)]

    def _none(self, found: re.Match[str]) -> Answer:
        return [found[1]], [(0,)]

    def _known(self, found: re.Match[str]) -> Answer:
        self._remember()
        return [found[1]], [(self.known[found[2]][1],)] if found[2] in self.known else []

    def _no_views(self, _: re.Match[str]) -> Answer:
        return ["schema_name", "view_name"], []

    def _found_stale(self, _: re.Match[str]) -> Answer:
        row = (self.stale.since, self.stale.stale, self.stale.periods, 0)
        return ["since", "stale", "periods", "is_redefined"], [row]

    def _windows(self, _: re.Match[str]) -> Answer:
        return ["window_start", "window_last", "window_until"], list(self.stale.windows)

    def _following(self, found: re.Match[str]) -> Answer:
        return [found[1]], [(sum(1 for _, last, _ in self.stale.windows if last),)]

    def _stale_starts(self, _: re.Match[str]) -> Answer:
        return ["period_start"], [(start,) for start, *_ in self.stale.windows]

    def _periods(self, found: re.Match[str]) -> Answer:
        return [found[1]], [("2025-03",)]

    def _found_unknown(self, _: re.Match[str]) -> Answer:
        return ["loads", "incomplete_loads"], [(self.stale.has_unknown, self.stale.has_unknown)]


def _sizes(kind: str) -> tuple[Any, ...]:
    """Name, length, precision and scale of a type."""
    found = _SIZED.fullmatch(kind)
    assert found, kind
    name, first, second = found[1], found[2], found[3]
    if "char" in name:
        return name, -1 if first == "max" else int(first or 1), 0, 0
    return name, 8, int(first or 10), int(second or 0)
