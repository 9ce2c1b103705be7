"""The connection, as dbt reads it: profiles.yml, the profile that dbt_project.yml names, one target.

Both read the same file by the same rules, so that the loader and a plain `dbt build` never meet different
warehouses: https://docs.getdbt.com/docs/core/connect-data-platform/profiles.yml
"""

from __future__ import annotations

import os
import re
import shutil
from ast import literal_eval
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from jinja2 import TemplateError
from jinja2.nativetypes import NativeEnvironment, NativeTemplate
from jinja2.sandbox import SandboxedEnvironment

from loader.contracts.file import YAML_LOADER
from loader.disclosure import keep_secret
from loader.errors import UsageError
from loader.files import replacing, text_of
from loader.text import listed

DBT_PROJECT_FILE = "dbt_project.yml"

_USER = ("user", "username", "UID", "client_id", "app_id")
_PASSWORD = ("password", "pass", "PWD", "client_secret", "app_secret")
"""The adapters' words for who logs in, and by what."""

_SECRET = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)
"""In the name of a field that holds one."""


@dataclass(frozen=True)
class Target:
    """One output of profiles.yml; secrets stay in `fields` and are never shown."""

    name: str
    type: str
    fields: Mapping[str, Any] = field(repr=False)
    """All keys of the output, rendered."""
    is_default: bool = False
    """Whether dbt takes it when no target is named."""

    @property
    def public_fields(self) -> dict[str, Any]:
        """The fields without secrets."""
        return {key: _without_secrets(value) for key, value in self.fields.items() if not _SECRET.search(key)}

    def for_account(self, account: str) -> Target:
        """The same warehouse by the account of `<account>_user` and `<account>_password`; by dbt's if none is named."""
        user, password = self.fields.get(f"{account}_user"), self.fields.get(f"{account}_password")
        if not user:
            return self
        same = {key: user if key in _USER else password for key in self.fields if key in (*_USER, *_PASSWORD)}
        return replace(self, fields=MappingProxyType({**self.fields, "user": user, "password": password, **same}))


def read_target(project_dir: Path, target: str | None = None) -> Target:
    """The chosen target, else DBT_TARGET, else the one that profiles.yml itself chooses.

    Raises:
        UsageError: the file, the profile, the target or a variable that it needs is missing.
    """
    path = find_profiles(project_dir)
    if path is None:
        places = " or ".join(map(str, _folders(project_dir)))
        raise UsageError(f"no profiles.yml in {places}; copy profiles.yml.example to profiles.yml")
    profile = _profile_name(project_dir)
    profiles = _read_yaml(path)
    if profile not in profiles:
        known = listed(name for name in profiles if name != "config")
        raise UsageError(f"{path}: no profile '{profile}' (see dbt_project.yml); it has: {known}")
    settings = profiles[profile] or {}
    outputs = settings.get("outputs") or {}
    render = _Renderer(path)
    default = _dbt_variable("TARGET") or str(render(settings.get("target", "default")))
    name = target or default
    if name not in outputs:
        raise UsageError(f"{path}: no target '{name}' in profile '{profile}'; it has: {listed(outputs)}")
    fields = render(outputs[name] or {})
    keep_secret(_secrets(fields) - _public(fields))
    return Target(name, str(fields.get("type")), MappingProxyType(fields), is_default=name == default)


def find_profiles(project_dir: Path) -> Path | None:
    """The profiles.yml that dbt takes: of DBT_PROFILES_DIR if that is set, else of the project or ~/.dbt."""
    paths = (folder / "profiles.yml" for folder in _folders(project_dir))
    return next((path for path in paths if path.is_file()), None)


def ensure_profile(project_dir: Path) -> Path | None:
    """Copy profiles.yml.example to profiles.yml if dbt would find no profile for this project.

    Returns:
        The new file, for the caller to tell of; None if a profile was there.
    """
    found = find_profiles(project_dir)
    if _dbt_variable("PROFILES_DIR") or (found and _profile_name(project_dir) in _read_yaml(found)):
        return None
    example, path = project_dir / "profiles.yml.example", project_dir / "profiles.yml"
    if path.exists() or not example.is_file():
        return None
    with replacing(path) as unfinished:
        shutil.copyfile(example, unfinished)
    return path


def _dbt_variable(name: str) -> str | None:
    """One of dbt's own variables, by its new name first, as dbt does."""
    return os.environ.get(f"DBT_ENGINE_{name}") or os.environ.get(f"DBT_{name}")


def _folders(project_dir: Path) -> list[Path]:
    chosen = _dbt_variable("PROFILES_DIR")
    return [Path(chosen)] if chosen else [project_dir, Path.home() / ".dbt"]


def read_dbt_project(project_dir: Path) -> dict[str, Any]:
    """What dbt_project.yml says, as it is written; raises UsageError."""
    path = project_dir / DBT_PROJECT_FILE
    if not path.is_file():
        raise UsageError(f"{path} is missing: it names the profile; copy it from the Almanac repository")
    return _read_yaml(path)


def _profile_name(project_dir: Path) -> str:
    chosen = _dbt_variable("PROFILE")
    if chosen:
        return chosen
    name = read_dbt_project(project_dir).get("profile")
    if not name:
        raise UsageError(f"{project_dir / DBT_PROJECT_FILE}: names no profile; write `profile: almanac`")
    return str(name)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = YAML_LOADER(text_of(path)).get_single_data() or {}
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        # the message of the parser quotes the line, which may hold a password
        mark = getattr(error, "problem_mark", None)
        raise UsageError(f"{path}, line {mark.line + 1 if mark else 1}: is not valid YAML") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: holds no mapping at its top")
    return content


def _secrets(value: Any, *, is_one: bool = False) -> set[str]:
    """What is in fields whose names say that they hold a secret."""
    if isinstance(value, Mapping):
        return {one for key, item in value.items() for one in _secrets(item, is_one=bool(_SECRET.search(str(key))))}
    if isinstance(value, list):
        return {one for item in value for one in _secrets(item, is_one=is_one)}
    return {str(value)} if is_one and value is not None else set()


def _public(value: Any) -> set[str]:
    """What is in the others; a password that is the name of its database, too, is none."""
    if isinstance(value, Mapping):
        return {one for key, item in value.items() if not _SECRET.search(str(key)) for one in _public(item)}
    if isinstance(value, list):
        return {one for item in value for one in _public(item)}
    return {str(value)}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_secrets(item) for key, item in value.items() if not _SECRET.search(str(key))}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


def _concat(values: Iterable[Any]) -> Any:
    found = list(values)
    return found[0] if len(found) == 1 else "".join(map(str, found))


class _Environment(SandboxedEnvironment, NativeEnvironment):
    """Text stays text unless a filter asks otherwise: "0815" is a password, not a number."""

    concat = staticmethod(_concat)


class _Template(NativeTemplate):
    environment_class = _Environment


_Environment.template_class = _Template


class _Renderer:
    """Renders what dbt renders in a profile: env_var() and the filters that turn text into a native value."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._environment = _Environment()
        self._environment.globals = {"env_var": self._env_var}
        self._environment.filters.update(as_number=_number, as_bool=_bool, as_native=_native, as_text=str)

    def __call__(self, value: Any, place: str = "target") -> Any:
        if isinstance(value, dict):
            return {key: self(item, str(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self(item, place) for item in value]
        if not isinstance(value, str) or "{" not in value:
            return value
        try:
            return self._environment.from_string(value).render()
        except (TemplateError, TypeError, ValueError) as error:
            # the message may quote a value, and that may be a secret
            reason = type(error).__name__ if type(error) is not _NotNativeError else f"not {error}"
            raise UsageError(f"{self._path}: {place}: cannot be rendered ({reason})") from None

    def _env_var(self, name: str, default: str | None = None) -> str:
        value = os.environ.get(name, default)
        if value is None:
            raise UsageError(f"{self._path}: needs the variable {name}; set it in the environment or in .env")
        return value


class _NotNativeError(ValueError):
    """Says what a filter wanted."""


def _native(text: object) -> Any:
    try:
        return literal_eval(str(text))
    except (ValueError, SyntaxError):
        return text


def _number(text: object) -> int | float:
    value = _native(text)
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise _NotNativeError("a number")


def _bool(text: object) -> bool:
    value = _native(text)
    if not isinstance(value, bool):
        raise _NotNativeError("True or False")
    return value
