"""Cleaning rules: pure functions of one column, named in the contracts.

    clean: [trim, person_name]
    clean: [{phone: {region: DE}}]
    clean: [{zero_pad: {width: 9}}]

Each rule takes a pandas Series of Arrow-backed strings and returns `Cleaned`. Every rule is idempotent:
cleaning twice returns what cleaning once returns.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from loader.cleaning import address_rules, email_rules, name_rules, phone_rules, postal_rules, text_rules
from loader.cleaning.series import Cleaned
from loader.text import listed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RULES", "Cleaned", "Rule", "parse_rules", "rules_schema"]

RULES: dict[str, Callable[..., Cleaned]] = {
    "trim": text_rules.trim,
    "collapse_blanks": text_rules.collapse_blanks,
    "nfc": text_rules.nfc,
    "upper": text_rules.upper,
    "lower": text_rules.lower,
    "zero_pad": text_rules.zero_pad,
    "digits_only": text_rules.digits_only,
    "person_name": name_rules.person_name,
    "email": email_rules.email,
    "phone": phone_rules.phone,
    "street": address_rules.street,
    "house_number": address_rules.house_number,
    "postal_code": postal_rules.postal_code,
}


@dataclass(frozen=True)
class Rule:
    """One rule with its options, as a contract names it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, values: "pd.Series") -> Cleaned:
        """Clean one column; see `Cleaned`. Raises TypeError when it does not hold Arrow-backed strings."""
        return RULES[self.name](values, **self.options)

    def __str__(self) -> str:
        if not self.options:
            return self.name
        return f"{self.name}({', '.join(f'{option}={value}' for option, value in self.options.items())})"


def parse_rules(spec: Sequence[str | Mapping[str, Mapping[str, Any] | None]] | None) -> list[Rule]:
    """The rules of a `clean:` entry, in order; an item is a name or a mapping {name: {option: value}}.

    >>> import pandas as pd
    >>> import pyarrow as pa
    >>> trim, pad = parse_rules(["trim", {"zero_pad": {"width": 5}}])
    >>> column = pd.Series([" 17 ", None], dtype=pd.ArrowDtype(pa.large_string()))
    >>> pad.apply(trim.apply(column).values).values.to_list()
    ['00017', <NA>]

    Raises:
        ValueError: the rule or an option is unknown, or an option has a wrong value; the known ones are listed.
    """
    if spec is None:
        return []
    if isinstance(spec, (str, Mapping)) or not isinstance(spec, Sequence):
        # ValueError, as every fault of a contract
        raise ValueError(  # noqa: TRY004
            f"clean: expected a list of rules such as [trim, person_name], got {spec!r}"
        )
    return [_parse_rule(item) for item in spec]


def rules_schema() -> dict[str, Any]:
    """One item of `clean:` as JSON schema."""
    options = {name: _options_model(name).model_json_schema() for name in RULES}
    named = {"type": "object", "properties": options, "additionalProperties": False, "maxProperties": 1}
    return {"anyOf": [{"enum": list(RULES)}, {**named, "minProperties": 1}]}


def _parse_rule(item: Any) -> Rule:
    options: Any
    if isinstance(item, str):
        name, options = item, {}
    elif isinstance(item, Mapping) and len(item) == 1:
        name, options = next(iter(item.items()))
        options = {} if options is None else options
    else:
        raise ValueError(f"cleaning rule {item!r}: expected a name or {{name: {{option: value}}}}")
    if name not in RULES:
        raise ValueError(f"unknown cleaning rule {name!r}; known are: {listed(RULES)}")
    if not isinstance(options, Mapping):
        raise ValueError(  # noqa: TRY004
            f"cleaning rule {name}: options must be a mapping such as {{width: 9}}, got {options!r}"
        )
    return Rule(name, _checked_options(name, options))


def _checked_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    model = _options_model(name)
    try:
        return model.model_validate(dict(options)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"])
        reason = {
            "extra_forbidden": f"unknown option {option!r}",
            "missing": f"option {option!r} is required",
        }.get(first["type"], f"option {option!r}: {first['msg']}")
        known = ", ".join(model.model_fields) or "none"
        raise ValueError(f"cleaning rule {name}: {reason}; known options: {known}") from None


@cache
def _options_model(name: str) -> type[BaseModel]:
    """The keyword-only parameters of a rule are its options, their annotations the types."""
    parameters = inspect.signature(RULES[name]).parameters.values()
    fields: dict[str, Any] = {
        parameter.name: (
            parameter.annotation,
            ... if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    return create_model(f"{name}_options", __config__=ConfigDict(extra="forbid", strict=True), **fields)
