"""What a gate found, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from loader import console
from loader.errors import RefusedError
from loader.text import plural

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Check:
    """The outcome of one expectation."""

    result: Literal["passed", "failed", "error", "skipped"]
    check: str
    table: str
    details: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it does not hold, or could not be made."""
        return self.result in ("failed", "error")


@dataclass(frozen=True)
class GateResult:
    """What a gate found; `seconds` are those of the whole run."""

    gate: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def failed(self) -> int:
        """Checks that do not hold or could not be made."""
        return sum(check.is_bad for check in self.checks)

    def count(self, result: str) -> int:
        """How many checks ended with this result."""
        return sum(check.result == result for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return self.failed == 0

    @property
    def summary(self) -> str:
        """The closing line."""
        tables = len({check.table for check in self.checks})
        skipped = self.count("skipped")
        verdict = f"{self.failed} failed" if self.failed else "all others passed" if skipped else "all passed"
        verdict = f"{skipped} skipped, {verdict}" if skipped else verdict
        return (
            f"{self.gate} gate: {plural(len(self.checks), 'check')} on {plural(tables, 'table')}, "
            f"{verdict}, {self.seconds:.1f} s"
        )


class GateRefusedError(RefusedError):
    """Checks failed; `checks` are those."""

    def __init__(self, message: str, result: GateResult) -> None:
        super().__init__(message)
        self.checks = tuple(check for check in result.checks if check.is_bad)

    def as_json(self) -> dict[str, Any]:
        """The error and its checks, as `--json` prints it."""
        return {**super().as_json(), "checks": [asdict(check) for check in self.checks]}


def render(result: GateResult, verbose: bool = False) -> Table:
    """The result as a table, failures first; what passed is one line per table unless `verbose`.

    The closing line is `result.summary`.
    """
    from rich.markup import escape

    rows = [check for check in result.checks if check.result != "passed"]
    if verbose:
        rows += [check for check in result.checks if check.result == "passed"]
    else:
        rows += _passed_by_table(result)
    table = console.table()
    for heading in ("result", "check", "table", "details"):
        table.add_column(heading, overflow="fold")
    styles = {"passed": "green", "failed": "bold red", "error": "bold red", "skipped": "yellow"}
    for row in rows:
        cells = (row.check, row.table, row.details)
        table.add_row(f"[{styles[row.result]}]{row.result}[/]", *map(escape, cells))
    return table


def _passed_by_table(result: GateResult) -> list[Check]:
    lines = []
    for name in dict.fromkeys(check.table for check in result.checks):
        found = [check for check in result.checks if check.table == name]
        passed = sum(check.result == "passed" for check in found)
        if passed:
            lines.append(Check("passed", f"{passed} of {plural(len(found), 'check')}", name))
    return lines
