"""Reads `datasets_config.yml`; a wrong contract is refused with its line and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import ConstructorError
from yaml.reader import Reader, ReaderError

from loader.contracts.contract import Contract, Contracts
from loader.errors import UsageError
from loader.files import text_of
from loader.places import CONTRACTS_FILE
from loader.text import listed

YAML_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads YAML as dbt does: in C, where the package was built with it, which takes a tenth of the time."""


def read_contracts(project_dir: Path) -> Contracts:
    """The contracts of the project.

    Raises:
        UsageError: the file is missing, is not valid YAML, or says something that no contract can say.
    """
    path = project_dir / CONTRACTS_FILE
    try:
        text = text_of(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; every project has its contracts there") from None
    return contracts_of(text, path.name)


def contracts_of(text: str, name: str = CONTRACTS_FILE) -> Contracts:
    """The contracts that a text says; `name` is that of its file, for messages.

    Raises:
        UsageError: it is not valid YAML, or says something that no contract can say.
    """
    root = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        _refuse_duplicate_keys(root, name)
        return Contracts.model_validate({} if root is None else loader.construct_document(root))
    except ReaderError as error:
        # its position is in characters or in bytes, as the parser is in Python or in C
        found = Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, found.start() if found else 0) + 1
        raise UsageError(f"{name}, line {line}: is not valid YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{name}, line {line}: is not valid YAML: {error.problem}") from None
    except ValidationError as error:
        mistakes = [_explain(problem, root, name) for problem in error.errors(include_context=False)]
    # outside of the handler: pydantic's error would keep what its validators imported alive to the bitter end
    raise UsageError("\n".join(mistakes))


def find_contract(contracts: Contracts, dataset: str) -> Contract:
    """The contract of `dataset`; raises UsageError with the known names."""
    contract = contracts.get(dataset)
    if contract is None:
        known = listed(contract.name for contract in contracts)
        raise UsageError(f"dataset '{dataset}' has no contract in datasets_config.yml; known are: {known}")
    return contract


class _Loader(YAML_LOADER):  # type: ignore[misc,valid-type]
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """As ever, but says where a value is that YAML takes for what it cannot be, such as the date 2025-02-30."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, f"'{node.value}': {error}", node.start_mark) from None


_REASONS = {
    "extra_forbidden": "is not a word that a contract knows here",
    "missing": "is required",
    "tuple_type": "is a list: [a, b]",
    "dict_type": "is a mapping, with words of its own below it",
    "model_type": "is a mapping, with words of its own below it",
    "model_attributes_type": "is a mapping, with words of its own below it",
    "string_type": "is text: write it in quotes",
}
"""What is wrong, in words of the file, by pydantic's type of error."""


def _explain(problem: ErrorDetails, root: yaml.Node | None, name: str) -> str:
    place, line = _locate(root, problem["loc"])
    reason = problem["msg"].removeprefix("Value error, ")
    reason = _REASONS.get(problem["type"], reason)
    return f"{name}, line {line}: {'.'.join(place) or 'file'}: {reason}"


def _locate(node: yaml.Node | None, loc: Sequence[str | int]) -> tuple[list[str], int]:
    """Path in the words of the file, and line, of a pydantic location; as deep as the file goes."""
    place: list[str] = []
    line = node.start_mark.line + 1 if node else 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key.value, key, value) for key, value in node.value]
            found = [pairs[part]] if isinstance(part, int) else [pair for pair in pairs if pair[0] == part]
            if not found:
                if isinstance(part, str) and part not in ("csv", "workbook"):
                    place.append(part)
                continue
            name, key, node = found[0]
            place.append(str(name))
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(part, str):
            place.append(part)
    return place, line


def _refuse_duplicate_keys(node: yaml.Node | None, name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # no contract has such a key, as YAML itself will say
            if key.value in seen:
                line = key.start_mark.line + 1
                raise UsageError(f"{name}, line {line}: '{key.value}' is written twice; keep one of them")
            seen.add(key.value)
            _refuse_duplicate_keys(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicate_keys(value, name)
