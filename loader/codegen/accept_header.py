"""Writes what takes a header into datasets_config.yml: only the words that change, all else stays as it is written."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import yaml

from loader.contracts import Contract, Contracts
from loader.contracts.acceptance import Change, ended, flow, word_of
from loader.contracts.file import contracts_of
from loader.errors import UsageError
from loader.places import CONTRACTS_FILE

_Edit = tuple[int, int, str]
"""From where to where, in characters, which text is put in."""


def with_changes(text: str, contracts: Contracts, contract: Contract, changes: Sequence[Change]) -> str:
    """The text of the contracts with these changes; raises UsageError when it is written in a way that hinders it."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    try:
        dataset = _value(_value(root, "datasets"), contract.name)
        edits = [edit for change in changes if change.column for edit in _of_column(text, dataset, contract, change)]
        ignored = [change.item for change in changes if change.word == "ignore"]
        if ignored:
            edits += _of_ignored(text, dataset, ignored)
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        changed = contracts_of(text)
    except (LookupError, UsageError, yaml.YAMLError):
        raise _by_hand(contract) from None
    if _rest(changed, contract.name, changes) != _rest(contracts, contract.name, changes):
        raise _by_hand(contract)  # an alias: it would change other columns, too
    return text


def difference(before: str, after: str) -> list[str]:
    """The lines that change, as `diff -u` shows them."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), CONTRACTS_FILE, CONTRACTS_FILE, lineterm="", n=2
    )
    return [*lines]


def _by_hand(contract: Contract) -> UsageError:
    return UsageError(
        f"the contract of '{contract.name}' is written in a way that cannot be changed here; write the words by hand, "
        "as the refusal of the file has them"
    )


def _rest(contracts: Contracts, name: str, changes: Sequence[Change]) -> dict[str, Any]:
    """All that the changes have no part in."""
    words = {(change.column, change.word) for change in changes}
    found: dict[str, Any] = {}
    for contract in contracts:
        dumped = contract.model_dump(mode="json")
        if contract.name == name:
            for word in ("ignore",):
                if (None, word) in words:
                    dumped.pop(word)
            for column in dumped["columns"]:
                for changed, word in words:
                    if column["name"] == changed:
                        column.pop(word)
        found[contract.name] = dumped
    return found


def _value(node: yaml.Node | None, key: str) -> yaml.Node:
    found: list[yaml.Node] = [value for name, value in _words(node) if name.value == key]
    if not found:
        raise LookupError(key)
    return found[0]


def _words(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _has(node: yaml.Node, key: str) -> bool:
    return any(name.value == key for name, _ in _words(node))


def _before(at: int, new: str) -> _Edit:
    return at, at, new


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends; a block ends with its last word, not with what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line(text: str, at: int, column: int, line: str) -> _Edit:
    """A line of its own below that of `at`."""
    end = _line_end(text, at)
    missing = _newline(text) if end == len(text) and not text.endswith("\n") else ""
    return end, end, f"{missing}{' ' * column}{line}{_newline(text)}"


def _of_column(text: str, dataset: yaml.Node, contract: Contract, change: Change) -> list[_Edit]:
    column = _value(_value(dataset, "columns"), str(change.column))
    if not _has(column, change.word):
        return [_new_word(text, column, word_of(change, contract), after="type")]
    if change.word != "header":
        raise LookupError(change.word)
    header = _value(column, "header")
    return [*(_ended(header, change.until) if change.until else []), *_one_more(text, header, [change.item])]


def _of_ignored(text: str, dataset: yaml.Node, items: list[object]) -> list[_Edit]:
    if _has(dataset, "ignore"):
        return _one_more(text, _value(dataset, "ignore"), items)
    return [_new_word(text, dataset, f"ignore: {flow(items)}", after="key")]


def _new_word(text: str, node: yaml.Node, word: str, after: str) -> _Edit:
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        return _before(_end(node.value[-1][1]), f", {word}")
    return _line(text, _end(_value(node, after)), node.start_mark.column, word)


def _one_more(text: str, node: yaml.Node, items: list[object]) -> list[_Edit]:
    """The same list with more items; what is no list becomes one."""
    added = "".join(f", {flow(item)}" for item in items)
    if isinstance(node, yaml.SequenceNode):
        if not node.value:
            raise LookupError("empty")
        if node.flow_style:
            return [_before(_end(node.value[-1]), added)]
        at, column = _end(node.value[-1]), node.start_mark.column
        lines = [_line(text, at, column, f"- {flow(item)}") for item in items]
        return [_before(lines[0][0], "".join(new for _, _, new in lines))]
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        raise LookupError("block")
    return [_before(int(node.start_mark.index), "["), _before(_end(node), f"{added}]")]


def _ended(header: yaml.Node, until: str) -> list[_Edit]:
    """The headers without dates count until a period."""
    edits = []
    for item in header.value if isinstance(header, yaml.SequenceNode) else [header]:
        if isinstance(item, yaml.ScalarNode):
            edits.append((int(item.start_mark.index), int(item.end_mark.index), flow(ended(item.value, until))))
        elif not _has(item, "from") and not _has(item, "until"):
            edits.append(_new_word("", item, f"until: {flow(until)}", after="header"))
    return edits
