"""The answer of a cube for people and programs: a table, Markdown, CSV, JSON, a picture."""

from __future__ import annotations

import calendar
import csv
import io
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.table import Table

from loader import console
from loader.errors import EnvironmentFailedError, UsageError
from loader.files import not_a_formula
from loader.project import Project
from loader.reports.cube import chart
from loader.reports.cube import question as cube
from loader.reports.cube.additivity import additive_measures
from loader.reports.cube.mart import Attribute, Source, source, sources
from loader.reports.cube.question import Answer, Key, Order
from loader.text import listed, number, plural

TOTAL = "total"
_CALENDAR_NAMES = {
    "month_name": tuple(calendar.month_name)[1:],
    "weekday_name": tuple(calendar.day_name),
}
"""In their order; in English unless the locale is set, which the loader never does."""


def what_can_be_asked(project: Project, name: str | None) -> list[dict[str, Any]]:
    """Tables, or the one table, with own attributes, those of dimensions, and measures; raises UsageError."""
    known = _sources(project)
    return [
        {
            "table": one.name,
            "attributes": one.attributes(),
            "dimensions": {role.name: one.of_role(role) for role in one.roles.values()},
            "measures": one.measures(),
        }
        for one in ([source(known, name)] if name else known)
    ]


def ask(project: Project, name: str | None, rows_by: Order | None = None, /, **words: Sequence[str]) -> Answer:
    """The answer to a question in names, as `cube.question` takes them; raises UsageError."""
    known = _sources(project)
    asked = cube.question(known, name, **words)
    order = {one.name: one.allowed for contract in project.contracts for one in contract.columns if one.allowed}
    orders = {**order, **_CALENDAR_NAMES}
    return project.warehouse.run(lambda connection: cube.answer(connection, asked, orders, rows_by))


def note_what_is_missing(answer: Answer) -> None:
    """Say what the numbers of an answer do not tell."""
    if not answer.rows and answer.question.filters:
        console.note("no row matches the filters")
    if hidden := len(answer.all_rows) - len(answer.rows):
        console.note(f"{plural(hidden, 'row')} more; totals are of all rows")
    for measure in answer.left_out:
        console.note(f"'{measure.label}' does not add up over {listed(measure.fixed)}: such totals are left out")


def _sources(project: Project) -> list[Source]:
    personal = [one.name for contract in project.contracts for one in contract.columns if one.personal]
    additive = additive_measures(project.root)
    known = project.warehouse.run(lambda connection: sources(connection, personal, additive))
    if not known:
        raise UsageError("the mart has no fact and no aggregate that this account may read; run `loader build` first")
    return known


def catalogue(described: Sequence[dict[str, Any]], *, whole: bool) -> Table:
    """What can be asked; `whole` lists the attributes of the dimensions too."""
    made = console.table()
    for name in ("table", "rows, columns, filters", "measures"):
        made.add_column(name, overflow="fold", no_wrap=name == "table")
    for one in described:
        own = ", ".join(one["attributes"])
        through = f"of {', '.join(one['dimensions'])}"
        if whole:
            alike: dict[tuple[str, ...], list[str]] = {}
            for role, names in one["dimensions"].items():
                alike.setdefault(tuple(names), []).append(role)
            through = "\n".join(f"of {', '.join(roles)}: {', '.join(names)}" for names, roles in alike.items())
        made.add_row(one["table"], f"{own}\n{through}" if one["dimensions"] else own, ", ".join(one["measures"]))
    return made


def write(answer: Answer, form: str | None, output: Path | None, *, totals: bool) -> str:
    """The text of a format, by default that of the file's ending; writes the file if there is one.

    Raises:
        UsageError: no format has such an ending, or a picture cannot show so much.
        EnvironmentFailedError: the file cannot be written.
    """
    form = form or (output.suffix.removeprefix(".").lower() if output else "csv")
    if form not in WRITTEN:
        raise UsageError(f"--output: files are written as {', '.join(WRITTEN)}, not as '{form}'")
    text = WRITTEN[form](answer, totals=totals)
    if output is not None:
        try:
            # Excel takes a CSV for UTF-8 by its mark only
            output.write_text(text, encoding="utf-8-sig" if form == "csv" else "utf-8", newline="")
        except OSError as error:
            raise EnvironmentFailedError(f"--output: {output} cannot be written ({error.strerror})") from error
    return text


def grid(answer: Answer, *, totals: bool) -> tuple[list[str], list[tuple[list[str], list[Any]]]]:
    """Header, and the rows as labels and values; the total row and the total columns come last."""
    asked = answer.question
    columns: list[Key | None] = [*answer.columns]
    if not asked.columns or (totals and any(_adds_up(answer, row) for row in (*answer.rows, None))):
        columns.append(None)
    measures = [measure.label for measure in asked.measures]

    def names_of(column: Key | None) -> list[str]:
        if not asked.columns:
            return measures
        label = TOTAL if column is None else _label(asked.columns, column)
        return [label] if len(measures) == 1 else [f"{label} {measure}" for measure in measures]

    def row(key: Key | None) -> tuple[list[str], list[Any]]:
        empty = (None,) * len(measures)
        values = [value for column in columns for value in answer.cells.get((key, column), empty)]
        if key is None:
            return [TOTAL, *[""] * (len(asked.rows) - 1)][: len(asked.rows)], values
        return [attribute.label(value) for attribute, value in zip(asked.rows, key, strict=True)], values

    header = [attribute.name for attribute in asked.rows] + [name for one in columns for name in names_of(one)]
    keys: list[Key | None] = [*answer.rows]
    if totals or not asked.rows:
        keys.append(None)
    return header, [row(key) for key in keys]


def _adds_up(answer: Answer, row: Key | None) -> bool:
    """Whether a row has a total."""
    return any(value is not None for value in answer.cells.get((row, None), ()))


def _label(attributes: Sequence[Attribute], key: Key) -> str:
    return " ".join(attribute.label(value) for attribute, value in zip(attributes, key, strict=True))


def as_table(answer: Answer, *, totals: bool) -> Table:
    """The answer for a terminal."""
    header, rows = grid(answer, totals=totals)
    names = len(answer.question.rows)
    made = console.table()
    for at, name in enumerate(header):
        is_label = at < names
        made.add_column(
            console.plain(name), justify="left" if is_label else "right", no_wrap=not is_label, overflow="fold"
        )
    for at, (labels, values) in enumerate(rows):
        cells = [console.plain(cell) for cell in (*labels, *map(number, values))]
        made.add_row(*cells, style="bold" if totals and at == len(rows) - 1 and rows[1:] else None)
    return made


def leave_out(answer: Answer, *, totals: bool) -> list[str]:
    """Columns that a narrow window lacks, the last one first; names, the first value and totals stay."""
    header, _ = grid(answer, totals=totals)
    values = header[len(answer.question.rows) + 1 :]
    return [name for name in reversed(values) if not name.startswith(TOTAL)]


def as_markdown(answer: Answer, *, totals: bool) -> str:
    """The answer as a table of Markdown."""
    header, rows = grid(answer, totals=totals)
    names = len(answer.question.rows)

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(console.printable(cell).replace('|', chr(92) + '|') for cell in cells)} |\n"

    marks = ["---" if at < names else "---:" for at in range(len(header))]
    body = [line([*labels, *map(number, values)]) for labels, values in rows]
    return "".join([line(header), line(marks), *body])


def as_csv(answer: Answer, *, totals: bool) -> str:
    """The answer as CSV, numbers unrounded; no cell is a formula."""
    header, rows = grid(answer, totals=totals)
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow([not_a_formula(name) for name in header])
    for labels, values in rows:
        lines.writerow([*map(not_a_formula, labels), *("" if value is None else value for value in values)])
    return out.getvalue()


def as_json(answer: Answer, *, totals: bool) -> str:
    """Every cell with its labels; totals lack those of what they sum over."""
    asked = answer.question

    def cell(row: Key | None, column: Key | None) -> dict[str, Any]:
        keys = [*zip(asked.rows, row or (), strict=False), *zip(asked.columns, column or (), strict=False)]
        labels = {attribute.name: None if value is None else attribute.label(value) for attribute, value in keys}
        values = zip(asked.measures, answer.cells[row, column], strict=True)
        return labels | {measure.label: float(v) if isinstance(v, Decimal) else v for measure, v in values}

    rows: list[Key | None] = [*answer.rows, None]
    columns: list[Key | None] = [*answer.columns, None]
    known = [at for row in rows for column in columns if (at := (row, column)) in answer.cells]
    finest = {
        (row, column)
        for row, column in known
        if (row is not None or not asked.rows) and (column is not None or not asked.columns)
    }
    document: dict[str, Any] = {
        "table": asked.table.name,
        "rows": [attribute.name for attribute in asked.rows],
        "columns": [attribute.name for attribute in asked.columns],
        "measures": [measure.label for measure in asked.measures],
        "filters": [one.text for one in asked.filters],
        "cells": [cell(*at) for at in known if at in finest],
    }
    if totals:
        document["totals"] = [cell(*at) for at in known if at not in finest]
    return json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n"


def as_svg(answer: Answer, *, totals: bool) -> str:  # noqa: ARG001
    """Lines along the time when rows or columns are one, else bars.

    Raises:
        UsageError: there is more than a picture can show.
    """
    asked = answer.question
    if len(asked.measures) > 1 and asked.columns:
        raise UsageError("a picture shows one measure by rows and columns, or several by rows alone")
    along, across = (asked.rows, asked.columns), (answer.rows, answer.columns)
    turned = bool(asked.columns) and all(one.is_time for one in asked.columns)
    if turned:
        along, across = along[::-1], across[::-1]
    places = [_label(along[0], key) for key in across[0]]

    def values_of(other: Key | None, measure: int) -> list[float | None]:
        at = [(other, place) if turned else (place, other) for place in across[0]]
        found = [answer.cells.get(one, (None,) * len(asked.measures))[measure] for one in at]
        return [None if value is None else float(value) for value in found]

    if along[1]:
        series = {_label(along[1], key): values_of(key, 0) for key in across[1]}
    else:
        series = {measure.label: values_of(None, at) for at, measure in enumerate(asked.measures)}
    if len(series) > chart.MOST_SERIES or len(places) > chart.MOST_PLACES or not places:
        raise UsageError(
            f"a picture shows up to {chart.MOST_SERIES} series over up to {chart.MOST_PLACES} places, "
            f"not {len(series):,} over {len(places):,}: filter, or ask for other rows"
        )
    is_time = bool(along[0]) and all(one.is_time for one in along[0])
    draw = chart.lines if is_time and len(places) > 1 else chart.bars
    return draw(str(asked), places, series)


WRITTEN: dict[str, Callable[..., str]] = {"csv": as_csv, "json": as_json, "md": as_markdown, "svg": as_svg}
"""By format, which is also the extension of a file."""
