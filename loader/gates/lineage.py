"""Which columns of a query may hold personal values: from its parse tree, column by column.

A query is traced to the columns of tables that are known. What cannot be parsed, resolved or traced to one of them
counts as personal: a table that nobody knows, a function that the parser has no word for, a syntax that is not named
here. Names are compared without case, and where a name may mean more than one column it counts as each of them.

Values are meant, not what they follow from: a filter, a grouping and the order of rows pass no value on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from loader.gates.columns import Output, Outputs, UntraceableError
from loader.text import plural

_CLAUSES = (
    *("with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify", "windows"),
    *("order", "limit", "offset", "sample", "hint", "options", "locks", "operation_modifiers"),
)
"""Clauses of a select that are followed, or that change no column of it."""

_PLAIN_FUNCTIONS = frozenset(("age", "convert_to", "hashbytes", "make_date", "octet_length", "regexp_like", "sha256"))
"""Functions that the parser has no word for and that give nothing but what is in their arguments."""

_FROM_ELSEWHERE = (
    *(exp.Parameter, exp.Placeholder, exp.SessionParameter, exp.PositionalColumn, exp.Command),
    *(exp.CurrentUser, exp.SessionUser),
)
"""Values that no column is named for."""

_IMPERSONAL = (exp.Count, exp.DataType)
"""Numbers of rows may be told."""

_OF_ROWS = (exp.Window, exp.Filter)
"""What stands beside `this` says of which rows."""

_SERIES = (exp.GenerateSeries, exp.ExplodingGenerateSeries, exp.Unnest, exp.Explode)
"""Functions in the place of a table, with one column of what is in their arguments."""

_SEVERAL = (exp.Star, exp.Columns)
"""What stands for any number of columns, wherever it is."""

_SPREAD = (exp.Aliases, exp.Explode, exp.Posexplode, exp.Unnest, exp.Inline)
"""What may stand for more than one column where nothing is around it: a structure has many."""


Tables = Callable[[Sequence[str]], Sequence[Output] | None]
"""The columns of a table by the parts of its name, in lower case; None for a table that is not known."""


def outputs(sql: str, grammar: str, tables: Tables, *, doubt: bool = True) -> Outputs:
    """The columns of a query, in the `grammar` of an engine. What cannot be traced is personal if `doubt` says so.

    Raises:
        UntraceableError: it cannot be parsed, or what its result has for columns is not to be told.
    """
    try:
        statements = parse(sql, read=grammar)
        if len(statements) != 1 or statements[0] is None:
            raise UntraceableError(f"has {plural(len(statements), 'statement')}")
        return _Trace(tables, doubt).query(statements[0], None, {})
    except (SqlglotError, RecursionError) as error:
        raise UntraceableError(type(error).__name__) from None


_Named = Mapping[str, Outputs]
"""The queries of a `with`, by their names."""


@dataclass
class _Source:
    """What stands behind `from` or `join`."""

    names: Sequence[str]
    """How it may be called, with and without its schema."""
    columns: Sequence[Output]
    others: bool | None = None
    """Whether any other column is personal, where not all are known by name."""

    def of(self, name: str) -> list[bool]:
        """What each column of the name says."""
        found = [column.personal for column in self.columns if column.name == name]
        return found or ([] if self.others is None else [self.others])

    @property
    def row(self) -> bool:
        """Whether a whole row is personal."""
        return bool(self.others) or any(column.personal for column in self.columns)


@dataclass
class _Scope:
    """What a select reads."""

    outer: _Scope | None
    named: _Named
    sources: list[_Source] = field(default_factory=list)
    aliases: dict[str, list[Any]] = field(default_factory=dict)
    """Definitions of this select's own columns: some engines know their names beside each other."""
    ordered: bool = True
    """Whether `*` has the columns of the sources one after the other."""

    def called(self, name: str) -> list[_Source]:
        """The sources of a name."""
        return [source for source in self.sources if name in source.names]


class _Trace:
    def __init__(self, tables: Tables, doubt: bool) -> None:
        self.tables = tables
        self.doubt = doubt
        """What is said of a value of which it is not known where it comes from."""

    def query(self, node: Any, outer: _Scope | None, named: _Named) -> Outputs:
        named = self._with(node, outer, named)
        if isinstance(node, exp.Subquery | exp.Paren):
            _only(node, "this", "alias", "with_", "order", "limit", "offset", "sample")
            return self.query(node.this, outer, named)
        if isinstance(node, exp.SetOperation):
            _only(node, "this", "expression", "with_", "distinct", "order", "limit", "offset")
            return _united(self.query(node.this, outer, named), self.query(node.expression, outer, named))
        if isinstance(node, exp.Values):
            return self._values(node, _Scope(outer, named))
        if isinstance(node, exp.Select):
            return self._select(node, _Scope(outer, named))
        raise UntraceableError(type(node).__name__)

    def _with(self, node: Any, outer: _Scope | None, named: _Named) -> _Named:
        clause = node.args.get("with_")
        if clause is None:
            return named
        known = dict(named)
        for one in clause.expressions:
            _only(one, "this", "alias", "materialized")
            name, body = one.alias.lower(), one.this
            if isinstance(body, exp.SetOperation) and any(
                _is_called(table, name) for table in body.find_all(exp.Table)
            ):
                known[name] = self._recursive(one, name, outer, known)
            else:
                known[name] = _renamed(self.query(body, outer, known), one)
        return known

    def _recursive(self, node: Any, name: str, outer: _Scope | None, named: _Named) -> Outputs:
        """It begins as its first part; with each round more of it may turn out to be personal."""
        first, following = node.this.this, node.this.expression
        found = _renamed(self.query(first, outer, self._with(node.this, outer, named)), node)
        while True:
            inside = self._with(node.this, outer, {**named, name: found})
            again = _united(found, self.query(following, outer, inside))
            if again == found:
                return found
            found = again

    def _values(self, node: Any, scope: _Scope) -> Outputs:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        return reduce(_united, [Outputs(tuple(Output("", self._personal(one, scope)) for one in row)) for row in rows])

    def _select(self, node: Any, scope: _Scope) -> Outputs:
        _only(node, *_CLAUSES)
        if node.args.get("from_"):
            self._read(node.args["from_"].this, scope)
        for join in node.args.get("joins") or ():
            self._join(join, scope)
        for column in node.expressions:
            if isinstance(column, exp.Alias):
                scope.aliases.setdefault(column.alias.lower(), []).append(column.this)
        found: list[Output] = []
        has_star = False
        for column in node.expressions:
            if _is_star(column):
                has_star = True
                found += self._starred(column, scope)
            else:
                found.append(self._column(column, scope))
        return Outputs(tuple(found), scope.ordered or not has_star)

    def _column(self, node: Any, scope: _Scope) -> Output:
        body = node.this if isinstance(node, exp.Alias) else node
        if isinstance(body, _SPREAD) or any(isinstance(one, _SEVERAL) for one in body.walk(prune=_is_apart)):
            raise UntraceableError("a column that stands for several")
        name = node.alias if isinstance(node, exp.Alias) else body.name if isinstance(body, exp.Column) else ""
        return Output(name.lower(), self._personal(body, scope))

    def _starred(self, node: Any, scope: _Scope) -> list[Output]:
        """`*` or `source.*`, with what DuckDB can say behind it."""
        star = node.this if isinstance(node, exp.Column) else node
        _only(star, "except_", "replace", "rename")
        sources = scope.called(_dotted(node.parts[:-1])) if star is not node else scope.sources
        if not sources:
            raise UntraceableError("all columns of nothing")
        left_out = {one.name.lower() for one in star.args.get("except_") or ()}
        replaced = {one.alias.lower(): one.this for one in star.args.get("replace") or ()}
        renamed = {one.this.name.lower(): one.alias.lower() for one in star.args.get("rename") or ()}
        found = []
        for one in (column for source in sources for column in _known(source)):
            if one.name not in left_out:
                body = replaced.get(one.name)
                personal = one.personal if body is None else self._personal(body, scope)
                found.append(Output(renamed.get(one.name, one.name), personal))
        return found

    def _join(self, join: Any, scope: _Scope) -> None:
        merges = join.args.get("using") or join.method == "NATURAL" or join.kind in ("SEMI", "ANTI")
        scope.ordered = scope.ordered and not merges
        self._read(join.this, scope)

    def _read(self, node: Any, scope: _Scope) -> None:
        """Add what stands behind `from` or `join` to the scope."""
        alias = node.alias.lower()
        if node.args.get("pivots"):
            raise UntraceableError("a pivot")
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not alias:
            self._read(node.this, scope)
        elif isinstance(node, exp.Table):
            parts = [part.name.lower() for part in node.parts]
            names = [alias] if alias else [".".join(parts[start:]) for start in range(len(parts))]
            scope.sources.append(self._source(names, self._table(node, parts, scope), node))
        else:
            body = node.this if isinstance(node, exp.Lateral) else node
            is_query = isinstance(body, exp.Query | exp.Values)
            found = self.query(body, scope, scope.named) if is_query else self._function(body, alias, scope)
            scope.sources.append(self._source([alias], found, node))
        for join in node.args.get("joins") or ():
            self._join(join, scope)

    def _table(self, node: Any, parts: Sequence[str], scope: _Scope) -> Outputs | None:
        if not isinstance(node.this, exp.Identifier):
            return self._function(node.this, node.alias.lower(), scope)
        if len(parts) == 1 and parts[0] in scope.named:
            found = scope.named[parts[0]]
            scope.ordered = scope.ordered and found.ordered
            return found
        columns = self.tables(parts)
        return None if columns is None else Outputs(tuple(columns))

    def _function(self, node: Any, alias: str, scope: _Scope) -> Outputs | None:
        """A function that makes one column of its arguments, if it is such a one."""
        return Outputs((Output(alias, self._personal(node, scope)),)) if isinstance(node, _SERIES) else None

    def _personal(self, node: Any, scope: _Scope) -> bool:
        """Whether a value may hold something of a personal column."""
        if self.doubt and (isinstance(node, _FROM_ELSEWHERE) or _is_unknown_function(node)):
            return True
        if isinstance(node, exp.Column):
            return self._resolved([part.name.lower() for part in node.parts], scope)
        if isinstance(node, exp.Query):
            return any(column.personal for column in self.query(node, scope, scope.named).columns)
        if isinstance(node, exp.Identifier | exp.Var):
            return any(self._found([node.name.lower()], scope))  # a word, or a column that the parser took for one
        parts = () if isinstance(node, _IMPERSONAL) else [node.this] if isinstance(node, _OF_ROWS) else _parts(node)
        return any(self._personal(part, scope) for part in parts)

    def _resolved(self, parts: Sequence[str], scope: _Scope) -> bool:
        """Whether a column of this name, from the inside to the outside, is personal or not to be found."""
        inner: _Scope | None = scope
        others: list[bool] = []
        while inner is not None:
            found = self._found(parts, inner)
            if found:
                return any(found) or any(others)
            others += [source.others for source in inner.sources if source.others is not None]
            inner = inner.outer
        return any(others) or (self.doubt and not others)

    def _found(self, parts: Sequence[str], scope: _Scope) -> list[bool]:
        """What each column says that may be meant by a name: of a source, of this select, a field, a whole row."""
        found: list[bool] = []
        for count in range(1, len(parts)):
            for source in scope.called(".".join(parts[:count])):
                found += source.of(parts[count]) or [self.doubt]
        found += [one.personal for source in scope.sources for one in source.columns if one.name == parts[0]]
        if len(parts) == 1:
            found += [source.row for source in scope.called(parts[0])]
        definitions = scope.aliases.pop(parts[0], [])  # its own definition may use the name of a column
        found += [self._personal(one, scope) for one in definitions]
        if definitions:
            scope.aliases[parts[0]] = definitions
        return found

    def _source(self, names: Sequence[str], found: Outputs | None, node: Any) -> _Source:
        """What is called `names`; a function names its column in its own way, where `node` does not."""
        if found is None:
            return _Source(names, (), others=self.doubt)
        is_function = isinstance(node, exp.Unnest) or isinstance(node.this, _SERIES)
        others = found.columns[0].personal if is_function else None
        return _Source(names, _renamed(found, node).columns, others)


def _only(node: Any, *names: str) -> None:
    """Raise UntraceableError when a node has a clause that is not named."""
    for name, value in node.args.items():
        if value and name not in names:
            raise UntraceableError(f"{name} of a {type(node).__name__}")


def _united(left: Outputs, right: Outputs) -> Outputs:
    if not (left.ordered and right.ordered and len(left.columns) == len(right.columns)):
        raise UntraceableError("columns that do not stand side by side")
    pairs = zip(left.columns, right.columns, strict=True)
    return Outputs(tuple(Output(one.name, one.personal or other.personal) for one, other in pairs))


def _renamed(found: Outputs, node: Any) -> Outputs:
    """The columns by the names behind an alias: `with a (x, y) as …`; those that have none keep their own."""
    alias = node.args.get("alias")
    names = [column.name.lower() for column in alias.args.get("columns") or ()] if alias else []
    if not names:
        return found
    if not found.ordered or len(names) > len(found.columns):
        raise UntraceableError("more names than columns")
    columns = [replace(column, name=name) for column, name in zip(found.columns, names, strict=False)]
    return Outputs((*columns, *found.columns[len(names) :]))


def _known(source: _Source) -> Sequence[Output]:
    if not source.columns:
        raise UntraceableError("all columns of what is not known")
    return source.columns


def _parts(node: Any) -> Iterable[Any]:
    return node.iter_expressions()  # type: ignore[no-any-return]


def _dotted(parts: Iterable[Any]) -> str:
    return ".".join(part.name.lower() for part in parts)


def _is_called(table: Any, name: str) -> bool:
    return not table.db and table.name.lower() == name


def _is_star(node: Any) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _is_apart(node: Any) -> bool:
    """What has columns of its own, or none."""
    return isinstance(node, exp.Query | exp.Count)


def _is_unknown_function(node: Any) -> bool:
    return isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and node.name.lower() not in _PLAIN_FUNCTIONS
