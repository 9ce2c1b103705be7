"""The contracts: what `datasets_config.yml` may say of a dataset.

One contract per dataset. The loader, the stage DDL, the dbt sources and the stage suite of Great Expectations
all follow from the models in this module; nothing else states a column, a type or a rule.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from loader.contracts.columns import Column
from loader.contracts.deliveries import Deliveries
from loader.contracts.delivery_rules import EndMarker, Guard, InvalidRows, Keep, MaxOf, RowRule
from loader.contracts.formats import CsvFormat
from loader.contracts.model import Mistake, Model, Regex, named, tell
from loader.contracts.names import plain_header
from loader.contracts.patterns import unmatched
from loader.contracts.periods import Period
from loader.contracts.sql import objection_to

OWN_RULES = re.compile(
    r"required|pattern|finite|fill down|error cell|number of 2\^53 and more|NUL character|allowed values|unique key|"
    "duplicate of row .*|(?:clean|type|length|min|max) .*|.* cells expected|matching quotes|delimiter before a quote"
)
"""Names in the rejects that are those of other rules than rules across columns."""


class Contract(Deliveries):
    """Everything that is agreed about one dataset."""

    kind: Literal["full", "delta"] = Field(examples=["full"])
    """`full`: every file lists every live key, an absent key has ended; `delta`: new and changed rows only, with an
    `end_marker`."""
    key: tuple[str, ...] = Field(examples=[["office", "number"]])
    """The natural key: a column, or a list of them. It stands once in a delivery."""
    columns: Annotated[tuple[Column, ...], BeforeValidator(named, json_schema_input_type=dict[str, Column])]
    """The columns by name; their order in a file does not matter."""
    ignore: tuple[Regex, ...] = Field((), examples=[["Notes", "Unnamed.*"]])
    """Headers that a file may have besides, and that are not read: each the header itself, or a regular expression for
    the whole of it, compared without regard to case, line breaks and repeated blanks. A header of a column is read
    whatever stands here."""
    end_marker: EndMarker | Literal["none"] | None = Field(None, examples=["none"])
    """Of a delta: how it says that a key has ended. `none`: it never does, as in a list of events."""
    row_rules: tuple[RowRule, ...] = ()
    """Conditions across columns."""
    invalid_rows: InvalidRows = InvalidRows()
    """What happens to invalid rows."""
    duplicates: Literal["reject", "identical"] | Keep = Field("reject", examples=["identical"])
    """What happens to rows that share their key. `reject`: all are rejected; `identical`: rows that are equal in every
    column of the contract, after cleaning, count once, others are rejected; `{keep: …}`: one of them is taken."""
    rejected_rows: Literal["unknown", "absent"] = Field("unknown", examples=["absent"])
    """Of a full dataset: what is known of a key that only rejected rows have. `unknown`: nothing, its history is that
    of the other deliveries; `absent`: it has ended."""
    unreadable_keys: Literal["carry", "refuse"] = Field("carry", examples=["refuse"])
    """What happens to a delivery with a rejected row whose key cannot be read. `carry`: it is incomplete, every key
    that it does not state is unknown; `refuse`: it is refused."""
    guard: Guard = Guard()
    """How much one delivery may end or change without being forced."""
    keep_files: bool = False
    """Keep the delivered files in the archive too, packed: then a changed contract and `loader recheck` can read them
    again when the sender's file is gone. Files that were loaded before are kept when they are read again."""

    @field_validator("key", mode="before", json_schema_input_type=str | list[str])
    @classmethod
    def _key_is_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else (value,)

    @model_validator(mode="after")
    def _key_is_required(self) -> Self:
        names = [column.name for column in self.columns]
        if not self.key or len(set(self.key)) < len(self.key):
            raise ValueError("a dataset needs a natural key: its columns, each once")
        for column in self.key:
            if column not in names:
                raise ValueError(f"key column '{column}' is not among the columns")
            if not self.column(column).required:
                raise ValueError(f"key column '{column}' must be 'required: true'")
            for word in ("since", "until", "optional"):
                if getattr(self.column(column), word):
                    raise ValueError(f"key column '{column}' cannot have '{word}': every delivery has its keys")
        return self

    @model_validator(mode="after")
    def _delta_has_end_marker(self) -> Self:
        if (self.kind == "delta") != (self.end_marker is not None):
            raise ValueError(
                "'end_marker' belongs to 'kind: delta', and a delta needs one ('end_marker: none' if no key ever ends)"
            )
        marker = self.ends_by
        if marker is None:
            return self
        marked = next((column for column in self.columns if column.name == marker.column), None)
        if marked is None or marked.name in self.key:
            raise ValueError(f"end_marker column '{marker.column}' is not among the columns besides the key")
        if marked.optional:
            raise ValueError(f"end_marker column '{marked.name}' cannot be 'optional': without it no key would end")
        objection = marked.objection(marker.value) if marked.type.name == "varchar" else None
        if objection:
            tell([Mistake(f"end_marker value {objection}", ("end_marker", "value"))])
        return self

    @model_validator(mode="after")
    def _largest_is_of_a_column(self) -> Self:
        largest = self.duplicates.keep if isinstance(self.duplicates, Keep) else None
        if isinstance(largest, MaxOf) and largest.max not in {c.name for c in self.columns} - set(self.key):
            raise ValueError(f"duplicates: column '{largest.max}' is not among the columns besides the key")
        return self

    @model_validator(mode="after")
    def _only_a_full_dataset_knows_absence(self) -> Self:
        for word in ("rejected_rows", "unreadable_keys"):
            if word in self.model_fields_set and self.kind == "delta":
                raise ValueError(f"'{word}' belongs to 'kind: full'; a delta ends no key that it does not name")
        if self.unreadable_keys == "refuse" and self.rejected_rows == "absent":
            raise ValueError("'unreadable_keys: refuse' belongs to 'rejected_rows: unknown'")
        return self

    @model_validator(mode="after")
    def _periods_have_the_grain(self) -> Self:
        for column in self.columns:
            for header in column.header:
                for name in (header.from_period, header.until_period):
                    if name is not None:
                        self.period(name)
            for bound in (column.since, column.until):
                if bound is not None:
                    self.period(bound)
        return self

    @model_validator(mode="after")
    def _headers_are_unique(self) -> Self:
        headers = [header for column in self.columns for header in column.header]
        begins = [*(header.from_period for header in headers), *(column.since for column in self.columns)]
        changes = {self.period(name).start for name in begins if name is not None}
        ends = [*(header.until_period for header in headers), *(column.until for column in self.columns)]
        changes |= {self.period(name).end for name in ends if name is not None}
        for moment in (datetime(1, 1, 1), *sorted(changes)):
            columns: dict[str, str] = {}
            for name, accepted in self.headers(Period(moment, moment, "")).items():
                for header in accepted:
                    other = columns.setdefault(plain_header(header), name)
                    if other != name:
                        raise ValueError(f"columns '{other}' and '{name}' have the same header '{header}'")
        return self

    @model_validator(mode="after")
    def _header_names_the_columns(self) -> Self:
        """Without a header nobody can tell which column is there."""
        if isinstance(self.format, CsvFormat) and self.format.header == "none":
            if self.ignore:
                raise ValueError("'ignore' belongs to a file with a header, not to 'header: none'")
            optional = [column.name for column in self.columns if column.optional]
            if optional:
                raise ValueError(f"column '{optional[0]}' cannot be 'optional' with 'header: none'")
        return self

    @model_validator(mode="after")
    def _words_agree(self) -> Self:
        """What a column says fits the format."""
        tell(self._mistakes_of_columns())
        return self

    def _mistakes_of_columns(self) -> Iterator[Mistake]:
        for at, column in enumerate(self.columns):
            notation = column.notation(self.format)
            for mistake in notation.mistakes():
                yield replace(mistake, place=("columns", at, *mistake.place))
            texts: list[tuple[str, tuple[str | int, ...]]]
            texts = [(text, ("allowed", number)) for number, text in enumerate(column.allowed or ())]
            texts += [(text, ("map", text)) for text in column.map]
            for text, place in texts:
                if text in notation.null_values:
                    yield Mistake(f"'{text}' is among null_values, so that no cell has it", ("columns", at, *place))

    @model_validator(mode="after")
    def _row_rules_are_sound(self) -> Self:
        tell(self._mistakes_of_row_rules())
        return self

    def _mistakes_of_row_rules(self) -> Iterator[Mistake]:
        row = ", ".join(f'cast(null as {column.type}) as "{column.name}"' for column in self.columns)
        columns = {column.name for column in self.columns}
        for at, rule in enumerate(self.row_rules):
            if rule.name in columns or OWN_RULES.fullmatch(rule.name):
                yield Mistake(f"row rule '{rule.name}' has the name of a column or of another rule", ("row_rules", at))
            if rule.name in {other.name for other in self.row_rules[:at]}:
                yield Mistake(f"two row rules are called '{rule.name}'", ("row_rules", at))
            objection = objection_to(f"select not ({rule.check}) from (select {row})")
            if objection:
                reason = f"row rule '{rule.name}' is not a valid condition on a row: {objection}"
                yield Mistake(reason, ("row_rules", at))

    def column(self, name: str) -> Column:
        """The column called `name`, which must be one of this contract."""
        return next(column for column in self.columns if column.name == name)

    @property
    def ends_by(self) -> EndMarker | None:
        """The end marker of a delta; None of a full dataset, and of a delta whose keys never end."""
        return self.end_marker if isinstance(self.end_marker, EndMarker) else None

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change starts a new version: not the key, not the end marker."""
        marker = self.ends_by.column if self.ends_by else None
        return tuple(c.name for c in self.columns if c.tracked and c.name not in self.key and c.name != marker)

    @property
    def knows_unknown(self) -> bool:
        """Whether a key that only rejected rows have is unknown, and neither stated nor absent."""
        return self.kind == "full" and self.rejected_rows == "unknown"

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change when a delivery would be read, checked or typed differently.

        Words for people (titles, descriptions) and what only history, the guard or the archive uses are left out; so
        are defaults, so that a word that contracts learn later makes no file new.
        """
        left_out: dict[str, Any] = dict.fromkeys(
            ("title", "description", "guard", "kind", "end_marker", "keep_files"), True
        )
        left_out["columns"] = {"__all__": {"description", "tracked", "personal"}}
        left_out["row_rules"] = {"__all__": {"description"}}
        fields = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]

    def headers(self, period: Period) -> dict[str, tuple[str, ...]]:
        """By column name the headers of which a delivery of `period` has one; without columns that it has not."""
        found = {column.name: column.headers_at(period, self.period) for column in self.columns}
        return {name: headers for name, headers in found.items() if headers}

    def ignores(self, header: str) -> bool:
        """Whether a file may have a header that is none of a column's."""
        text = plain_header(header)
        return any(text == plain_header(one) or not unmatched(f"(?i)^(?:{one})$", text) for one in self.ignore)

    def names(self, period: Period) -> list[str]:
        """What the columns of a delivery of `period` are called, in their order; of several headers the first."""
        return [headers[0] for headers in self.headers(period).values()]


class Contracts(Model):
    """The whole of `datasets_config.yml`, by dataset name."""

    datasets: Annotated[
        tuple[Contract, ...],
        BeforeValidator(
            lambda value: () if value is None else named(value), json_schema_input_type=dict[str, Contract]
        ),
    ] = Field(json_schema_extra={"type": ["object", "null"]})
    """The contracts by name of the dataset, which is also that of its stage table; none in a new project."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.datasets)

    def get(self, name: str) -> Contract | None:
        """The contract of a dataset; None when there is none."""
        return next((contract for contract in self.datasets if contract.name == name), None)
