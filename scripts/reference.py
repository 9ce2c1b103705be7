"""Writes the parts of the documentation that are derived from the code; with --check it only tells which are stale.

python scripts/reference.py [--check]

A page marks such a part by a line `<!-- derived: NAME -->` and one `<!-- end of derived -->`; NAME is a function below.
The result is plain Markdown, which reads the same in a repository browser and on the site.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import yaml

Schema = dict[str, Any]
REPOSITORY = Path(__file__).parents[1]
DERIVED = re.compile(r"^( *)(<!-- derived: (\w+) -->)\n.*?(<!-- end of derived -->)$", re.MULTILINE | re.DOTALL)


# --- the contract -----------------------------------------------------------------------------------------------


SECTIONS = {
    "Contract": ("The dataset", ""),
    "Column": ("Columns", "columns."),
    "Header": ("A header that changes", "columns.header."),
    "CsvFormat": ("Text files", "format."),
    "WorkbookFormat": ("Workbooks", "format."),
    "FiscalYear": ("The fiscal year", "fiscal_year."),
    "PeriodWithin": ("A period within the delivery", "period."),
    "EndMarker": ("The end of a key in a delta", "end_marker."),
    "RowRule": ("Rules across columns", "row_rules."),
    "InvalidRows": ("Invalid rows", "invalid_rows."),
    "Keep": ("Which duplicate is taken", "duplicates."),
    "MaxOf": ("The duplicate with the largest value", "duplicates.keep."),
    "Guard": ("The guard", "guard."),
}
"""Model, title, and what stands before its words."""


def contract() -> Iterator[str]:
    """Every word of a contract, from the models in loader/contracts/."""
    from loader.codegen.contract_schema import contract_schema

    models = yaml.safe_load(contract_schema())["$defs"]
    text, book = models["CsvFormat"]["properties"], models["WorkbookFormat"]["properties"]
    shared = {word for word, about in text.items() if about == book.get(word)}
    for model, (title, path) in SECTIONS.items():
        if model == "CsvFormat":
            yield "### Files of any kind\n\nWords below `format:` for text files and workbooks alike.\n"
            yield from _words(model, path, models, set(text) - shared)
        yield f"### {title}\n\n{models[model]['description']}\n"
        yield from _words(model, path, models, shared if path == "format." else set())


def _words(model: str, path: str, models: Schema, leave_out: set[str]) -> Iterator[str]:
    defined = models[model]
    # both kinds of files have words of the same name
    of_kind = f" ({defined['properties']['type']['const']})" if path == "format." and "type" not in leave_out else ""
    for word, about in defined["properties"].items():
        if word not in leave_out:
            facts = [_type(about, models)]
            if word in defined.get("required", []):
                facts.append("**required**")
            elif "properties" not in models.get(_referred(about), {}):
                facts.append(f"default {_default(about['default'])}")
            meaning = about["description"].replace("\n", " ")
            yield f"#### `{path}{word}`{of_kind}\n\n{'; '.join(facts)}\n\n{meaning}\n"
            example = _example(word, about)
            if example:
                yield f"```yaml\n{example}\n```\n"


def _referred(about: Schema) -> str:
    return str(about.get("$ref", "")).rpartition("/")[2]


def _type(about: Schema, models: Schema) -> str:
    """A JSON schema in words."""
    if "anyOf" in about or "oneOf" in about:
        choices = about.get("anyOf") or about["oneOf"]
        return " or ".join(dict.fromkeys(_type(choice, models) for choice in choices if choice.get("type") != "null"))
    if "$ref" in about:
        model = _referred(about)
        return f"words of “{SECTIONS[model][0]}”" if model in SECTIONS else _type(models[model], models)
    if "const" in about or "enum" in about:
        named = {"": "nothing", " ": "a space"}
        return " or ".join(named.get(value, f"`{value}`") for value in about.get("enum", [about.get("const")]))
    if about.get("type") == "array":
        items = about["items"]
        return "list of rules" if "maxProperties" in str(items) else f"list of {_type(items, models)}"
    return _plain_type(about)


def _plain_type(about: Schema) -> str:
    named = about.get("additionalProperties")
    if named:
        model = SECTIONS.get(_referred(named))
        return f"names, each with words of “{model[0]}”" if model else f"texts, each with {_type(named, {})}"
    word = {
        "string": {"date": "date", "date-time": "date and time"}.get(about.get("format", ""), "text"),
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
    }[about["type"]]
    least, most = about.get("minimum"), about.get("maximum")
    if least is not None:
        return f"{word} from {least} to {most}" if most is not None else f"{word} from {least} on"
    return "one character" if about.get("maxLength") == 1 else word


def _default(value: Any) -> str:
    return "nothing" if value in (None, [], {}, "") else f"`{_flow(value)}`"


def _example(word: str, about: Schema) -> str:
    if "examples" in about:
        return f"{word}: {_flow(about['examples'][0])}"
    return f"{word}: {_flow(not about['default'])}" if about.get("type") == "boolean" else ""


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def cleaning_rules() -> Iterator[str]:
    """Every cleaning rule with its options, from the registry in loader/cleaning."""
    from loader.cleaning import RULES, rules_schema

    options = rules_schema()["anyOf"][1]["properties"]
    for name, rule in RULES.items():
        schema = options[name]
        required = set(schema.get("required", []))
        yield f"### `{name}`\n\n{_plain(inspect.getdoc(rule) or '')}\n"
        for option, about in schema["properties"].items():
            need = "**required**" if option in required else f"default {_default(about['default'])}"
            yield f"- `{option}`: {_type(about, {})}{_pattern(about)}; {need}"
        if schema["properties"]:
            yield ""


def _pattern(about: Schema) -> str:
    return f" that matches `{about['pattern']}`" if "pattern" in about else ""


def _plain(text: str) -> str:
    """Text of a docstring as Markdown: characters outside of backticks stay as they are."""
    return re.sub(r"`[^`]*`|[*_<>\[\]]", lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)


def example_contract() -> Iterator[str]:
    """The contract of the citizens, as it stands."""
    text = (REPOSITORY / "datasets_config.yml").read_text(encoding="utf-8")
    _, begin, rest = text.partition("  citizens:\n")
    body = re.split(r"^  \w+:\n", rest, maxsplit=1, flags=re.MULTILINE)[0]
    yield f"```yaml\ndatasets:\n{begin}{body.rstrip()}\n```"


# --- settings, tables, commands -----------------------------------------------------------------------------------


_KINDS = {"Path": "folder", "float": "number", "timedelta": "days or hours"}


def settings() -> Iterator[str]:
    """The variables of the loader, from loader/settings.py."""
    from loader.settings import Settings

    yield "| variable | value | default | meaning |\n|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        kind = _KINDS.get(getattr(field.annotation, "__name__", ""), "text")
        choices = [choice for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str)]
        value = " or ".join(f"`{choice}`" for choice in choices) or kind
        default = field.default.as_posix() if isinstance(field.default, Path) else field.default
        if isinstance(default, dt.timedelta):
            default = f"{default.days}d"
        shown = "" if field.is_required() or default is None else f"`{default}`"
        yield f"| `ALMANAC_{name.upper()}` | {value} | {shown} | {field.description} |"


def meta_tables() -> Iterator[str]:
    """The tables of the schema meta, from loader/warehouse/meta.py."""
    from loader.warehouse.meta import metadata

    for table in metadata.sorted_tables:
        yield f"### meta.{table.name}\n\n{table.comment}\n\n| column | type | meaning |\n|---|---|---|"
        for column in table.columns:
            need = "" if column.nullable else ", not null"
            yield f"| `{column.name}` | {str(column.type).lower()}{need} | {column.doc} |"
        yield ""


def lineage_columns() -> Iterator[str]:
    """The columns that every stage table has besides its own."""
    from loader.codegen.dbt_sources import LINEAGE_TEXTS

    yield "| column | meaning |\n|---|---|"
    for name, meaning in LINEAGE_TEXTS.items():
        yield f"| `{name}` | {meaning} |"


def commands() -> Iterator[str]:
    """What `--help` of each command prints."""
    from loader.cli import main

    group = click.Context(main, info_name="loader", terminal_width=100, **main.context_settings)
    yield _help("loader", group)
    for name, command in sorted(main.commands.items()):
        yield _help(f"loader {name}", click.Context(command, parent=group, info_name=name))


def _help(title: str, context: click.Context) -> str:
    return f"### `{title}`\n\n```text\n{context.get_help()}\n```\n"


def sqlserver_database() -> Iterator[str]:
    """The script that makes a database on SQL Server."""
    text = (REPOSITORY / "docker" / "sqlserver.sql").read_text(encoding="utf-8")
    yield f"```sql\n{text.rstrip()}\n```"


WRITERS: dict[str, Callable[[], Iterator[str]]] = {
    writer.__name__: writer
    for writer in (
        contract, cleaning_rules, example_contract, settings, meta_tables, lineage_columns, commands,
        sqlserver_database,
    )
}  # fmt: skip


def with_derived_parts(page: str) -> str:
    """A page whose derived parts are those of the code as it is now."""

    def written(found: re.Match[str]) -> str:
        indent, begin, name, end = found.groups()
        text = "\n".join(WRITERS[name]()).rstrip()
        return textwrap.indent(f"{begin}\n\n{text}\n\n{end}", indent)

    return DERIVED.sub(written, page)


def main(*, check: bool) -> int:
    """Write the pages, or only tell which ones are stale; 1 if a check found one."""
    stale = []
    for path in sorted((REPOSITORY / "docs").rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        current = with_derived_parts(page)
        if current != page:
            stale.append(path)
            if not check:
                path.write_text(current, encoding="utf-8", newline="\n")
            print(f"{'stale' if check else 'written'}: {path.relative_to(REPOSITORY).as_posix()}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
