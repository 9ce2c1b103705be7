"""From samples to the words of a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loader.codegen.propose.answers import closed_set
from loader.codegen.propose.changes import find_end_marker
from loader.codegen.propose.columns import Found, decide, look_at
from loader.codegen.propose.evidence import Word
from loader.codegen.propose.family import FamilyColumn, found_again, header_words, missing_in
from loader.codegen.propose.file_names import FileNames
from loader.codegen.propose.fiscal import fiscal_year
from loader.codegen.propose.keys import Candidate, Key, find_key
from loader.codegen.propose.meanings import said_of_persons
from loader.codegen.propose.names import column_names, title
from loader.codegen.propose.notations import format_words, has_month_first, sign_of_decimals
from loader.codegen.propose.sample import Sample
from loader.codegen.propose.writing import quoted
from loader.contracts import CsvFormat, Grain, WorkbookFormat, plain_header
from loader.text import plural

_EVENTS = 0.1
"""Below this share of keys that are found again, files hold events rather than a stock."""


def words_of_contract(
    samples: Sequence[Sample], columns: Sequence[FamilyColumn], ignored: Sequence[Word], names: FileNames, dataset: str
) -> list[Word]:
    """The words of a contract for the samples, which are sorted by period; `ignored` for what is no column of it."""
    looked = [look_at(column.header, column.cells) for column in columns]
    fmt = samples[0].format
    decimal = sign_of_decimals(looked, fmt.delimiter if isinstance(fmt, CsvFormat) else "")
    month_first = has_month_first(looked)
    found = [decide(one, decimal, month_first) for one in looked]
    called = column_names([column.header for column in columns])
    of_format, own = format_words(list(zip(called, looked, found, strict=True)))
    key = _key(columns, called, found)
    marker = find_end_marker([*zip(called, looked, strict=True)], key.names)
    persons = said_of_persons([column.header for column in columns])
    entries: list[Word] = []
    for at, (name, column, one) in enumerate(zip(called, columns, found, strict=True)):
        family = (names.periods, samples)
        is_key, person = name in key.names, persons.get(at)
        more = [] if is_key or person else closed_set(looked[at], one)
        entries.append(_column(name, column, replace(one, asks=(*one.asks, *more)), own[name], family, is_key, person))
    return [
        Word("title", quoted(title(dataset))),
        Word("description", "What one row is, and who sends it.", ask="what one row is, and who sends it"),
        Word("file_name", quoted(names.file_name), names.why, "; ".join(names.asks)),
        *([Word("language", names.language, "names of months")] if names.language else []),
        *([Word("century", str(names.century))] if names.century else []),
        Word("format", below=[*_format(samples[0]), *of_format]),
        *([names.within] if names.within else []),
        Word("grain", names.grain, ask="; ".join(names.asks_of_grain)),
        *([fiscal_year(names.periods)] if names.grain == Grain.FISCAL else []),
        *_kind(marker, columns, called, key),
        Word("key", _names(key.names), key.why, "; ".join(key.asks)),
        *(
            [Word("duplicates", "identical", "some rows are equal to another in every column")]
            if key.drops_copies
            else []
        ),
        *ignored,
        Word("columns", below=entries),
    ]


def _key(columns: Sequence[FamilyColumn], called: Sequence[str], found: Sequence[Found]) -> Key:
    filled = [
        Candidate(name, column.header, one.type, tuple(part.text for part in column.parts if part is not None))
        for name, column, one in zip(called, columns, found, strict=True)
        if column.is_everywhere and column.is_filled and not one.notation.null_values
    ]
    everywhere = [column for column in columns if column.is_everywhere]
    samples = len(columns[0].headers)
    every = [[part.text for column in everywhere if (part := column.parts[at]) is not None] for at in range(samples)]
    if filled:
        return find_key(filled, every)
    name, column = min(zip(called, columns, strict=True), key=lambda one: _empty(one[1]))
    ask = f"no column is filled in every row, as parts of a key have to be; {name} is empty in {_empty(column):,}"
    return Key((name,), "", (ask,), is_proven=False)


def _empty(column: FamilyColumn) -> int:
    return len(column.cells.text) - column.filled


def _names(names: Sequence[str]) -> str:
    return quoted(names[0]) if len(names) == 1 else f"[{', '.join(map(quoted, names))}]"


def _kind(
    marker: tuple[str, str] | None, columns: Sequence[FamilyColumn], called: Sequence[str], key: Key
) -> list[Word]:
    if marker is not None:
        column, value = marker
        ask = f"the values of {column} look like changes; is the file a list of changes only?"
        below = [Word("column", quoted(column)), Word("value", quoted(value), "ends a key")]
        return [Word("kind", "delta", ask=ask), Word("end_marker", below=below)]
    ask = "does every file list every live key? If it lists changes only: 'kind: delta', with an end_marker"
    if not key.is_proven or len(columns[0].headers) == 1:
        return [Word("kind", "full", ask=ask)]
    of_key = [columns[called.index(name)] for name in key.names]
    parts = [
        [part.text for one in of_key if (part := one.parts[at]) is not None] for at in range(len(columns[0].headers))
    ]
    again = found_again(parts)
    shares = [shared / rows for rows, shared in again if rows]
    if shares and max(shares) < _EVENTS:
        why = f"of the keys of a file, at most {max(shares):.0%} are in the next one"
        asked = "is it a list of events, whose keys never end? If every file lists every live key: 'kind: full'"
        return [Word("kind", "delta", why, asked), Word("end_marker", "none")]
    least = min(shares, default=0.0)
    why = f"of the keys of a file, at least {least:.0%} are in the next one"
    return [Word("kind", "full", why, "" if least > 0.5 else ask)]


def _format(sample: Sample) -> list[Word]:
    fmt, usual = sample.format, CsvFormat(type="csv")
    words = [Word("type", fmt.type)]
    if isinstance(fmt, CsvFormat):
        evidence = sample.text.evidence if sample.text else {}
        rivals = sample.text.rivals if sample.text else {}
        for name in ("encoding", "delimiter", "quote", "escape", "comment", "trailing_delimiter", "text_formulas"):
            value = getattr(fmt, name)
            if value != getattr(usual, name) or name == "delimiter" or name in rivals:
                ask = f"is that right? {rivals[name]}" if name in rivals else ""
                words.append(Word(name, _scalar(value), evidence.get(name, ""), ask))
        if fmt.header == "none":
            words.append(Word("header", "none", sample.top.why, "; ".join(sample.top.asks)))
    elif isinstance(fmt, WorkbookFormat) and (fmt.sheet is not None or sample.sheet_why or sample.asks):
        words.append(Word("sheet", _scalar(fmt.sheet or 1), sample.sheet_why, "; ".join(sample.asks)))
    if sample.top.first and (sample.top.first > 1 or sample.top.asks):
        words.append(Word("header_row", str(sample.top.first), sample.top.why, "; ".join(sample.top.asks)))
    if sample.top.rows > 1:
        words.append(Word("header_rows", str(sample.top.rows)))
    if fmt.totals:
        words.append(Word("totals", quoted(fmt.totals), sample.end.why))
    if fmt.skip_end:
        words.append(Word("skip_end", str(fmt.skip_end), sample.end.why, "; ".join(sample.end.asks)))
    return words


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else quoted(value)


def _column(
    name: str,
    column: FamilyColumn,
    found: Found,
    own: Sequence[Word],
    family: tuple[Sequence[str], Sequence[Sample]],
    is_key: bool,
    person: tuple[str, bool] | None,
) -> Word:
    asks = [*found.asks]
    words = [*_headers(name, column, family[0], asks), Word("type", found.type, found.why)]
    words.append(Word("description", quoted(f"{title(column.header)}.")))
    is_required = column.is_filled and not found.notation.null_values
    if is_key:
        words.append(Word("required", "true", "part of the key"))
    elif is_required and _is_in_one_run(column):
        words.append(Word("required", "true", f"filled in {plural(len(column.cells.text), 'row')}"))
    if column.is_filled_down:
        asks.append("does an empty cell mean the value above it, as in merged cells? If not, without 'fill_down'")
        why = f"each value stands once, above {plural(column.filled_down, 'empty cell')}"
        words.append(Word("fill_down", "true", why))

    if not column.is_everywhere:
        words += _presence(column, *family, asks)
    words += own
    if person and person[1]:
        asks.append(f"'personal: true' if {person[0]} here is that of a person")
    elif person:
        words.append(Word("personal", "true", f"the header says {person[0]}"))
    return Word(name, ask="; ".join(asks), below=words)


def _headers(name: str, column: FamilyColumn, periods: Sequence[str], asks: list[str]) -> list[Word]:
    if column.is_renamed and periods:
        asks.append("two headers with the same values are taken for one column")
        spans = header_words(column, periods)
        items = [
            "{"
            + ", ".join(
                f"{word}: {quoted(text)}" for word, text in zip(("header", "from", "until"), span, strict=True) if text
            )
            + "}"
            for span in spans
        ]
        return [Word("header", f"[{', '.join(items)}]")]
    return [Word("header", quoted(column.header))] if plain_header(column.header) != name else []


def _is_in_one_run(column: FamilyColumn) -> bool:
    """Whether the samples that have a column follow each other."""
    return column.present == [*range(column.present[0], column.present[-1] + 1)]


def _presence(column: FamilyColumn, periods: Sequence[str], samples: Sequence[Sample], asks: list[str]) -> list[Word]:
    """From when on, until when, or whether now and then, a column exists."""
    first, last = column.present[0], column.present[-1]
    why = f"not in {missing_in(column, samples)}"
    if not _is_in_one_run(column):
        asks.append("it is in some files and not in others; is that meant?")
        return [Word("optional", "true", why)]
    words = [Word("since", quoted(periods[first]), why)] if first else []
    if last < len(samples) - 1:
        words.append(Word("until", quoted(periods[last]), "" if first else why))
    return words
