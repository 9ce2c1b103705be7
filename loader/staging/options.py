"""Options that name a delivery: each must be possible, and all must name the same one."""

from __future__ import annotations

from typing import Any

from loader.contracts import Contract, Period
from loader.errors import UsageError
from loader.project import Project


def refuse_impossible(project: Project, dataset: str | None, period: str | None) -> None:
    """Refuse names that no delivery can have.

    Raises:
        UsageError: there is no such dataset, or no grain that is asked for has a period of this name.
    """
    asked = project.contracts if dataset is None else [project.contract(dataset)]
    objections: dict[str, None] = {}
    for contract in asked if period is not None else ():
        try:
            contract.period(str(period))
        except ValueError as error:
            objections[str(error)] = None
        else:
            return
    if objections:
        raise UsageError(f"--period: {'; '.join(objections)}")


def refuse_contradiction(file: str, is_of: tuple[Contract, Period], dataset: str | None, period: str | None) -> None:
    """Refuse options that say of a delivery what it is not.

    Raises:
        UsageError: the file is of another dataset or period than the options say.
    """
    contract, of = is_of
    for option, said, found in (("dataset", dataset, contract.name), ("period", period, of.name)):
        if said not in (None, found):
            raise UsageError(
                f"{file} is of {contract.name} {of}, and --{option} says {said}; leave the option out, or name the "
                "file that it means"
            )


def refuse_second_name(**names: Any) -> None:
    """Refuse two options that each name one delivery.

    Raises:
        UsageError: more than one of them was given.
    """
    given = [f"--{name.replace('_', '-')}" for name, value in names.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} each name one delivery; keep one of them")
