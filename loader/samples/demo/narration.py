"""How a demo tells its story, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from loader import console
from loader.contracts import Contract, Period
from loader.errors import UsageError
from loader.files import sha256_of
from loader.project import Project
from loader.staging.rollback import rollback, tell
from loader.text import number
from loader.warehouse.versions import rollback_command, versions_of

_ELSEWHERE = "run it in another clone, and leave your data where they are"


def refuse_strangers(project: Project, contract: Contract, made: dict[str, str]) -> None:
    """Deliveries that the demo did not make stay alone; `made` has the hash of its own by name.

    Raises:
        UsageError: the landing folder or the warehouse holds such a delivery.
    """
    landing = project.settings.landing_dir
    landed = {path.name: path for path in landing.iterdir() if contract.match(path.name)}
    strangers = [name for name, path in landed.items() if made.get(name) != sha256_of(path)]
    loaded = {version.file_sha256 for version in project.warehouse.run(lambda c: versions_of(c, contract.name))}
    if strangers:
        names, folder = ", ".join(strangers[:3]), project.shown(landing)
        raise UsageError(
            f"{folder} holds other deliveries of {contract.name} ({names}); the demo wants a folder of its own: "
            f"{_ELSEWHERE}"
        )
    if loaded and not loaded & set(made.values()):
        raise UsageError(
            f"the warehouse holds other deliveries of {contract.name} (of a demo of another size?); {_ELSEWHERE}"
        )


def roll_back(project: Project, contract: Contract, period: Period, to: int | None = None) -> None:
    """Roll a period back before everybody's eyes, as the command does."""
    console.say(f"$ {rollback_command(contract.name, period.name, to)}")
    tell(contract, period, *rollback(project, contract, period, to))


def rows_of(project: Project, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return project.warehouse.run(lambda c: [tuple(row) for row in c.execute(text(query), parameters)])


def head(title: str) -> None:
    console.say()
    console.say(title, style="bold")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = console.table(title=title, title_justify="left", title_style="italic")
    for at, column in enumerate(columns):
        is_number = bool(rows) and isinstance(rows[0][at], int | Decimal)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        table.add_row(*map(number, row))
    console.show(table)


def say_what_next(seconds: float, *places: tuple[str, str]) -> None:
    head(f"Done in {seconds:.0f} s. What to look at next")
    width = max(len(what) for what, _ in places)
    for what, why in places:
        console.say(f"  {what:<{width}}  {why}")
