"""What all parts of a contract are made of."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from loader.contracts.sql import objection_to


class Model(BaseModel):
    """Unknown words in a contract are mistakes, never ignored.

    The text below a word is what the contract reference and the JSON schema say of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a contract, and in which of its words: their path below the model that finds it."""

    reason: str
    place: tuple[str | int, ...] = ()


def tell(mistakes: Iterable[Mistake]) -> None:
    """Raise pydantic's error when there are mistakes: each is answered at its own line of the contract."""
    found = [
        InitErrorDetails(type=PydanticCustomError("mistake", mistake.reason), loc=mistake.place, input=None)
        for mistake in mistakes
    ]
    if found:
        raise ValidationError.from_exception_data("contract", found)


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # a class such as [[:alpha:]] is one of RE2 alone
            re.compile(value)
        objection = objection_to("select regexp_matches('', ?)", value)
    except re.error as error:
        objection = str(error)
    if objection:
        raise ValueError(f"'{value}' is not a valid regular expression (of the RE2 kind): {objection}")
    return value


def _date_form(value: str) -> str:
    """A form that does not return the date that it wrote names no date; one of a time zone's name loses the zone."""
    day = datetime(2003, 2, 1, tzinfo=timezone(timedelta(hours=5)))
    try:
        fits = datetime.strptime(day.strftime(value), value).replace(tzinfo=day.tzinfo) == day
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"'{value}' is not a valid date format; write it like %d.%m.%Y")
    return value


Regex = Annotated[str, AfterValidator(_regular_expression)]


DateForm = Annotated[str, AfterValidator(_date_form)]
