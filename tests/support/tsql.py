"""Batches of T-SQL as the statements that they hold: what sqlglot cannot know, for it reads one statement at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from sqlglot import exp, parse_one
from sqlglot.dialects.tsql import TSQL
from sqlglot.tokens import Token, TokenType

CASE_SENSITIVE = "tsql, normalization_strategy=case_sensitive"
"""A database may tell names apart by case: they are written as they are spelled."""
CATCH = "an error was raised"
"""The condition of a `catch` block."""
_STARTERS = {
    *("USE", "DECLARE", "EXEC", "EXECUTE", "IF", "THROW", "BEGIN", "END", "COMMIT", "ROLLBACK"),
    *("CREATE", "ALTER", "DROP", "TRUNCATE", "INSERT", "GRANT", "DENY", "REVOKE"),
}
"""Words that begin a statement wherever they stand in no brackets, with the exceptions of `_begins`."""
_EXEC = ("EXEC", "EXECUTE")
_OPENING, _CLOSING = (TokenType.L_PAREN, TokenType.L_BRACE), (TokenType.R_PAREN, TokenType.R_BRACE)


class _Batch(TSQL):
    class Tokenizer(TSQL.Tokenizer):
        COMMANDS: set[TokenType] = set()  # noqa: RUF012
        """None, or the rest of a batch would be one token."""


@dataclass(frozen=True)
class Statement:
    """One statement of a batch, and the conditions of `if` that it stands under."""

    sql: str
    conditions: tuple[str, ...]

    @cached_property
    def words(self) -> list[str]:
        """Its first words in capitals."""
        return re.findall(r"@?\w+", self.sql[:200].upper())[:4]

    @cached_property
    def tree(self) -> exp.Expression:
        """Raises ParseError."""
        return parse_one(self.sql, dialect=CASE_SENSITIVE)


@cache
def statements(batch: str) -> tuple[Statement, ...]:
    """The statements of a batch in their order, those in `exec('...')` too. Kept: most are sent again, or replayed."""
    return tuple(_under(batch, ()))


def _under(batch: str, outer: tuple[str, ...]) -> Iterator[Statement]:
    blocks: list[tuple[str, ...]] = []
    pending: tuple[str, ...] = ()
    for sql, tokens in _cut(batch):
        first = tokens[0].text.upper()
        second = tokens[1].text.upper() if len(tokens) > 1 else ""
        conditions = outer + tuple(condition for block in blocks for condition in block) + pending
        if first == "IF":
            pending += (sql[2:].strip(),)
        elif first == "BEGIN" and not second.startswith("TRAN"):
            blocks.append((CATCH,) if second == "CATCH" else pending)
            pending = ()
        elif first == "END":
            blocks.pop()
        elif first in _EXEC and second == "(":
            yield from _under(tokens[2].text, conditions)
            pending = ()
        else:
            yield Statement(sql, conditions)
            pending = ()


def _cut(batch: str) -> Iterator[tuple[str, list[Token]]]:
    """The text and the tokens of each statement; `if <condition>`, `begin` and `end` come alone."""
    held: list[Token] = []
    depth = cases = 0

    def done() -> Iterator[tuple[str, list[Token]]]:
        if held:
            yield batch[held[0].start : held[-1].end + 1], list(held)
            held.clear()

    for token in _Batch().tokenize(batch):
        if depth == 0 and token.token_type is TokenType.SEMICOLON:
            yield from done()
            continue
        word = token.text.upper() if token.token_type is not TokenType.STRING else ""
        cases += word == "CASE"
        if depth == 0 and (word != "END" or cases == 0) and _begins(word, held):
            yield from done()
        cases -= word == "END" and cases > 0
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        held.append(token)
        if _is_alone(held):
            yield from done()
    yield from done()


def _begins(word: str, held: list[Token]) -> bool:
    if not held:
        return False
    first, last = held[0].text.upper(), held[-1].text.upper()
    if first == "CREATE" and any(token.text.upper() in ("VIEW", "TRIGGER") for token in held[:4]):
        return False  # it is all of its batch
    if word in ("SELECT", "WITH", "UPDATE", "DELETE") and (first == "IF" or (first in _EXEC and held[1].text == "(")):
        return True
    if word not in _STARTERS or last in ("OR", "TABLE", "VIEW", "INDEX", "SCHEMA") or first == "MERGE":
        return False
    if first in ("GRANT", "DENY", "REVOKE") and last in (first, ","):
        return False  # a right is called like a statement
    return first != "ALTER" or word not in ("DROP", "ALTER")


def _is_alone(held: list[Token]) -> bool:
    first, last = held[0].text.upper(), held[-1].text.upper()
    if first == "USE":
        return len(held) == 2
    if first in ("BEGIN", "END", "COMMIT", "ROLLBACK"):
        return last.startswith("TRAN") or last in ("TRY", "CATCH")
    return False
