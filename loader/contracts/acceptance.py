"""What a contract would have to say to take a header that it refuses today."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from loader.contracts.columns import Column, Header
from loader.contracts.contract import Contract
from loader.contracts.names import plain_header
from loader.contracts.periods import Period
from loader.errors import RefusedError
from loader.text import listed


@dataclass(frozen=True)
class Change:
    """A word of a contract that is written, or gets one more item."""

    column: str | None
    """The column that it stands below; None for a word of the dataset."""
    word: str
    item: object
    """The header of a column from a period on, `True`, or a header to ignore."""
    until: str | None = None
    """Of a header: the last period in which those without dates still count beside it."""


@dataclass(frozen=True)
class Accepted:
    """What takes a header, as far as it can be told."""

    changes: list[Change]
    undecided: list[str]
    """Headers of which nobody can tell whether they are a new column or the new name of one of the `gone`."""
    gone: list[str]


def accept(
    contract: Contract,
    period: Period,
    unknown: Sequence[str],
    missing: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    loaded: Sequence[Period] = (),
) -> Accepted:
    """The changes by which a header of `period` is taken that has `unknown` headers and lacks the columns `missing`.

    A header is that of a missing column when `renamed` says so (by header the column), or when it has the letters and
    digits of a header that the column has in any period. What is unknown besides is ignored and what is missing besides
    optional, unless both are there: then only those are `ignored` that are named.

    A header counts from its period on, and those before it count no more; but they go on up to the last of the `loaded`
    periods that has them, so that its file can be read again.
    """
    told = {plain_header(header): column for header, column in (renamed or {}).items()}
    to_ignore = {plain_header(header) for header in ignored}
    gone, left, changes = [*missing], [], []
    for header in unknown:
        alike = [name for name in gone if _letters(header) in map(_letters, _headers_of(contract.column(name)))]
        column = told.get(plain_header(header)) or (alike[0] if len(alike) == 1 else None)
        if column in gone and plain_header(header) not in to_ignore:
            gone.remove(column)
            item = {"header": " ".join(header.split()), "from": period.name}
            changes.append(Change(column, "header", item, _last_with_same(contract, column, period, loaded)))
        else:
            left.append(header)
    undecided = [header for header in left if gone and plain_header(header) not in to_ignore]
    changes += [Change(None, "ignore", literal(header)) for header in left if header not in undecided]
    if not undecided:
        changes += [Change(name, "optional", True) for name in gone]
    return Accepted(changes, undecided, gone)


def _headers_of(column: Column) -> list[str]:
    """What a column is or was called in files, and in the contract."""
    return [column.name, *(one.header for one in column.header)]


def _last_with_same(contract: Contract, name: str, period: Period, loaded: Sequence[Period]) -> str | None:
    """The last loaded period, from this one on, in which a column has the same undated headers as in this one."""
    now = contract.headers(period)[name]
    if any(one.is_dated and one.is_valid(period, contract.period) for one in contract.column(name).header):
        return None  # one more with a date counts beside them
    same = [one for one in loaded if one >= period and contract.headers(one).get(name) == now]
    return max(same).name if same else None


def refuse_lasting(contract: Contract, gone: Sequence[str]) -> None:
    """Raise RefusedError when a column is missing that no delivery may lack."""
    marker = contract.ends_by.column if contract.ends_by else None
    lasting = [name for name in gone if contract.column(name).required or name == marker]
    if lasting:
        raise RefusedError(
            f"a delivery of '{contract.name}' cannot lack {listed(lasting)}, being a key, an end marker or required; "
            "if a required column is gone for good, write its 'until' by hand"
        )


def lines_of(changes: Sequence[Change], contract: Contract) -> str:
    """The words as they are written into the contract, each with where it stands."""
    ignored = [change.item for change in changes if change.word == "ignore"]
    parts = [f"columns.{one.column}: `{word_of(one, contract)}`" for one in changes if one.column is not None]
    if ignored:
        parts.append(f"the dataset: `ignore: {flow([*contract.ignore, *ignored])}`")
    return "; ".join(parts)


def word_of(change: Change, contract: Contract) -> str:
    """A word that is not there yet, on a line."""
    if change.word == "header" and change.column is not None:
        before = [_header(one, change.until) for one in contract.column(change.column).header]
        return f"header: {flow([*(before or [ended(change.column, change.until)]), change.item])}"
    return f"{change.word}: {flow([change.item] if change.word == 'ignore' else change.item)}"


def flow(value: object) -> str:
    """A value on one line of YAML, as it may stand within brackets."""
    text = yaml.safe_dump([value], default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.strip()[1:-1]


def _header(header: Header, until: str | None) -> object:
    words = header.model_dump(by_alias=True, exclude_none=True)
    return words if header.is_dated else ended(header.header, until)


def ended(header: str, until: str | None) -> object:
    """A header without dates, as it is written when it counts until a period."""
    return header if until is None else {"header": header, "until": until}


def literal(header: str) -> str:
    """A header as `ignore` takes it and no other one."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", " ".join(header.split()))


def _letters(header: str) -> str:
    text = unicodedata.normalize("NFKD", header).casefold()
    return "".join(character for character in text if character.isalnum())
