"""What all parts of a contract are made of."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
)

from loader.contracts.sql import objection_to


class Model(BaseModel):
    """Unknown words in a contract are mistakes, never ignored.

    The text below a word is what the contract reference and the JSON schema say of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def named(value: Any) -> Any:
    """A mapping of names as a list of mappings that know their name."""
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, dict):
        raise ValueError("is a mapping of names, each with words of its own below it")  # noqa: TRY004
    return tuple(_with_name(name, spec) for name, spec in value.items())


def _with_name(name: Any, spec: Any) -> Any:
    if isinstance(spec, dict) and "name" in spec:
        raise ValueError(f"'{name}' has its name already; take out 'name: {spec['name']}'")
    return {"name": name, **spec} if isinstance(spec, dict) else spec or {"name": name}


def _regular_expression(value: str) -> str:
    """Checked by all who will use it: Python, and RE2, which Arrow and DuckDB share and which has no look-around."""
    try:
        re.compile(value)
        objection = objection_to("select regexp_matches('', ?)", value)
    except re.error as error:
        objection = str(error)
    if objection:
        raise ValueError(f"'{value}' is not a valid regular expression (of the RE2 kind): {objection}")
    return value


def _date_form(value: str) -> str:
    """A form that does not give back the date that it wrote says no date."""
    day = datetime(2003, 2, 1)
    try:
        fits = datetime.strptime(day.strftime(value), value) == day  # noqa: DTZ007 - no zone is meant
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"'{value}' is not a valid date format; write it like %d.%m.%Y")
    return value


Regex = Annotated[str, AfterValidator(_regular_expression)]


DateForm = Annotated[str, AfterValidator(_date_form)]
