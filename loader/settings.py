"""Where things are, and how patient the loader is: options, then the environment, then `.env`, then defaults.

Importing this costs 0.3 s of CPU (pydantic-settings): the command line imports it inside its commands.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from dotenv import load_dotenv
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loader import console
from loader.errors import UsageError
from loader.files import text_of
from loader.places import ARCHIVE, LANDING, find_project
from loader.text import listed
from loader.warehouse.profile import DBT_PROJECT_FILE, find_profiles

_PREFIX = "ALMANAC_"
_MOST = 5
"""Unknown variables that are named."""


class Settings(BaseSettings):
    """One run's settings. Each field is read from `ALMANAC_<FIELD>`; folders are relative to the project."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, use_attribute_docstrings=True
    )

    project_dir: Path
    """The project folder, which holds datasets_config.yml; else it is looked for upwards from where you stand."""
    target: str | None = None
    """Output of profiles.yml; when none is named, profiles.yml chooses, as for dbt."""
    landing_dir: Path = Field(LANDING, validate_default=True)
    """Where senders put their files; may be a share."""
    cleaned_dir: Path = Field(ARCHIVE, validate_default=True)
    """The archive: every delivery as parquet, and the files that contracts want kept; belongs in backups."""
    rejects_dir: Path = Field(Path("data/stage/rejects"), validate_default=True)
    """The rejects of each delivery, as a workbook and as CSV; they may hold personal data."""
    log_dir: Path = Field(Path("data/logs"), validate_default=True)
    """What the loader did, as JSON lines without personal values, and dbt's own log."""
    lock_timeout: float = Field(60, ge=0)
    """Seconds to wait for a DuckDB file that another process has locked; locks on servers are waited for to the end."""
    gate_all_every: dt.timedelta = dt.timedelta(days=7)
    """How long builds may leave out the gates of tables that did not change, in days or hours (`12h`); `0d`: never."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least that the JSON log holds: steps are INFO, refusals WARNING, failures ERROR."""

    @field_validator("landing_dir", "cleaned_dir", "rejects_dir", "log_dir")
    @classmethod
    def _in_project(cls, folder: Path, info: ValidationInfo) -> Path:
        return Path(info.data.get("project_dir", "."), folder.expanduser())

    @property
    def lands_in_default(self) -> bool:
        """Whether deliveries land where they do when nothing else is said."""
        return self.landing_dir == self.project_dir / LANDING

    @field_validator("gate_all_every", mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d{1,4}) ?([dh])", value.strip().lower())
        if found is None:
            raise ValueError("should be a number of days or hours, such as 7d or 12h")
        return dt.timedelta(**{{"d": "days", "h": "hours"}[found[2]]: int(found[1])})

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level


def load_settings(project_dir: Path | None = None, **options: Any) -> Settings:
    """The settings of the project; an option of None counts as not given.

    Variables of `.env` join the environment, where profiles.yml and dbt find them too; what is set stays.

    Raises:
        UsageError: there is no project, `.env` is not UTF-8, or a variable has a value that it cannot have.
    """
    project = find_project(project_dir)
    dotenv = project / ".env"
    if dotenv.is_file():
        load_dotenv(stream=StringIO(text_of(dotenv)), override=False)
    _note_unknown(project)
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(project_dir=project, **given)
    except ValidationError as error:
        problem = error.errors()[0]
        variable = f"{_PREFIX}{problem['loc'][0]}".upper()
        raise UsageError(
            f"{variable} is '{problem['input']}': {problem['msg'].lower()}; "
            "look for it in the environment and in .env, .env.example explains it"
        ) from None


def _note_unknown(project: Path) -> None:
    """Name the variables `ALMANAC_…` that nobody asks for, each with the one that was likely meant."""
    unknown = {name for name in map(str.upper, os.environ) if name.startswith(_PREFIX)}
    known: set[str] = set()
    for names in _asked_for(project):
        known |= names
        unknown -= names
        if not unknown:
            return
    by_end = {name.removeprefix(_PREFIX): name for name in sorted(known)}
    told = []
    for name in sorted(unknown):
        likely = difflib.get_close_matches(name.removeprefix(_PREFIX), by_end, n=1, cutoff=0.7)
        told.append(f"{name} (did you mean {by_end[likely[0]]}?)" if likely else name)
    console.note(f"nothing asks for the variable {listed(told, _MOST)}; look in .env and in the environment")


def _asked_for(project: Path) -> Iterator[set[str]]:
    """The names that the loader asks for, then those of the connection, then those anywhere in what dbt reads."""
    yield {f"{_PREFIX}{field}".upper() for field in Settings.model_fields}
    profiles = [find_profiles(project), project / "profiles.yml.example", project / DBT_PROJECT_FILE]
    yield _named_in(path for path in profiles if path is not None)
    yield _named_in((project / "dbt_project").rglob("*.*"))


def _named_in(paths: Iterable[Path]) -> set[str]:
    texts = (path.read_bytes() for path in paths if path.is_file())
    return {name.decode() for text in texts for name in re.findall(rb"\bALMANAC_[A-Z0-9_]+", text)}
