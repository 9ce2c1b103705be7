"""Files of the landing folder that no contract knows: which contract is nearest, and why the name does not fit it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from loader import console
from loader.contracts import Contract, Contracts
from loader.errors import RefusedError
from loader.text import plural

_MOST_TOLD = 5
"""Lines about kinds of names."""
_MOST_EXPLAINED = 20
"""Kinds of names for which the nearest contract is looked for; that costs milliseconds each."""
_MOST_LETTERS = 120
"""Of a name that is compared letter by letter."""
_NEAR = 0.6
"""Share of letters that two names have in common, from which on they are alike."""
_EXTENSIONS = {
    "csv": (".csv", ".csv.gz", ".txt", ".tsv"),
    "workbook": (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
}


class UnknownFileError(RefusedError):
    """No contract has a name like that of the file."""


@dataclass(frozen=True)
class UnknownFile:
    """A file that no contract knows."""

    file: str
    nearest: str | None
    """The dataset whose names are most like it; None when none is."""
    message: str
    """Why the name is not one of it."""
    like: str | None = None
    """The file before it of which the name differs in digits only."""

    def as_json(self) -> dict[str, str | None]:
        """The file as `--json` prints it."""
        return {"file": self.file, "nearest": self.nearest, "message": self.message}


def explain(names: Sequence[str], contracts: Contracts) -> list[UnknownFile]:
    """Of each file the nearest contract; names that differ in their digits only are explained once."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(re.sub(r"\d+", "0", name.lower()), []).append(name)
    found = []
    for number, alike in enumerate(kinds.values()):
        nearest, why = (
            _nearest(alike[0], contracts)
            if number < _MOST_EXPLAINED
            else (None, "other names were compared, this one was not")
        )
        found.append(UnknownFile(alike[0], nearest, why))
        found += [UnknownFile(name, nearest, f"as {alike[0]}: {why}", alike[0]) for name in alike[1:]]
    return found


def tell(files: Sequence[UnknownFile]) -> None:
    """Name them to a person, in a few lines."""
    alike = Counter(one.like or one.file for one in files)
    explained = [one for one in files if one.like is None]
    for one in explained[:_MOST_TOLD]:
        such = f" and {alike[one.file] - 1:,} of such names" if alike[one.file] > 1 else ""
        console.note(f"no contract knows {one.file}{such}: {one.message}")
    rest = sum(alike[one.file] for one in explained[_MOST_TOLD:])
    if rest:
        console.note(f"no contract knows {plural(rest, 'more file')}; `loader status --json` lists all of them")


def _nearest(name: str, contracts: Contracts) -> tuple[str | None, str]:
    """The dataset, and why the name is not one of it."""
    likeness = {contract.name: _likeness(name, contract) for contract in contracts}
    ranked = sorted(contracts, key=lambda contract: -likeness[contract.name])
    if len(name) <= _MOST_LETTERS:
        for corrections, most in ((_other_extensions, None), (_without_a_part, 3), (_another_character, 3)):
            for contract in ranked[:most]:
                for why, corrected in corrections(name, contract):
                    if contract.match(*corrected.split("/")):
                        return (
                            contract.name,
                            f"the name is one of {contract.name} but for {why}; '{corrected}' would be one",
                        )
    if ranked and likeness[ranked[0].name] >= _NEAR:
        return ranked[0].name, f"the nearest are the names of {ranked[0].name}: {ranked[0].file_name}"
    return None, "its name is like none of theirs"


def _likeness(name: str, contract: Contract) -> float:
    """The share of letters that a name and a pattern have in common, between 0 and 1."""
    written = re.sub(r"\(\?P<\w+>|\\.", " ", contract.file_name)
    one, other = (re.sub("[^a-z]", "", text.lower()) for text in (name, written))
    return SequenceMatcher(None, one, other).ratio()


def _other_extensions(name: str, contract: Contract) -> Iterator[tuple[str, str]]:
    """The name under each extension that the contract may mean."""
    suffixes = Path(name).suffixes
    of_pattern = [f".{word}" for word in re.findall(r"\\\.(\w+)", contract.file_name)]
    for count in range(min(len(suffixes), 2) + 1):
        extension = "".join(suffixes[len(suffixes) - count :])
        for other in dict.fromkeys(["", *of_pattern, *_EXTENSIONS[contract.format.type]]):
            why = f"its extension '{extension}'" if extension else "a missing extension"
            yield why, name.removesuffix(extension) + other


def _without_a_part(name: str, _: Contract) -> Iterator[tuple[str, str]]:
    """The name without a part of it, a short one first: ` (1)`, `Copy of `, `.part`."""
    for length in range(1, len(name)):
        for start in range(len(name) - length + 1):
            yield f"'{name[start : start + length]}'", name[:start] + name[start + length :]


def _another_character(name: str, contract: Contract) -> Iterator[tuple[str, str]]:
    """The name with one character more, or another one in the place of one."""
    written = re.sub(r"\(\?P<\w+>|\\(?=\W)|\\\w", "", contract.file_name)
    for character in dict.fromkeys(f"_-. {written}".lower()):
        for place in range(len(name) + 1):
            yield "a character", name[:place] + character + name[place:]
            yield "a character", name[:place] + character + name[place + 1 :]
