"""What a contract would have to say to take a header that it refuses today."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

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
) -> Accepted:
    """The changes by which a header of `period` is taken that has `unknown` headers and lacks the columns `missing`.

    A header is that of a missing column when `renamed` says so (by header the column), or when both have the same
    letters and digits. What is unknown besides is ignored and what is missing besides optional, unless both are there:
    then only those are `ignored` that are named.
    """
    told = {plain_header(header): column for header, column in (renamed or {}).items()}
    to_ignore = {plain_header(header) for header in ignored}
    gone, left, changes = [*missing], [], []
    headers = contract.headers(period)
    for header in unknown:
        alike = [name for name in gone if _letters(header) in {_letters(name), *map(_letters, headers[name])}]
        column = told.get(plain_header(header)) or (alike[0] if len(alike) == 1 else None)
        if column in gone and plain_header(header) not in to_ignore:
            gone.remove(column)
            changes.append(Change(column, "header", {"header": " ".join(header.split()), "from": period.name}))
        else:
            left.append(header)
    undecided = [header for header in left if gone and plain_header(header) not in to_ignore]
    changes += [Change(None, "ignore", _literal(header)) for header in left if header not in undecided]
    if not undecided:
        changes += [Change(name, "optional", True) for name in gone]
    return Accepted(changes, undecided, gone)


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
        before = [_header(one) for one in contract.column(change.column).header] or [change.column]
        return f"header: {flow([*before, change.item])}"
    return f"{change.word}: {flow([change.item] if change.word == 'ignore' else change.item)}"


def flow(value: object) -> str:
    """A value on one line of YAML, as it may stand within brackets."""
    text = yaml.safe_dump([value], default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.strip()[1:-1]


def _header(header: object) -> object:
    words = header.model_dump(by_alias=True, exclude_none=True)  # type: ignore[attr-defined]
    return words["header"] if len(words) == 1 else words


def _literal(header: str) -> str:
    """A header as `ignore` takes it and no other one."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", " ".join(header.split()))


def _letters(header: str) -> str:
    text = unicodedata.normalize("NFKD", header).casefold()
    return "".join(character for character in text if character.isalnum())
