"""Queries of every shape over one table, the same in the words of each engine, for tests of what of them is shown.

The table has personal columns, `name` and `nick`, and plain ones, `city` and `town`, all of them texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PERSONAL, PLAIN = ("name", "nick"), ("city", "town")
COLUMNS = (*PERSONAL, *PLAIN)

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several."""


@dataclass(frozen=True)
class Words:
    """How one engine spells what they all can do."""

    grammar: str
    quotes: str = '""'
    concat: str = "||"
    cast: str = "cast({} as varchar(99))"
    recursive: str = "recursive "
    lateral: str = "cross join lateral"

    def quoted(self, name: str) -> str:
        return f"{self.quotes[0]}{name.lower()}{self.quotes[1]}"


WORDS = (
    Words("duckdb"),
    Words("postgres", cast="{}::varchar(99)"),
    Words("tsql", quotes="[]", concat="+", recursive="", lateral="cross apply"),
)


@dataclass(frozen=True)
class Queries:
    """A grammar of queries; `readable` are the columns of the table that they read."""

    pick: Pick
    words: Words
    table: str
    readable: Sequence[str] = COLUMNS

    def query(self, depth: int = 3) -> tuple[str, list[str]]:
        """A query, and the names of its columns."""
        kinds = [self._plain, self._plain]
        if depth:
            kinds += [self._named, self._united, self._recursive, self._grouped, self._starred, self._joined]
        return self.pick(kinds)(depth)  # type: ignore[no-any-return]

    def _names(self, count: int) -> list[str]:
        """Different names, those of the table among them."""
        left = [*COLUMNS, "x", "rank", "City2"]
        names = []
        for _ in range(count):
            names.append(self.pick(left))
            left.remove(names[-1])
        return names

    def _source(self, depth: int, alias: str) -> tuple[str, list[str]]:
        """What stands behind `from`, called `alias`, and its columns."""
        if depth and self.pick([True, False]):
            query, names = self.query(depth - 1)
            if not query.startswith("with") and self.pick([True, False]):
                names = self._names(len(names))
                return f"({query}) as {alias}({', '.join(names)})", names
            if not query.startswith("with"):
                return f"({query}) as {alias}", names
        return f"{self.table} as {alias}", [*self.readable]

    def _value(self, alias: str, names: Sequence[str], depth: int) -> str:
        """A text made of columns of a source."""
        name = self.pick(names)
        column = self.pick([f"{alias}.{name}", f"{alias}.{self.words.quoted(name)}", name, name.upper()])
        other = f"{alias}.{self.pick(names)}"
        shapes = [
            *(column, column, column),
            f"upper({column})",
            f"coalesce({column}, {other})",
            f"concat({column}, '-', {other})",
            f"{column} {self.words.concat} 'x'",
            f"case when {other} > 'a' then {column} else 'none' end",
            f"nullif({column}, '')",
            self.words.cast.format(column),
            f"max({column}) over (partition by {other})",
            self.words.cast.format(f"count({column}) over (partition by {other})"),
            self.words.cast.format(f"row_number() over (order by {column})"),
            "'constant'",
        ]
        if depth:
            source, inner = self._source(0, "s")
            asked = self.pick(inner)
            shapes += [
                f"(select max(s.{asked}) from {source} where s.{asked} <> {other})",
                f"(select max(concat(s.{asked}, {alias}.{name})) from {source})",
            ]
        return str(self.pick(shapes))

    def _columns(self, alias: str, source: Sequence[str], depth: int) -> tuple[str, list[str]]:
        names = self._names(self.pick([1, 2, 3]))
        shown = [f"{self._value(alias, source, depth)} {self.pick(['as ', ''])}{name}" for name in names]
        return ", ".join(shown), names

    def _plain(self, depth: int) -> tuple[str, list[str]]:
        source, columns = self._source(depth, "a")
        shown, names = self._columns("a", columns, depth)
        return f"select {shown} from {source}", names

    def _named(self, depth: int) -> tuple[str, list[str]]:
        body, inner = self._plain(depth - 1)
        columns = self._names(len(inner)) if self.pick([True, False]) else []
        title = self.pick(["rest", "city"])
        head = f"{title}({', '.join(columns)})" if columns else title
        shown, names = self._columns("w", columns or inner, 0)
        return f"with {head} as ({body}) select {shown} from {title} as w", names

    def _united(self, depth: int) -> tuple[str, list[str]]:
        first, names = self._plain(depth - 1)
        source, columns = self._source(0, "b")
        values = ", ".join(self._value("b", columns, 0) for _ in names)
        word = self.pick(["union all", "union", "except"])
        return f"{first} {word} select {values} from {source}", names

    def _recursive(self, depth: int) -> tuple[str, list[str]]:
        names = self._names(2)
        texts = [self.words.cast.format(f"a.{self.pick(self.readable)}") for _ in range(3)]
        level, text = names
        body = (
            f"select 1, {texts[0]} from {self.table} as a union all "
            f"select r.{level} + 1, {self.pick([texts[1], f'r.{text}'])} "
            f"from r inner join {self.table} as a on r.{level} < 2"
        )
        shown = self.words.cast.format(f"r.{text}")
        return f"with {self.words.recursive}r({level}, {text}) as ({body}) select {shown} as {text} from r", [text]

    def _grouped(self, depth: int) -> tuple[str, list[str]]:
        source, columns = self._source(depth - 1, "a")
        key, value = self.pick(columns), self.pick(columns)
        names = self._names(3)
        return (
            (
                f"select a.{key} as {names[0]}, count(distinct a.{value}) as {names[1]}, max(a.{value}) as {names[2]} "
                f"from {source} group by a.{key} having count(*) > 0 order by 2"
                if depth == 3  # no engine but DuckDB and PostgreSQL sorts what is read from
                else f"select a.{key} as {names[0]}, max(a.{value}) as {names[1]} from {source} group by a.{key}"
            ),
            names[: 3 if depth == 3 else 2],
        )

    def _starred(self, depth: int) -> tuple[str, list[str]]:
        if self.readable != COLUMNS:
            return self._plain(depth)
        source, columns = self._source(depth - 1, "a")
        return f"select {self.pick(['*', 'a.*'])} from {source}", columns

    def _joined(self, depth: int) -> tuple[str, list[str]]:
        source, columns = self._source(depth - 1, "b")
        name = self.pick(["city", "x"])
        value = f"b.{self.pick(columns)}"
        within = f"(select concat({value}, a.{self.pick(self.readable)}) as {name}) as l"
        joined = f"{self.table} as a cross join {source} {self.words.lateral} {within}"
        first = self.pick(["l.{}", "upper(l.{})"]).format(name)
        second = self.pick([f"a.{self.pick(self.readable)}", value])
        names = self._names(2)
        return f"select {first} as {names[0]}, {second} as {names[1]} from {joined}", names


class Drawn:
    """Choices that can be made again, so that the same query is written in the words of each engine."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick
        self._made: list[int] = []
        self._at = 0

    def __call__(self, options: Sequence[Any]) -> Any:
        if self._at == len(self._made):
            self._made.append(self._pick(range(len(options))))
        self._at += 1
        return options[self._made[self._at - 1]]

    def again(self) -> Drawn:
        self._at = 0
        return self
