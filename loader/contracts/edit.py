"""Changes `datasets_config.yml` as a person would: comments and all other lines stay as they are.

A change is written beside the file and takes its place when the contracts are still valid, so that a crash or a mistake
leaves the file as it was.
"""

from __future__ import annotations

import codecs
import shutil
from pathlib import Path

import yaml

from loader.contracts.contract import Contracts
from loader.contracts.file import contracts_of, read_contracts
from loader.errors import UsageError
from loader.files import replacing, synced, text_of
from loader.places import CONTRACTS_FILE


def append_dataset(project_dir: Path, dataset: str, text: str) -> Contracts:
    """Put a contract to the end of the file; `text` is as it stands below `datasets:`, indented by two blanks.

    Raises:
        UsageError: the file is missing or not valid, has a contract of that name, or would not be valid afterwards.
    """
    before = read_contracts(project_dir)
    if before.get(dataset) is not None:
        raise UsageError(f"dataset '{dataset}' has a contract in {CONTRACTS_FILE} already; name this one by --dataset")
    path = project_dir / CONTRACTS_FILE
    return rewrite(path, _appended(text_of(path), text))


def rewrite(path: Path, text: str) -> Contracts:
    """Give the file another text, if its contracts are valid; returns them.

    Raises:
        UsageError: they are not, and the file stays as it was.
    """
    contracts = contracts_of(text, path.name)
    path = path.resolve()
    mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
    with replacing(path) as unfinished:
        unfinished.write_bytes(mark + text.encode())
        shutil.copymode(path, unfinished)
        synced(unfinished)
    synced(path.parent)
    return contracts


def _appended(text: str, contract: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    words = root.value if isinstance(root, yaml.MappingNode) else []
    (datasets,) = (value for key, value in words if key.value == "datasets")
    if isinstance(datasets, yaml.MappingNode) and datasets.value and not datasets.flow_style:
        column = datasets.start_mark.column
        return f"{_with_end(text, end)}{_indented(contract, column, end)}"
    if isinstance(datasets, yaml.MappingNode) and datasets.value:
        raise UsageError(
            f"{CONTRACTS_FILE}, line {datasets.start_mark.line + 1}: 'datasets' is written in braces; write each "
            "contract in lines of its own"
        )
    bare = text[: datasets.start_mark.index].rstrip(" ") + text[datasets.end_mark.index :]
    return f"{_with_end(bare, end)}{_indented(contract, 2, end)}"


def _with_end(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else text + end


def _indented(contract: str, column: int, end: str) -> str:
    lines = (line.rstrip("\n") for line in contract.splitlines())
    moved = (line if line.startswith("#") else " " * column + line[2:] for line in lines)
    return "".join(line.rstrip() + end for line in moved)
