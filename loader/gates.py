"""Gates: the suites of Great Expectations against a layer of the warehouse, or against one delivery's parquet.

`gx/expectations/<layer>/<table>.json` is the suite of `<layer>.<table>`. All suites of a layer run in one process:
importing Great Expectations takes longer than most suites do. A first pass asks only whether each check holds,
which Great Expectations answers in few queries; what fails is asked again for details.
"""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from loader.contracts import LINEAGE, Contract
from loader.engines.duckdb import bounded_in_memory
from loader.errors import EnvironmentFailedError, UsageError
from loader.masking import MASK, hidden_columns, without_values

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from rich.table import Table
    from sqlalchemy import Connection

LAYERS = ("stage", "core", "mart")
_EXAMPLES = 3
_NO_PATTERNS = "SQL Server before 2025 has no regular expressions; the loader checks a contract's in each delivery"
_BRIEF = 120
"""Characters of a database's message that are shown."""


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
        return sum(check.result == result for check in self.checks)

    @property
    def passed(self) -> bool:
        return self.failed == 0

    @property
    def summary(self) -> str:
        """The closing line."""
        tables = len({check.table for check in self.checks})
        skipped = self.count("skipped")
        verdict = f"{self.failed} failed" if self.failed else "all others passed" if skipped else "all passed"
        verdict = f"{skipped} skipped, {verdict}" if skipped else verdict
        return (
            f"{self.gate} gate: {_plural(len(self.checks), 'check')} on {_plural(tables, 'table')}, "
            f"{verdict}, {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class _Suite:
    table: str
    expectations: list[dict[str, Any]]
    personal: frozenset[str]
    """Columns of which no value is shown: those of the contracts, and those that `meta: {personal: […]}` adds."""


def run_gate(
    layer: str,
    url: str | URL,
    project_dir: Path,
    contracts: Iterable[Contract],
    tables: Iterable[str] | None = None,
) -> GateResult:
    """Run the suites of a layer (of `tables`, when given) against the warehouse at `url`.

    `contracts` tell which columns are personal: their values are never shown.

    Raises:
        UsageError: the layer or a table has no suite, or a suite is not readable.
        EnvironmentFailedError: the warehouse is out of reach or locked.
    """
    started = time.perf_counter()
    suites = _read_suites(project_dir, layer, contracts, tables)
    address = _for_reading(make_url(url))
    with _reached(address) as connection:
        checks = _run(address, layer, suites, _knows_patterns(connection, suites))
    return GateResult(layer, checks, time.perf_counter() - started)


def run_parquet_gate(project_dir: Path, contract: Contract, parquet: Path, period: str) -> GateResult:
    """Run the dataset's stage suite over one delivery, before it is loaded.

    The parquet file is read in place, through a view that looks like the stage table.

    Raises:
        UsageError: the dataset has no stage suite, or it is not readable.
        EnvironmentFailedError: the parquet file cannot be read.
    """
    started = time.perf_counter()
    suites = _read_suites(project_dir, "stage", [contract], [contract.name])
    from loader import gx_duckdb

    name = f":memory:almanac_gate_{next(_memory_names)}"
    address = URL.create(gx_duckdb.DRIVER, database=name, query=bounded_in_memory())
    # the database in memory lives as long as this connection
    with _connect(address) as connection:
        _view_as_stage(connection, contract, parquet, period)
        checks = _run(address, "stage", suites)
    return GateResult("stage", checks, time.perf_counter() - started)


_memory_names = count()


def publishable_results(layer: str, url: str | URL, project_dir: Path) -> dict[str, Any]:
    """What Great Expectations says of each table of a layer that has a suite: verdicts only, nothing of the data.

    None for a table that is not there (yet). Raises as `run_gate` does.
    """
    suites = _read_suites(project_dir, layer, (), None)
    address = _for_reading(make_url(url))
    with _reached(address) as connection:
        if not _knows_patterns(connection, suites):
            suites = [_without_patterns(suite) for suite in suites]
        with _source(address) as source:
            return {suite.table: _verdicts(source, layer, suite) for suite in suites}


def render(result: GateResult, verbose: bool = False) -> Table:
    """The result as a table, failures first; what passed is one line per table unless `verbose`.

    The closing line is `result.summary`.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    rows = [check for check in result.checks if check.result != "passed"]
    if verbose:
        rows += [check for check in result.checks if check.result == "passed"]
    else:
        rows += _passed_by_table(result)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
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
            lines.append(Check("passed", f"{passed} of {_plural(len(found), 'check')}", name))
    return lines


# --- suites -----------------------------------------------------------------------------------------------------


def _read_suites(
    project_dir: Path, layer: str, contracts: Iterable[Contract], tables: Iterable[str] | None
) -> list[_Suite]:
    if layer not in LAYERS:
        raise UsageError(f"'{layer}' is no layer; layers are {', '.join(LAYERS)}")
    folder = project_dir / "gx" / "expectations" / layer
    paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
    wanted = list(paths) if tables is None else list(tables)
    missing = [table for table in wanted if table not in paths]
    if missing or not wanted:
        what = f"{', '.join(missing)}" if missing else "any table"
        raise UsageError(f"{folder}: no suite for {what}; stage suites are made by `loader derive`")
    personal = frozenset(column.name for contract in contracts for column in contract.columns if column.personal)
    return [_read_suite(paths[table], personal) for table in wanted]


def _read_suite(path: Path, personal: frozenset[str]) -> _Suite:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return _Suite(path.stem, list(said["expectations"]), personal.union(said.get("meta", {}).get("personal", ())))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is no suite ({type(error).__name__}: {error})") from None


# --- where the data is ------------------------------------------------------------------------------------------


def _for_reading(url: URL) -> URL:
    """The address as Great Expectations can use it; reads only."""
    if url.get_backend_name() == "duckdb":
        from loader import gx_duckdb

        return url.set(drivername=gx_duckdb.DRIVER).update_query_dict({"access_mode": "read_only"})
    if url.get_backend_name() == "postgresql":
        # suites compare dates as text
        said = url.update_query_dict({"options": "-c datestyle=ISO"})
        return _socket_in_query(said) if "/" in (url.host or "") else said
    return url


def _socket_in_query(url: URL) -> URL:
    """The folder of a server's socket is no host in an address that is written out as text."""
    query = {**url.query, "host": str(url.host), "port": str(url.port or 5432)}
    return URL.create(url.drivername, url.username, url.password, database=url.database, query=query)


@contextmanager
def _connect(address: URL) -> Iterator[Connection]:
    engine = create_engine(address)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _reached(address: URL) -> Iterator[Connection]:
    """A connection that stays until the gate is through: nobody else takes the file of an embedded warehouse meanwhile.

    Opened before the import of Great Expectations, so that a warehouse out of reach is told of at once, in one line.
    """
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(_connect(address))
        except SQLAlchemyError as error:
            message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise EnvironmentFailedError(f"the gate cannot read the warehouse: {message}") from error
        yield connection


def _knows_patterns(connection: Connection, suites: list[_Suite]) -> bool:
    """Whether the warehouse has the regular expressions that suites ask for; SQL Server has them since 2025."""
    if not any(map(_has_pattern, (expectation for suite in suites for expectation in suite.expectations))):
        return True
    try:
        connection.execute(text("select 1 where regexp_like('a', 'a')"))
    except SQLAlchemyError:
        return False
    finally:
        connection.rollback()
    return True


def _has_pattern(expectation: dict[str, Any]) -> bool:
    return "regexp_like(" in str(expectation.get("kwargs", {}).get("unexpected_rows_query", ""))


def _without_patterns(suite: _Suite) -> _Suite:
    return replace(suite, expectations=[one for one in suite.expectations if not _has_pattern(one)])


def _view_as_stage(connection: Connection, contract: Contract, parquet: Path, period: str) -> None:
    """`stage.<dataset>` as a view over one delivery; what the file lacks is NULL, as it will be in the table."""
    from loader.stage_table import stage_table

    source = f"read_parquet({_quoted(parquet.as_posix())})"
    try:
        in_file = {row[0] for row in connection.execute(text(f"describe select * from {_escaped(source)}"))}
    except SQLAlchemyError as error:
        message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise EnvironmentFailedError(f"{parquet.name}: {message}") from error
    columns = []
    for column in stage_table(contract).columns:
        declared = column.type.compile(dialect=connection.dialect)
        if column.name == LINEAGE[0]:
            value = _quoted(period)
        else:
            value = f'"{column.name}"' if column.name in in_file else "null"
        columns.append(f'cast({value} as {declared}) as "{column.name}"')
    connection.execute(text("create schema stage"))
    view = f'create view stage."{contract.name}" as select {", ".join(columns)} from {source}'
    connection.execute(text(_escaped(view)))
    connection.commit()


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _escaped(sql: str) -> str:
    """SQL without bind parameters, as SQLAlchemy's `text` wants it."""
    return sql.replace(":", r"\:")


# --- Great Expectations -----------------------------------------------------------------------------------------


@cache
def _context() -> EphemeralDataContext:
    """Great Expectations without files, network, progress bars or logs; takes seconds the first time."""
    import logging

    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # its log lines quote statements and values; some of its loggers set a level of their own
    log = logging.getLogger("great_expectations")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _run(address: URL, schema: str, suites: list[_Suite], knows_patterns: bool = True) -> tuple[Check, ...]:
    with _source(address) as source:
        return tuple(check for suite in suites for check in _run_suite(source, schema, suite, knows_patterns))


@contextmanager
def _source(address: URL) -> Iterator[Any]:
    with warnings.catch_warnings():
        # it advises other classes and ways that know nothing of DuckDB or of more than one schema
        warnings.simplefilter("ignore")
        sources = _context().data_sources
        source = sources.add_or_update_sql("warehouse", connection_string=address.render_as_string(hide_password=False))
        try:
            yield source
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()
            sources.delete("warehouse")


def _batch(source: Any, schema: str, table: str) -> Any:
    """All rows of a table; None when it is missing or not readable."""
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    try:
        asset = source.add_table_asset(f"{schema}.{table}", table_name=table, schema_name=schema)
    except TestConnectionError:
        return None
    return asset.add_batch_definition_whole_table("all rows").get_batch()


def _answers(batch: Any, schema: str, suite: _Suite) -> Any:
    """Whether each check of a suite holds, and nothing more."""
    from great_expectations import ExpectationSuite

    asked = ExpectationSuite(name=f"{schema}.{suite.table}", expectations=suite.expectations)
    return batch.validate(asked, result_format="BOOLEAN_ONLY")


def _verdicts(source: Any, schema: str, suite: _Suite) -> Any:
    batch = _batch(source, schema, suite.table)
    if batch is None:
        return None
    answers = _answers(batch, schema, suite)
    for answer in answers.results:
        if _exception_of(answer) is not None:
            # what the database said quotes statements and values
            said = f"the check could not be made; `loader gate {schema}` says why"
            answer.exception_info = {"raised_exception": True, "exception_message": said, "exception_traceback": ""}
    return answers


def _run_suite(source: Any, schema: str, whole: _Suite, knows_patterns: bool) -> list[Check]:
    from great_expectations import ExpectationSuite

    suite = whole if knows_patterns else _without_patterns(whole)
    batch = _batch(source, schema, suite.table)
    if batch is None:
        return [Check("error", "table exists", suite.table, f"{schema}.{suite.table} is missing or not readable")]
    asked = ExpectationSuite(name=f"{schema}.{suite.table}", expectations=suite.expectations).expectations
    answers = _answers(batch, schema, suite)
    passed = {_identity(answer.expectation_config) for answer in answers.results if answer.success}
    checks = []
    for expectation in asked:
        config = expectation.configuration
        check = config.description or f"{config.kwargs.get('column', '')} {config.type}".strip()
        if _identity(config) in passed:
            checks.append(Check("passed", check, suite.table))
        else:
            is_personal = not suite.personal.isdisjoint(_columns(config))
            answer = batch.validate(expectation, result_format=_details_wanted(config, is_personal))
            if _is_query(config) and _exception_of(answer) is None:
                checks.append(
                    Check("failed", check, suite.table, _rows_in_words(answer, batch.columns(), suite.personal))
                )
            else:
                checks.append(_explain(check, suite.table, answer, is_personal))
    left = [one for one in whole.expectations if one not in suite.expectations]
    names = (str(one.get("description", one["type"])) for one in left)
    return [*checks, *(Check("skipped", name, suite.table, _NO_PATTERNS) for name in names)]


def _identity(config: Any) -> str:
    kwargs = {name: value for name, value in config.kwargs.items() if name != "batch_id"}
    return json.dumps([config.type, kwargs], sort_keys=True, default=str)


def _is_query(config: Any) -> bool:
    return bool(config.type == "unexpected_rows_expectation")


def _columns(config: Any) -> set[str]:
    """The columns that an expectation is about."""
    kwargs = config.kwargs
    return {str(kwargs[word]) for word in ("column", "column_A", "column_B") if word in kwargs} | set(
        map(str, kwargs.get("column_list", ()))
    )


def _details_wanted(config: Any, is_personal: bool) -> dict[str, Any]:
    """Examples for what may be shown, counts only for a personal column."""
    if _is_query(config):
        return {"result_format": "COMPLETE"}
    return {"result_format": "BASIC", "partial_unexpected_count": 0 if is_personal else _EXAMPLES}


def _explain(check: str, table: str, answer: Any, is_personal: bool) -> Check:
    trouble = _exception_of(answer)
    if trouble is not None:
        return Check("error", check, table, trouble)
    found = answer.result
    if "element_count" in found:
        details = _values_in_words(found, answer.expectation_config, is_personal)
    elif "mismatched" in found.get("details", {}):
        mismatch = found["details"]["mismatched"]
        details = "; ".join(f"{what}: {', '.join(map(str, names))}" for what, names in mismatch.items())
    else:
        details = f"found {MASK if is_personal else found.get('observed_value')}"
    return Check("failed", check, table, details)


def _rows_in_words(answer: Any, table: list[str], personal: frozenset[str]) -> str:
    """What a query found: the number of rows, and the first of them without what is personal."""
    number, rows = answer.result["observed_value"], answer.result["details"]["unexpected_rows"]
    query = str(answer.expectation_config.kwargs["unexpected_rows_query"])
    hidden = hidden_columns(query, [name for row in rows[:1] for name in row], table, personal)
    examples = [
        ", ".join(f"{name}={MASK if name in hidden else value}" for name, value in row.items())
        for row in rows[:_EXAMPLES]
    ]
    return f"{_plural(number, 'row')}, e.g. {'; '.join(examples)}"


def _values_in_words(found: dict[str, Any], config: Any, is_personal: bool) -> str:
    share = f"{found['unexpected_count']:,} of {_plural(found['element_count'], 'row')}"
    if config.type == "expect_column_values_to_not_be_null":
        return f"{share} without a value"
    if is_personal:
        return f"{share} (values are personal and not shown)"
    return f"{share}, e.g. {', '.join(map(str, found['partial_unexpected_list'][:_EXAMPLES]))}"


def _exception_of(answer: Any) -> str | None:
    """What the database said, when the check could not be made."""
    info = answer.exception_info or {}
    faults = [info] if "raised_exception" in info else list(info.values())
    messages = [str(fault.get("exception_message")) for fault in faults if fault.get("raised_exception")]
    if not messages:
        return None
    lines = [line for line in messages[0].splitlines() if line.strip()] or ["unknown error"]
    asked_for = re.findall(r"\w+", json.dumps(answer.expectation_config.kwargs, default=str))
    return without_values(lines[0], asked_for)[:_BRIEF]


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
