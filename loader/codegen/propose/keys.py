"""Natural keys: up to four columns that tell the rows of every sample apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loader.codegen.propose.meanings import is_identifier
from loader.text import plural

_MOST_COLUMNS = 4
_MOST_TRIED = {2: 24, 3: 24, 4: 12}
"""Columns of which all sets of a size are tried: 12 have 495 sets of four."""
_FIRST_ROWS = 3_000
_WORST = {"double": 3, "decimal": 3, "boolean": 3, "timestamp": 2, "date": 1, "time": 2}


@dataclass(frozen=True)
class Candidate:
    """A column that may be part of a key: it is filled in each row of each sample."""

    name: str
    header: str
    type: str
    samples: tuple[pa.StringArray, ...]
    """Its cells, by sample."""

    @property
    def is_measured(self) -> bool:
        """Whether it holds measured values or answers, by which nothing is known."""
        return self.type.partition("(")[0] in ("double", "decimal", "boolean") and not is_identifier(self.header)

    @property
    def rank(self) -> int:
        """How little it looks like a part of a key."""
        kind = self.type.partition("(")[0]
        is_long = kind == "varchar" and int(self.type[8:-1]) > 100
        return _WORST.get(kind, 0) + 2 * is_long - 2 * is_identifier(self.header)


@dataclass(frozen=True)
class Key:
    """A key, with what shows it and what is to be decided; `is_proven` when its columns are unique in all samples."""

    names: tuple[str, ...]
    why: str
    asks: tuple[str, ...] = ()
    is_proven: bool = True
    drops_copies: bool = False
    """Whether rows that are equal in every column count once."""


def find_key(candidates: Sequence[Candidate], every: Sequence[Sequence[pa.StringArray]]) -> Key:
    """The fewest columns that are unique in each sample; of several the ones that look most like a key.

    Measured values are unique by chance: they are taken only when no others are unique. `every` are all columns by
    sample, to tell rows that are the same throughout.
    """
    names = [one for one in candidates if not one.is_measured]
    found = _search(names, None) or _search(candidates, None)
    if found is not None:
        return found
    kept = [_first_of_each(sample) for sample in every]
    copies = sum(len(sample[0]) - len(rows) for sample, rows in zip(every, kept, strict=True))
    found = (_search(names, kept) or _search(candidates, kept)) if copies else None
    if found is not None:
        why = f"{found.why}, but for {plural(copies, 'row')} equal to another in every column"
        return Key(found.names, why, found.asks, drops_copies=True)
    return _nearest(candidates)


def _search(candidates: Sequence[Candidate], rows: Sequence[np.ndarray] | None) -> Key | None:
    if not candidates:
        return None
    coded = {
        one.name: [_codes(part, None if rows is None else rows[at]) for at, part in enumerate(one.samples)]
        for one in candidates
    }
    singles = [one for one in candidates if _is_unique([coded[one.name]])]
    if singles:
        return _single(singles)
    ranked = sorted(candidates, key=lambda one: one.rank)
    order = {one.name: at for at, one in enumerate(candidates)}
    for size in range(2, _MOST_COLUMNS + 1):
        sets = combinations(ranked[: _MOST_TRIED[size]], size)
        unique = [parts for parts in sets if _is_unique([coded[one.name] for one in parts])]
        if unique:
            best = min(
                unique, key=lambda parts: (sum(one.rank for one in parts), sum(order[one.name] for one in parts))
            )
            names = tuple(sorted((one.name for one in best), key=order.__getitem__))
            others = [parts for parts in unique if parts is not best and _rank(parts) <= _rank(best)]
            asks = [f"other sets of {size} columns would do: {_shown(others[:3])}"] if others else []
            measured = [one.name for one in best if one.is_measured]
            if measured:
                asks.append(f"unique by chance? {' and '.join(measured)}: no names of things")
            return Key(names, f"unique together in {_rows(candidates)}; no single column is", tuple(asks))
    return None


def _rank(parts: Sequence[Candidate]) -> int:
    return sum(one.rank for one in parts)


def _single(unique: Sequence[Candidate]) -> Key:
    real = [one for one in unique if is_identifier(one.header) or not _is_count(one)] or unique
    best = min(real, key=lambda one: one.rank)
    others = [one.name for one in unique if one is not best]
    asks: list[str] = []
    if others and not is_identifier(best.header):
        asks.append(f"unique in the samples too: {', '.join(others[:5])}")
    if _is_count(best):
        asks.append(f"{best.name} counts the rows from 1; does the sender know a thing by it, or is it the row?")
    if best.is_measured:
        asks.append(f"{best.name} is unique in the samples, but it is no name of a thing")
    return Key((best.name,), f"unique in {_rows(unique)}", tuple(asks))


def _rows(candidates: Sequence[Candidate]) -> str:
    parts = candidates[0].samples
    rows = plural(sum(map(len, parts)), "row")
    return rows if len(parts) == 1 else f"each of {len(parts)} files, {rows}"


def _shown(sets: Iterable[Sequence[Candidate]]) -> str:
    return "; ".join(" + ".join(one.name for one in parts) for parts in sets)


def _is_count(candidate: Candidate) -> bool:
    """Whether a column counts the rows of its file."""
    return len(candidate.samples[0]) > 1 and all(
        pc.all(pc.equal(part, pc.cast(pa.array(np.arange(1, len(part) + 1)), pa.string()))).as_py()
        for part in candidate.samples
    )


def _codes(cells: pa.StringArray, rows: np.ndarray | None) -> np.ndarray:
    """A number for each different cell."""
    codes: np.ndarray = pc.dictionary_encode(cells).indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes if rows is None else codes[rows]


def _is_unique(columns: Sequence[Sequence[np.ndarray]]) -> bool:
    return all(_repeated(parts) == 0 for parts in zip(*columns, strict=True))


def _repeated(columns: Sequence[np.ndarray]) -> int:
    """Rows that have another row's values; of the first rows only when these repeat already."""
    for head in (_FIRST_ROWS, None):
        joined = reduce(_paired, (codes[:head] for codes in columns))
        repeated = len(joined) - len(np.unique(joined))
        if repeated:
            return repeated
    return 0


def _paired(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One number for each pair of numbers."""
    _, numbered = np.unique(left, return_inverse=True)
    return np.asarray(numbered * (int(right.max(initial=0)) + 1) + right)


def _first_of_each(columns: Sequence[pa.StringArray]) -> np.ndarray:
    """The first of the rows that are the same in every column."""
    filled = [pc.fill_null(cells, "\0") for cells in columns]
    joined = reduce(_paired, (_codes(cells, None) for cells in filled))
    _, first = np.unique(joined, return_index=True)
    return np.sort(first)


def _nearest(candidates: Sequence[Candidate]) -> Key:
    """The columns that come nearest to a key."""
    usable = sorted(candidates, key=lambda one: one.rank)[:8]
    coded = {one.name: [_codes(part, None) for part in one.samples] for one in usable}
    order = {one.name: at for at, one in enumerate(candidates)}

    def left(parts: Sequence[Candidate]) -> int:
        joined = [reduce(_paired, columns) for columns in zip(*(coded[one.name] for one in parts), strict=True)]
        return sum(len(codes) - len(np.unique(codes)) for codes in joined)

    sets = [parts for size in range(1, _MOST_COLUMNS + 1) for parts in combinations(usable, size)]
    best = min(sets, key=lambda parts: (left(parts), len(parts)))
    names = tuple(sorted((one.name for one in best), key=order.__getitem__))
    ask = (
        f"no set of up to {_MOST_COLUMNS} columns is unique; these come nearest, {plural(left(best), 'row')} repeat one"
    )
    return Key(names, "", (ask,), is_proven=False)
