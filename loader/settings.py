"""Where things are, and how patient the loader is: options, then the environment, then `.env`, then defaults.

Importing this costs 0.3 s of CPU (pydantic-settings): the command line imports it inside its commands.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any, Literal

from dotenv import load_dotenv
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loader.contracts.file import CONTRACTS_FILE
from loader.errors import UsageError


class Settings(BaseSettings):
    """One run's settings. Each field is read from `ALMANAC_<FIELD>`; folders are relative to the project."""

    model_config = SettingsConfigDict(
        env_prefix="ALMANAC_", env_ignore_empty=True, frozen=True, use_attribute_docstrings=True
    )

    project_dir: Path
    """The project folder, which holds datasets_config.yml; else it is looked for upwards from where you stand."""
    target: str | None = None
    """Output of profiles.yml; when none is named, profiles.yml chooses, as for dbt."""
    landing_dir: Path = Field(Path("data/landing"), validate_default=True)
    """Where senders put their files; may be a share."""
    cleaned_dir: Path = Field(Path("data/stage/cleaned"), validate_default=True)
    """The archive: every delivery as parquet, and the files that contracts want kept; belongs in backups."""
    rejects_dir: Path = Field(Path("data/stage/rejects"), validate_default=True)
    """The rejects of each delivery, as a workbook and as CSV; they may hold personal data."""
    log_dir: Path = Field(Path("data/logs"), validate_default=True)
    """What the loader did, as JSON lines without personal values, and dbt's own log."""
    lock_timeout: float = Field(60, ge=0)
    """Seconds to wait for a warehouse that another process has locked."""
    gate_all_every: dt.timedelta = dt.timedelta(days=7)
    """How long builds may leave out the gates of tables that did not change, in days or hours (`12h`); `0d`: never."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least that the JSON log holds: steps are INFO, refusals WARNING, failures ERROR."""

    @field_validator("landing_dir", "cleaned_dir", "rejects_dir", "log_dir")
    @classmethod
    def _in_project(cls, folder: Path, info: ValidationInfo) -> Path:
        return Path(info.data.get("project_dir", "."), folder.expanduser())

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
        UsageError: there is no project, or a variable has a value that it cannot have.
    """
    project = find_project(project_dir)
    load_dotenv(project / ".env", override=False)
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(project_dir=project, **given)
    except ValidationError as error:
        problem = error.errors()[0]
        variable = f"ALMANAC_{problem['loc'][0]}".upper()
        raise UsageError(
            f"{variable} is '{problem['input']}': {problem['msg'].lower()}; "
            "look for it in the environment and in .env, .env.example explains it"
        ) from None


def find_project(project_dir: Path | None = None) -> Path:
    """The project folder: the one given or in ALMANAC_PROJECT_DIR, else the nearest one upwards from here.

    Raises:
        UsageError: no such folder holds a datasets_config.yml.
    """
    chosen = project_dir or os.environ.get("ALMANAC_PROJECT_DIR")
    if chosen:
        folder = Path(chosen).expanduser().resolve()
        if not (folder / CONTRACTS_FILE).is_file():
            raise UsageError(f"{folder} is not a project: it has no {CONTRACTS_FILE}; check --project-dir")
        return folder
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONTRACTS_FILE).is_file():
            return folder
    raise UsageError(f"no {CONTRACTS_FILE} in {here} or above it; name the project folder with --project-dir")
