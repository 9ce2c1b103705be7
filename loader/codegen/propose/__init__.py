"""Propose: a contract for sample files, as a starting point to be read and corrected by a person.

This is the only place that guesses. Each word of a proposal stands beside what shows it, and what the samples cannot
tell is asked for. Nothing is loaded by a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from loader.codegen.propose.contract import words_of_contract
from loader.codegen.propose.family import join_columns
from loader.codegen.propose.file_names import by_period, read_names
from loader.codegen.propose.groups import fill_groups
from loader.codegen.propose.ignored import without_ignored
from loader.codegen.propose.names import dataset_name
from loader.codegen.propose.sample import Asked, Sample, read_sample
from loader.codegen.propose.trial import Tried, try_contract
from loader.codegen.propose.within import find_within
from loader.codegen.propose.writing import contract_yaml, decisions
from loader.contracts import Contract
from loader.errors import RefusedError
from loader.text import listed, plural

__all__ = ["Asked", "Proposal", "propose"]


@dataclass(frozen=True)
class Proposal:
    """A proposed contract."""

    contract: Contract
    text: str
    """It as YAML, as it stands below `datasets:`, with comments."""
    decisions: tuple[str, ...]
    """What a person has to decide, each with its place in the contract."""
    tried: tuple[Tried, ...]
    """What loading each sample by it would do."""


def propose(paths: Sequence[Path], dataset: str | None = None, asked: Asked | None = None) -> Proposal:
    """A contract for files of one dataset.

    Raises:
        RefusedError: a file has an extension that no reader knows, cannot be read, or has no table.
        UsageError: the files are not called alike.
    """
    names = read_names(paths)
    order = [*by_period(names)]
    names = replace(names, periods=tuple(names.periods[at] for at in order if names.periods))
    samples = [read_sample(paths[at], asked or Asked()) for at in order]
    columns, headless = join_columns(samples)
    if not names.periods:
        names = find_within(samples[0], names) or names
    columns, ignored = without_ignored(columns)
    columns = fill_groups(columns)
    if not columns:
        raise RefusedError(
            f"{samples[0].path.name}: row {samples[0].top.first} holds no header; name the right one by --header-row"
        )
    called = dataset or dataset_name(names.stem)
    words = words_of_contract(samples, columns, ignored, names, called)
    text = contract_yaml(called, words, _above(samples, headless))
    fields = next(iter(yaml.safe_load(text).values()))
    contract = Contract.model_validate({"name": called, **fields})
    tried = try_contract(contract, [sample.path for sample in samples], names.periods)
    return Proposal(contract, text, (*decisions(called, words), *headless), tuple(tried))


def _above(samples: Sequence[Sample], headless: Sequence[str]) -> list[str]:
    files = listed(
        (
            f"{sample.path.name} ({plural(sample.rows, 'row')}{'' if sample.is_whole else ', not all of it'})"
            for sample in samples
        ),
        3,
    )
    return [
        f"Proposed from {files}. Read every line: a sample shows what is, not what may come.",
        *(f"decide: {what}" for what in headless),
    ]
