"""What holds for all statements that are sent to SQL Server; each rule names what breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import exp
from sqlglot.errors import ParseError

from tests.support.sqlserver_catalogue import plain
from tests.support.sqlserver_recorder import Recorded, Recorder, is_ddl, is_write

MOST_PARAMETERS = 2_000
"""SQL Server takes 2,100."""
_UNREAD = re.compile(r"alter (table|index all on) \S+ rebuild$|update statistics \S+$")
"""What sqlglot cannot read."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_VIEWS = re.compile(r"\b(information_schema|sys)\]?\.\[?(\w+)", re.IGNORECASE)
_COLUMNS = re.compile(r"(?<!as )\b(?:table|column)_(?:catalog|schema|name|type)\b", re.IGNORECASE)
_OBJECT = re.compile(
    r"(?P<verb>create(?: or alter)?|drop|alter|truncate)\s+(?P<kind>view|table|schema)\s+(?:if exists\s+)?"
    r"(?P<name>[^\s(]+)"
    r"|(?P<rename>exec sp_rename)\s+'(?P<old>[^']+)'"
    r"|.*?\b(?P<into>into)\s+(?P<new>\S+)"
    r"|(?P<index>create|drop)\b.*?\bindex\b.*?\bon\s+(?P<on>\S+)",
    re.IGNORECASE | re.DOTALL,
)


def lock_rule(recorder: Recorder) -> list[str]:
    """The loader takes a lock in exactly one transaction, whose commit ends it, dbt in one at least."""
    return [
        f"{one.node or 'the loader'} takes a lock in {one.trancount} transactions"
        for one in recorder.recorded
        if "sp_getapplock" in one.sql and "'Transaction'" in one.sql
        if (one.trancount < 1 if one.node else one.trancount != 1)
    ]


def write_rule(recorder: Recorder) -> list[str]:
    """Rows are changed in a transaction: history and ledger, or stage and version, change together."""
    return [
        f"in no transaction: {one.sql}" for one in recorder.recorded if is_write(one.statement) and one.trancount == 0
    ]


def end_rule(recorder: Recorder) -> list[str]:
    """Each transaction is committed before its connection, or the node of dbt, ends: none fails here."""
    return [f"{node} does not commit" for node in recorder.left_open]


def letter_rule(recorder: Recorder) -> list[str]:
    """No letter outside ASCII: in `exec('...')` it would become the code page's, or `?`, whatever N it has."""
    return [f"letters in {one.sql}" for one in recorder.recorded if not _COMMENT.sub("", one.sql).isascii()]


def parameter_rule(recorder: Recorder) -> list[str]:
    """A statement takes no more parameters than the server."""
    return [f"{one.parameters} parameters" for one in recorder.recorded if one.parameters > MOST_PARAMETERS]


def name_rule(recorder: Recorder) -> list[str]:
    """Names of the catalogue are as they are spelled: in some databases they depend on case."""
    return [f"{wrong} in {one.sql}" for one in recorder.recorded for wrong in _misspelled(one.sql)]


def _misspelled(sql: str) -> Iterable[str]:
    for schema, view in _VIEWS.findall(sql):
        if schema.lower() == "sys":
            yield from [f"{schema}.{view}"] * (f"{schema}.{view}" != f"{schema}.{view}".lower())
        else:
            yield from [f"{schema}.{view}"] * (f"{schema}.{view}" != f"{schema}.{view}".upper())
            yield from (column for column in _COLUMNS.findall(sql) if column != column.upper())


def parse_rule(recorder: Recorder) -> list[str]:
    """sqlglot, which is not made by us, reads it too."""
    wrong = []
    for sql, one in {one.sql: one for one in recorder.recorded}.items():
        try:
            tree = one.statement.tree
        except ParseError as error:
            wrong.append(f"{str(error).splitlines()[0]}: {sql}")
        else:
            known = not isinstance(tree, exp.Command) or _UNREAD.match(sql)
            wrong += [] if known else [f"not known: {sql}"]
    return wrong


def ddl_under_lock(recorded: Iterable[Recorded]) -> set[str]:
    """What is made, changed and removed while a lock of the project is held, by kind of node."""
    return {
        f"{one.node.split('.')[0] or 'loader'}: {_named(one)}"
        for one in recorded
        if one.locks and is_ddl(one.statement)
    }


def _named(one: Recorded) -> str:
    """The statement in few words, with the node's own name left out."""
    found = _OBJECT.match(one.sql)
    assert found, one.sql
    verb = found["verb"] or found["rename"] or found["into"] or found["index"]
    kind = found["kind"] or ("index" if found["index"] else "")
    name = plain(found["name"] or found["old"] or found["new"] or found["on"])
    own = one.node.split(".")[-1]
    return " ".join(f"{verb} {kind} {name.replace(own, '<node>') if own else name}".lower().split())
