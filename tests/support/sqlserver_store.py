"""A recorder that has rows: what the loader asks of its own tables is answered by DuckDB, to which sqlglot translates.

So that a reload finds the load before it, a rollback its version, a purge the rows. What cannot be translated fails.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp, parse_one

from tests.support.sqlserver_catalogue import plain
from tests.support.sqlserver_recorder import RecordedSession, Recorder, is_ddl, is_write
from tests.support.sqlserver_session import Answer, Cursor
from tests.support.tsql import CASE_SENSITIVE, Statement

_SERVERS_OWN = re.compile(r"\(max\)|\bcollate \w+", re.IGNORECASE)
_KNOWN = {
    r"select cast\(serverproperty\('ProductVersion'\)": "16.0.1000.6",
    r"SELECT schema_name\(\)": "dbo",
    r"SELECT 1 FROM fn_listextendedproperty": 1,
}
"""What SQLAlchemy wants to know of a server."""
_NEXT = re.compile(r"NEXT VALUE FOR ([\w.]+)")
_SYSTEM = """
create schema sys;
create view sys.schemas as select oid as schema_id, schema_name as name from duckdb_schemas();
create view sys.objects as
select table_oid as object_id, table_name as name, schema_oid as schema_id, 'U' as type from duckdb_tables();
create macro has_perms_by_name(name, kind, permission) as 1;
create macro object_id(name) as
(select table_oid from duckdb_tables() where '[' || schema_name || '].[' || table_name || ']' = name);
"""


@dataclass
class Store(Recorder):
    """A recorder whose sessions keep rows."""

    answers: Any = ()
    rows: Any = field(default_factory=lambda: duckdb.connect(":memory:"))

    def __post_init__(self) -> None:
        self.rows.execute(_SYSTEM)

    def connect(self, *_: Any, autocommit: bool = False, **__: Any) -> RecordedSession:
        self.sessions += 1
        return StoredSession(autocommit, recorder=self, number=self.sessions, store=self.rows.cursor())


@dataclass
class StoredSession(RecordedSession):
    store: Any = None

    def cursor(self) -> Cursor:
        return StoredCursor(self)

    def do(self, statement: Statement, parameters: Sequence[Any]) -> Answer | None:
        before = self.trancount
        answer = super().do(statement, parameters)
        words = statement.words
        if (before > 0) != (self.trancount > 0):
            self.store.execute({"BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}[words[0]])
        elif is_ddl(statement):
            self._ddl(statement)
        elif is_write(statement):
            self._execute(statement, parameters)
            if re.search(r"\boutput inserted\b", statement.sql, re.IGNORECASE):
                return self._rows()
            self.rowcount = self.store.fetchone()[0]
        return answer

    def _ddl(self, statement: Statement) -> None:
        """Tables without their constraints, and no indexes: they are for a server."""
        tree = statement.tree
        if isinstance(tree, exp.Create) and tree.kind == "TABLE":
            name = f"{tree.this.this.db}.{tree.this.this.name}"
            columns = self.recorder.catalogue.columns[name].items()
            listed = ", ".join(
                f'"{column}" {exp.DataType.build(_SERVERS_OWN.sub("", kind), "tsql").sql("duckdb")}'
                for column, kind in columns
            )
            self.store.execute(f"create table {name} ({listed})")
        elif "INDEX" not in statement.words:
            self._execute(statement, ())

    def _execute(self, statement: Statement, parameters: Sequence[Any]) -> None:
        self.store.execute(translated(statement), list(parameters))

    def _rows(self) -> Answer:
        return [column[0] for column in self.store.description], self.store.fetchall()

    def answer(self, question: Statement, parameters: Sequence[Any]) -> Answer | None:
        if "applock_mode" in question.sql:
            return ["mode"], [("Exclusive" if str(parameters[0]) in self.locks else "NoLock",)]
        for pattern, known in _KNOWN.items():
            if re.match(pattern, question.sql):
                return ["it"], [(known,)]
        try:
            self._execute(question, parameters)
        except Exception as error:
            self.recorder.unanswered.append(question.sql)
            raise AssertionError(f"what is the answer? {question.sql} {parameters} ({error})") from error
        return self._rows()


class StoredCursor(Cursor):
    def bulkcopy_arrow(self, place: str, rows: Any, **_: Any) -> None:
        """Rows of Arrow go into a table, by a login of its own and in no transaction."""
        assert isinstance(self.session, StoredSession)
        beside = self.session.recorder.rows.cursor()
        beside.register("copied", rows)
        names = ", ".join(f'"{column}"' for column in rows.schema.names)
        beside.execute(f"insert into {plain(place)} ({names}) select {names} from copied")


def translated(statement: Statement) -> str:
    """The statement in the words of DuckDB."""
    tree = parse_one(_SERVERS_OWN.sub("", statement.sql), dialect=CASE_SENSITIVE)
    return _NEXT.sub(r"nextval('\1')", tree.sql("duckdb").replace("inserted.", ""))
