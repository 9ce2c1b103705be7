"""What tables and views a database has, kept from the statements that make them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from tests.support.tsql import CASE_SENSITIVE, Statement

Columns = dict[str, str]
"""Types by name, in the order of the columns."""
DDL = ("CREATE", "DROP", "ALTER", "TRUNCATE")
_INDEX = re.compile(
    r"(create|drop)\s+(?P<unique>unique\s+)?(?P<kind>(?:(?:clustered|nonclustered|columnstore)\s+)*)index\s+"
    r"(?P<name>\S+)(?:\s+on\s+(?P<table>\S+))?(?:\s*\((?P<columns>[^)]*)\))?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
"""sqlglot has no `unique nonclustered`, and no `drop index ... on`."""


@dataclass(frozen=True)
class Index:
    """An index as the statement that made it says."""

    table: str
    kind: str
    columns: str
    is_unique: bool


@dataclass
class Catalogue:
    """Tables and views by `schema.name`; raises LookupError for what a statement names and nobody made."""

    columns: dict[str, Columns] = field(default_factory=dict)
    views: set[str] = field(default_factory=set)
    indexes: dict[str, Index] = field(default_factory=dict)
    schemas: set[str] = field(default_factory=set)

    def follow(self, statement: Statement) -> None:
        """Do what a statement of DDL, or `select ... into`, does to the catalogue."""
        if is_rename(statement):
            table, new = re.findall(r"'([^']+)'", statement.sql)[:2]
            self._rename(plain(table), f"{plain(table).split('.')[0]}.{new}")
            return
        index = _INDEX.match(statement.sql)
        if index:
            self._index(index)
            return
        tree = statement.tree
        if isinstance(tree, exp.Create):
            self._create(tree)
        elif isinstance(tree, exp.Drop):
            self._drop(tree)
        elif isinstance(tree, exp.Alter):
            self._alter(tree)
        elif isinstance(tree, exp.Select) and tree.args.get("into"):
            self.columns[_name(tree.args["into"].this)] = self.columns_of(tree)
        elif not isinstance(tree, exp.TruncateTable):
            raise LookupError(f"what does this change? {statement.sql}")

    def columns_of(self, query: exp.Expression | str) -> Columns:
        """The columns that a query gives; raises sqlglot's OptimizeError for a column that its tables do not have."""
        tree = parse_one(query, dialect=CASE_SENSITIVE) if isinstance(query, str) else query.copy()
        into = tree.args.get("into")
        if into:
            into.pop()
        return {projection.alias_or_name: _type(projection.type) for projection in self.resolved(tree).selects}

    def resolved(self, tree: exp.Expression) -> exp.Query:
        """The query with the table of each column."""
        for table in tree.find_all(exp.Table):
            table.set("catalog", None)
            name = _name(table)
            if table.db and table.db.lower() not in ("sys", "information_schema") and name not in self.columns:
                raise LookupError(f"there is no {name}")
        schema = MappingSchema(dialect=CASE_SENSITIVE)
        for name in {_name(table) for table in tree.find_all(exp.Table)} & set(self.columns):
            schema.add_table(name, self.columns[name], match_depth=False)
        qualified = qualify(tree, schema=schema, dialect=CASE_SENSITIVE, quote_identifiers=False)
        return annotate_types(qualified, schema=schema, dialect=CASE_SENSITIVE)  # type: ignore[return-value]

    def is_clustered(self, table: str) -> bool:
        """Whether the rows of a table lie in the order of an index."""
        return any(index.table == table and index.kind == "clustered" for index in self.indexes.values())

    def _create(self, tree: exp.Create) -> None:
        kind = tree.kind
        if kind == "SCHEMA":
            self.schemas.add(tree.this.db or tree.this.name)
        elif kind == "VIEW":
            name = _name(tree.this)
            self.columns[name] = self.columns_of(tree.expression)
            self.views.add(name)
        elif kind == "TABLE":
            name = _name(tree.this.this)
            if name in self.columns:
                raise LookupError(f"{name} is there already")
            self.columns[name] = {column.name: _type(column.kind) for column in tree.this.find_all(exp.ColumnDef)}
        elif kind != "SEQUENCE":
            raise LookupError(f"what is made by {tree.sql('tsql')}?")

    def _index(self, found: re.Match[str]) -> None:
        name, table = plain(found["name"]), plain(found["table"] or found["name"].rpartition(".")[0])
        if table not in self.columns:
            raise LookupError(f"there is no {table} for an index")
        name = name.split(".")[-1]
        if found[1].lower() == "create":
            columns = re.sub(r"[\[\]]|\bdesc\b", "", found["columns"] or "")
            kind = " ".join(found["kind"].lower().split()) or "nonclustered"
            self.indexes[name] = Index(table, kind, columns, found["unique"] is not None)
        elif self.indexes.pop(name, None) is None:
            raise LookupError(f"there is no index {name} to drop")

    def _drop(self, tree: exp.Drop) -> None:
        for name in map(_name, tree.args["tables"]):
            if name not in self.columns and not tree.args.get("exists"):
                raise LookupError(f"there is no {name} to drop")
            self.columns.pop(name, None)
            self.views.discard(name)
            self.indexes = {key: index for key, index in self.indexes.items() if index.table != name}

    def _alter(self, tree: exp.Alter) -> None:
        columns = self.columns[_name(tree.this)]
        for action in tree.args["actions"]:
            if isinstance(action, exp.ColumnDef):
                columns[action.name] = _type(action.kind)
            elif isinstance(action, exp.AlterColumn):
                columns[action.name] = _type(action.args["dtype"])
            elif isinstance(action, exp.Drop):
                for column in action.args["tables"]:
                    del columns[column.name]
            else:
                raise TypeError(f"what does this change? {tree.sql('tsql')}")

    def _rename(self, old: str, new: str) -> None:
        self.columns[new] = self.columns.pop(old)
        for key, index in self.indexes.items():
            if index.table == old:
                self.indexes[key] = replace(index, table=new)


def is_rename(statement: Statement) -> bool:
    """Whether it is DDL that looks like none."""
    return statement.words[:2] == ["EXEC", "SP_RENAME"]


def plain(name: str) -> str:
    """`schema.name` of a name in whatever quotes, with or without its database."""
    return ".".join(re.sub(r'[\[\]"]', "", name).split(".")[-2:])


def _type(kind: exp.Expression | None) -> str:
    """A type as the server calls it; one that sqlglot does not find out is a text."""
    name = kind.sql("tsql").lower() if kind else "unknown"
    return {"integer": "int", "unknown": "nvarchar(4000)", "null": "int"}.get(name, name)


def _name(table: exp.Expression) -> str:
    return f"{table.text('db')}.{table.name}"
