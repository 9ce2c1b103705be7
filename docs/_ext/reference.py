"""Parts of the reference that are written from the code, so that there is one place for each fact.

A page says "```{reference} NAME" and gets the Markdown of the function of that name below. Pages of a warehouse (dbt
docs, Data Docs) are made by `loader docs`; where they are missing, a page stands in for them that says so.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import yaml
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

Schema = dict[str, Any]
REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```\{reference\} (\w+)\n```$", re.MULTILINE)

STAND_IN = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style></head>
<body><h1>{title}</h1>
<p>This page shows a warehouse, and is made from one: run <code>make run</code> to fill it and <code>make docs</code>
to make the page (<code>loader run</code>, <code>loader docs</code> without make).</p>
<p><a href="../index.html">Back to the documentation</a></p></body>
</html>
"""
PAGES_OF_A_WAREHOUSE = {"dbt": "Tables and lineage (dbt docs)", "gx": "Gates (Great Expectations)"}


# --- the contract -----------------------------------------------------------------------------------------------


SECTIONS = {
    "Contract": ("The dataset", ""),
    "Column": ("Columns", "columns."),
    "Header": ("A header that changes", "columns.header."),
    "CsvFormat": ("Text files", "format."),
    "WorkbookFormat": ("Workbooks", "format."),
    "EndMarker": ("The end of a key in a delta", "end_marker."),
    "RowRule": ("Rules across columns", "row_rules."),
    "InvalidRows": ("Invalid rows", "invalid_rows."),
    "Guard": ("The guard", "guard."),
}
"""Model, title, and what stands before its words."""


def contract() -> Iterator[str]:
    """Every word of a contract, from the models in loader/contracts/."""
    from loader.codegen.contract_schema import contract_schema

    models = yaml.safe_load(contract_schema())["$defs"]
    text, book = models["CsvFormat"]["properties"], models["WorkbookFormat"]["properties"]
    shared = {word for word, said in text.items() if said == book.get(word)}
    for model, (title, path) in SECTIONS.items():
        if model == "CsvFormat":
            yield "### Files of any kind\n\nWords below `format:` for text files and workbooks alike.\n"
            yield from _words(model, path, models, set(text) - shared)
        yield f"### {title}\n\n{models[model]['description']}\n"
        yield from _words(model, path, models, shared if path == "format." else set())


def _words(model: str, path: str, models: Schema, leave_out: set[str]) -> Iterator[str]:
    said = models[model]
    # both kinds of files have words of the same name
    of_kind = f" ({said['properties']['type']['const']})" if path == "format." and "type" not in leave_out else ""
    for word, about in said["properties"].items():
        if word not in leave_out:
            options = [f":type: {_type(about, models)}"]
            if word in said.get("required", []):
                options.append(":required:")
            elif "properties" not in models.get(_referred(about), {}):
                options.append(f":default: {_default(about['default'])}")
            yield _entry(f"{path}{word}{of_kind}", options, about["description"], _example(word, about))


def _entry(name: str, options: list[str], meaning: str, example: str) -> str:
    shown = [option for option in options if option != ":required:"]
    body = [meaning.replace("\n", " ") + ("" if shown == options else " **Required.**")]
    body += ["", "```yaml", example, "```"] if example else []
    return "\n".join([f":::{{confval}} {name}", *shown, "", *body, ":::", ""])


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
        named = {"": "nothing", " ": "a blank"}
        return " or ".join(named.get(value, f"`{value}`") for value in about.get("enum", [about.get("const")]))
    if about.get("type") == "array":
        items = about["items"]
        return "list of rules" if "maxProperties" in str(items) else f"list of {_type(items, models)}"
    return _plain_type(about)


def _plain_type(about: Schema) -> str:
    named = about.get("additionalProperties")
    if named:
        return f"names, each with words of “{SECTIONS[_referred(named)][0]}”"
    word = {
        "string": {"date": "date", "date-time": "date and time"}.get(about.get("format", ""), "text"),
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
    }[about["type"]]
    least, most = about.get("minimum"), about.get("maximum")
    if least is not None:
        return f"{word} from {least} to {most}" if most is not None else f"{word} from {least} on"
    return "one sign" if about.get("maxLength") == 1 else word


def _default(value: Any) -> str:
    return "nothing" if value in (None, [], "") else f"`{_flow(value)}`"


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
        words = ", ".join(f"{option}: …" for option in schema["properties"])
        yield f":::{{describe}} {f'{{{name}: {{{words}}}}}' if words else name}\n"
        yield _plain(inspect.getdoc(rule) or "")
        for option, about in schema["properties"].items():
            need = "required" if option in required else f"default {_default(about['default'])}"
            yield f"\n`{option}`: {_type(about, {})}{_pattern(about)}; {need}."
        yield "\n:::\n"


def _pattern(about: Schema) -> str:
    return f", of the form `{about['pattern']}`" if "pattern" in about else ""


def _plain(text: str) -> str:
    """Text of a docstring as Markdown: signs outside of backticks stay as they are."""
    return re.sub(r"`[^`]*`|[*_<>\[\]]", lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)


# --- settings and tables ----------------------------------------------------------------------------------------


def settings() -> Iterator[str]:
    """The variables of the loader, from loader/settings.py."""
    from loader.settings import Settings

    for name, field in Settings.model_fields.items():
        kind = {"Path": "a folder", "float": "a number"}.get(getattr(field.annotation, "__name__", ""), "text")
        choices = [choice for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str)]
        default = field.default.as_posix() if isinstance(field.default, Path) else field.default
        options = [f":type: {' or '.join(f'`{choice}`' for choice in choices) or kind}"]
        if not field.is_required():
            options.append(f":default: {'nothing' if default is None else f'`{default}`'}")
        yield _entry(f"ALMANAC_{name.upper()}", options, str(field.description), "")


def meta_tables() -> Iterator[str]:
    """The tables of the schema meta, from loader/warehouse/meta.py."""
    from loader.warehouse.meta import metadata

    for table in metadata.sorted_tables:
        yield f"### meta.{table.name}\n\n{table.comment}\n\n| column | type | meaning |\n|---|---|---|"
        for column in table.columns:
            need = "" if column.nullable else ", filled"
            yield f"| `{column.name}` | {str(column.type).lower()}{need} | {column.doc} |"
        yield ""


def lineage_columns() -> Iterator[str]:
    """The columns that every stage table has besides its own."""
    from loader.codegen.dbt_sources import LINEAGE_TEXTS

    yield "| column | meaning |\n|---|---|"
    for name, meaning in LINEAGE_TEXTS.items():
        yield f"| `{name}` | {meaning} |"


WRITERS: dict[str, Callable[[], Iterator[str]]] = {
    writer.__name__: writer for writer in (contract, cleaning_rules, settings, meta_tables, lineage_columns)
}
WRITTEN_FROM = ("loader.contracts", "loader.cleaning", "loader.settings", "loader.warehouse.meta", "loader.codegen")


# --- commands ---------------------------------------------------------------------------------------------------


def without_common_options(_app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Options that every command has are described once, at the group."""
    if context.parent is None:
        return
    common = {f".. option:: {option}" for parameter in context.parent.command.params for option in parameter.opts}
    kept = []
    is_common = False
    for line in lines:
        if line.startswith(".. option::"):
            is_common = " ".join(line.split()[:3]).rstrip(",") in common
        kept += [] if is_common else [line]
    lines[:] = kept


def as_code(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    """Backticks in help mean code; in reStructuredText a single one does not."""
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


# --- Sphinx -----------------------------------------------------------------------------------------------------


def fill_in(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Put the parts from the code into a page; it is read again when they change."""
    if not BLOCK.search(source[0]):
        return
    app.env.note_dependency(__file__)
    for module in WRITTEN_FROM:
        path = Path(str(importlib.import_module(module).__file__))
        for file in path.parent.glob("*.py") if path.name == "__init__.py" else [path]:
            app.env.note_dependency(str(file))
    source[0] = BLOCK.sub(lambda found: "\n".join(WRITERS[found[1]]()), source[0])


def stand_in(app: Sphinx, exception: Exception | None) -> None:
    """Pages that say how to make those of a warehouse, where there are none."""
    for folder, title in PAGES_OF_A_WAREHOUSE.items() if exception is None else ():
        page = Path(app.outdir) / folder / "index.html"
        if not page.exists():
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(STAND_IN.format(title=title), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks of an extension."""
    app.add_lexer("mermaid", TextLexer)  # drawn where repositories are browsed, text in the pages
    app.connect("source-read", fill_in)
    app.connect("sphinx-click-process-options", without_common_options)
    app.connect("sphinx-click-process-options", as_code)
    app.connect("sphinx-click-process-description", as_code)
    app.connect("build-finished", stand_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
