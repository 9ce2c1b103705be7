"""Every message that the loader can print, read from its code: what is constant in it, with … for the rest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.conftest import REPOSITORY

LOADER, MACROS = REPOSITORY / "loader", REPOSITORY / "dbt_project" / "macros"
GAP = "…"
DBT_SAYS = re.compile(
    r"\{% do (?:exceptions\.)?(?P<how>raise_compiler_error|history_error|log)\((?P<what>.*?)\) %\}", re.DOTALL
)
SERVER_SAYS = re.compile(r"throw \d+, '(?P<what>[^']*)'")

REFUSED, USAGE, FAILED, NOTE, SAID, ANY = "1", "2", "3", "note", "0", "any"
KINDS = {
    "RefusedError": REFUSED,
    "GuardRefusedError": REFUSED,
    "GateRefusedError": REFUSED,
    "HeaderRefusedError": REFUSED,
    "UnknownFileError": REFUSED,
    "PeriodNotFoundError": REFUSED,
    "UsageError": USAGE,
    "EnvironmentFailedError": FAILED,
    "AlmanacError": FAILED,
    "ValueError": USAGE,
    "NoPeriodError": USAGE,
    "Mistake": USAGE,
    "console.note": NOTE,
    "console.ask_for_attention": REFUSED,
    "console.error": FAILED,
    "console.say": SAID,
    "Unchanged": SAID,
}
WORDS = {"refusal": REFUSED, "unchanged": SAID}
"""Arguments by which a reason is handed on."""
RETURNED = {"needless": SAID}
"""Functions that give a reason."""
MISTAKES_OF_A_CONTRACT = ("contracts/", "cleaning/")
"""Where a ValueError is a message: it is answered with the line of the contract."""


@dataclass(frozen=True)
class Message:
    """One message; `kind` is the exit code that it ends with, or that it is a note, or no trouble at all (0)."""

    text: str
    kind: str
    place: str


def messages() -> Iterator[Message | str]:
    """All messages; where the text cannot be found in the code, the place as `module.py: expression`."""
    for path in sorted(LOADER.rglob("*.py")):
        yield from _of_module(path)
    for path in sorted(MACROS.rglob("*.sql")):
        yield from _of_macros(path)


def _of_module(path: Path) -> Iterator[Message | str]:
    name = path.relative_to(LOADER).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    functions = {scope.name: scope for scope in scopes}
    for scope in scopes:
        for node in ast.walk(scope):
            for kind, expression in [*_called(node, name), *_returned(node, scope)]:
                found = [text for text in _texts(expression, scope, functions) if re.search(r"\w", text)]
                yield from (Message(text, kind, f"{name}:{expression.lineno}") for text in found)
                if not found:
                    yield f"{name}: {ast.unparse(expression)}"


def _called(node: ast.AST, module: str) -> list[tuple[str, ast.expr]]:
    """What a statement says to a person, and of which kind that is."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "line.message":
        return [(ANY, node.value)]
    if not isinstance(node, ast.Call):
        return []
    found = [(WORDS[word.arg], word.value) for word in node.keywords if word.arg in WORDS]
    called = ast.unparse(node.func)
    if called in KINDS and node.args and (called != "ValueError" or module.startswith(MISTAKES_OF_A_CONTRACT)):
        found.append((KINDS[called], node.args[0]))
    return found


def _returned(node: ast.AST, scope: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    """The reason that a function gives, when there is one."""
    if scope.name not in RETURNED or not isinstance(node, ast.Return) or node.value is None:
        return []
    return [] if ast.unparse(node.value) == "None" else [(RETURNED[scope.name], node.value)]


def _texts(node: ast.expr, scope: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> list[str]:
    """What an expression may say: the parts of f-strings, both ways of an `if`, what a function of the module gives."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(words) for words in product(*(_part(part, scope, functions) for part in parts))]
        case ast.BinOp(left=left, right=right):
            after = _texts(right, scope, functions) or [GAP]
            return [one + other for one in _texts(left, scope, functions) or [GAP] for other in after]
    within, values = _meant(node, scope, functions)
    return [text for value in values for text in _texts(value, within, functions)]


def _meant(
    node: ast.expr, scope: ast.FunctionDef, functions: dict[str, ast.FunctionDef]
) -> tuple[ast.FunctionDef, list[ast.expr]]:
    """The expressions that another one may stand for, and the function in which they are."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return scope, [body, orelse]
        case ast.Name(id=name):
            return scope, _assigned(name, scope)
        case ast.Call(func=func) if called := functions.get(ast.unparse(func).removeprefix("self.")):
            return called, [given.value for given in ast.walk(called) if isinstance(given, ast.Return) and given.value]
    return scope, []


def _part(part: ast.expr, scope: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> list[str]:
    """A part of an f-string; a variable that was put together before is shown with its words."""
    match part:
        case ast.Constant(value=text):
            return [str(text)]
        case ast.FormattedValue(value=ast.Name(id=name)):
            assigned = [one for one in _assigned(name, scope) if isinstance(one, ast.JoinedStr | ast.Constant)]
            return [text for one in assigned for text in _texts(one, scope, functions) if text] or [GAP]
    return [GAP]


def _assigned(name: str, scope: ast.FunctionDef) -> list[ast.expr]:
    assigned = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    return [node.value for node in assigned if any(ast.unparse(target) == name for target in node.targets)]


def _of_macros(path: Path) -> Iterator[Message]:
    """What dbt says for us; `loader build` passes it on, and ends with exit code 1."""
    for thrown in SERVER_SAYS.finditer(path.read_text(encoding="utf-8")):
        text = re.sub(r"\{\{.*?\}\}", GAP, thrown["what"])
        yield Message(text, REFUSED, path.relative_to(REPOSITORY).as_posix())
    for call in DBT_SAYS.finditer(path.read_text(encoding="utf-8")):
        text = GAP.join(["", *re.findall(r"'([^']*)'", call["what"]), ""])
        if re.search(r"\w \w", text):
            kind = SAID if call["how"] == "log" else REFUSED
            yield Message(text, kind, path.relative_to(REPOSITORY).as_posix())
