"""What a shell suggests for the name of a dataset or period.

A press of Tab asks no database and waits for no lock: datasets are those of datasets_config.yml, periods are told by
the names of files in the archive and in the landing folder. Whatever goes wrong, nothing is suggested and nothing said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loader.places import ARCHIVE, CONTRACTS_FILE, LANDING, find_project

if TYPE_CHECKING:
    from loader.contracts.deliveries import Deliveries

_MOST = 2_000
"""Names that are looked at in each folder; more would take longer than half a second."""

_Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _quietly(names: Callable[[click.Context], Iterator[str]]) -> _Complete:
    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
        with suppress(Exception):  # a traceback in the middle of what somebody types would help nobody
            return sorted({name for name in names(context) if name.startswith(begun)})
        return []

    return complete


def _datasets(context: click.Context) -> Iterator[str]:
    yield from _said(_project(context))


def _periods(context: click.Context) -> Iterator[str]:
    """Of the dataset that stands in the command already, else of all."""
    project = _project(context)
    landing = _folder(project, "ALMANAC_LANDING_DIR", LANDING)
    archive = _folder(project, "ALMANAC_CLEANED_DIR", ARCHIVE)
    asked = context.params.get("dataset")
    for name, words in _said(project).items():
        if asked in (None, name):
            with suppress(ValueError, TypeError):  # what `loader derive` will say of the contract
                deliveries = _deliveries(name, words)
                yield from _archived(archive / name, deliveries)
                yield from _landed(landing, deliveries)


complete_dataset = _quietly(_datasets)
complete_period = _quietly(_periods)


def _project(context: click.Context) -> Path:
    return find_project(context.params.get("project_dir") or context.find_root().params.get("project_dir"))


def _folder(project: Path, variable: str, default: Path) -> Path:
    """A folder of the settings, which are not read as a whole: that takes as long as a press of Tab may."""
    from dotenv import dotenv_values

    said = os.environ.get(variable) or dotenv_values(project / ".env").get(variable) or default
    return project / Path(said).expanduser()


def _said(project: Path) -> dict[str, Any]:
    """What datasets_config.yml says of each dataset, unchecked."""
    import yaml

    text = (project / CONTRACTS_FILE).read_text(encoding="utf-8-sig")
    said: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["datasets"]  # noqa: S506 - it is safe
    return said


def _deliveries(name: str, words: dict[str, Any]) -> Deliveries:
    """The part of a contract that is about names of files; its columns, which take long to check, are left out."""
    from loader.contracts.deliveries import Deliveries

    known = {field.alias or word for word, field in Deliveries.model_fields.items()}
    return Deliveries.model_validate({"name": name, **{word: said for word, said in words.items() if word in known}})


def _archived(folder: Path, deliveries: Deliveries) -> Iterator[str]:
    from loader.contracts.periods import with_colon

    for file in _names_in(folder):
        with suppress(ValueError):
            yield deliveries.period(with_colon(file.removeprefix(f"{deliveries.name}_").partition("_")[0])).name


def _landed(landing: Path, deliveries: Deliveries) -> Iterator[str]:
    from loader.contracts.file_names import matched, segments, told_by

    folders: list[tuple[str, ...]] = [()]
    for pattern in segments(deliveries.file_name)[:-1]:
        below = ((*above, name) for above in folders for name in _names_in(landing.joinpath(*above)))
        folders = [names for names in below if matched(pattern, names[-1])][:_MOST]
    files = ((*folder, name) for folder in folders for name in _names_in(landing.joinpath(*folder)))
    for names in islice(files, _MOST):
        found = deliveries.match(*names)
        with suppress(ValueError):
            if found:
                yield deliveries.period(deliveries.spelling.name(told_by(found))).name


def _names_in(folder: Path) -> Iterator[str]:
    """None where there is no such folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry.name for entry in islice(entries, _MOST))
