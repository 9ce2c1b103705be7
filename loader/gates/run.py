"""Gates: the suites of Great Expectations against a layer of the warehouse, or against one delivery's parquet.

`<table>.json` in `gx/expectations/<layer>` is the suite of `<layer>.<table>`. All suites of a layer run in one process:
importing Great Expectations takes longer than most suites do. A first pass asks only whether each check holds,
which Great Expectations answers in few queries; what fails is asked again for details.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from loader.contracts import Contract
from loader.disclosure import names_in, without_values
from loader.gates.connection import connect, lack_of_patterns, memory_names, reached, view_as_stage
from loader.gates.imports import lazily_imported, without_collection
from loader.gates.masking import Masking
from loader.gates.origins import Origins
from loader.gates.results import Check, GateResult
from loader.gates.suites import Suite, read_suites, without_patterns
from loader.text import MASK, first_lines, plural
from loader.warehouse import Engine
from loader.warehouse.layers import STAGE

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

_EXAMPLES = 3

_OF_FEW_EXPECTATIONS = ("altair", "scipy.stats")
"""Great Expectations imports them, which takes a third of its time, for three expectations about distributions."""

_BRIEF = 120
"""Characters of a database's message that are shown."""


def run_gate(
    layer: str,
    engine: Engine,
    project_dir: Path,
    contracts: Iterable[Contract],
    tables: Iterable[str] | None = None,
) -> GateResult:
    """Run the suites of a layer (of `tables`, when given) against the warehouse of `engine`.

    `contracts` tell which columns are personal: their values are never shown.

    Raises:
        UsageError: the layer or a table has no suite, or a suite is not readable.
        EnvironmentFailedError: the warehouse is out of reach or locked.
    """
    started = time.perf_counter()
    suites = read_suites(project_dir, layer, tables)
    origins = Origins(project_dir, engine.grammar, contracts)
    address = engine.reading_url()
    with reached(address) as connection:
        checks = _run(address, layer, suites, origins, lack_of_patterns(engine, connection, suites))
    return GateResult(layer, checks, time.perf_counter() - started)


def run_parquet_gate(project_dir: Path, contract: Contract, parquet: Path, period: str) -> GateResult:
    """Run the dataset's stage suite over one delivery, before it is loaded.

    The parquet file is read in place, through a view that looks like the stage table.

    Raises:
        UsageError: the dataset has no stage suite, or it is not readable.
        EnvironmentFailedError: the parquet file cannot be read.
    """
    started = time.perf_counter()
    suites = read_suites(project_dir, STAGE, [contract.name])
    from loader.warehouse.engines.duckdb import DuckDB
    from loader.warehouse.engines.duckdb_dialect import GATE_DRIVER
    from loader.warehouse.engines.duckdb_open import MEMORY

    origins = Origins(project_dir, DuckDB.grammar, [contract])
    name = f"{MEMORY}almanac_gate_{next(memory_names)}"
    address = URL.create(GATE_DRIVER, database=name)
    # the database in memory lives as long as this connection
    with connect(address) as connection:
        view_as_stage(connection, contract, parquet, period)
        checks = _run(address, STAGE, suites, origins)
    return GateResult(STAGE, checks, time.perf_counter() - started)


def publishable_results(layer: str, engine: Engine, project_dir: Path) -> dict[str, Any]:
    """What Great Expectations says of each table of a layer that has a suite: verdicts only, nothing of the data.

    None for a table that is not there (yet). Raises as `run_gate` does.
    """
    suites = read_suites(project_dir, layer, None)
    address = engine.reading_url()
    with reached(address) as connection:
        if lack_of_patterns(engine, connection, suites):
            suites = [without_patterns(suite) for suite in suites]
        with _source(address) as source:
            return {suite.table: _verdicts(source, layer, suite) for suite in suites}


@cache
def _context() -> EphemeralDataContext:
    """Great Expectations without files, network, progress bars or logs; takes seconds the first time."""
    import logging

    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # its log lines quote statements and values; some of its loggers set a level of their own
    log = logging.getLogger("great_expectations")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    with without_collection(), lazily_imported(*_OF_FEW_EXPECTATIONS):
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # five times a gate it would write as YAML, into memory, what nobody reads
    context.variables.save = lambda: None
    return context


def _run(
    address: URL, schema: str, suites: list[Suite], origins: Origins, no_patterns: str | None = None
) -> tuple[Check, ...]:
    with _source(address) as source:
        return tuple(check for suite in suites for check in _run_suite(source, schema, suite, origins, no_patterns))


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


def _answers(batch: Any, schema: str, suite: Suite) -> Any:
    """Whether each check of a suite holds, and nothing more."""
    from great_expectations import ExpectationSuite

    asked = ExpectationSuite(name=f"{schema}.{suite.table}", expectations=suite.expectations)
    return batch.validate(asked, result_format="BOOLEAN_ONLY")


def _verdicts(source: Any, schema: str, suite: Suite) -> Any:
    batch = _batch(source, schema, suite.table)
    if batch is None:
        return None
    answers = _answers(batch, schema, suite)
    for answer in answers.results:
        if _exception_of(answer) is not None:
            # what the database said quotes statements and values
            message = f"the check could not be made; `loader gate {schema}` says why"
            answer.exception_info = {"raised_exception": True, "exception_message": message, "exception_traceback": ""}
    return answers


def _run_suite(source: Any, schema: str, whole: Suite, origins: Origins, no_patterns: str | None) -> list[Check]:
    from great_expectations import ExpectationSuite

    suite = without_patterns(whole) if no_patterns else whole
    batch = _batch(source, schema, suite.table)
    if batch is None:
        return [Check("error", "table exists", suite.table, f"{schema}.{suite.table} is missing or not readable")]
    asked = ExpectationSuite(name=f"{schema}.{suite.table}", expectations=suite.expectations).expectations
    answers = _answers(batch, schema, suite)
    passed = {_identity(answer.expectation_config) for answer in answers.results if answer.success}
    masking = Masking(origins, schema, suite.table, suite.personal)
    checks = []
    for expectation in asked:
        config = expectation.configuration
        check = config.description or f"{config.kwargs.get('column', '')} {config.type}".strip()
        if _identity(config) in passed:
            checks.append(Check("passed", check, suite.table))
        else:
            checks.append(_explained(batch, expectation, check, masking))
    left = [one for one in whole.expectations if one not in suite.expectations]
    names = (str(one.get("description", one["type"])) for one in left)
    why = f"{no_patterns}; the loader checks a contract's in each delivery"
    return [*checks, *(Check("skipped", name, suite.table, why) for name in names)]


def _identity(config: Any) -> str:
    kwargs = {name: value for name, value in config.kwargs.items() if name != "batch_id"}
    return json.dumps([config.type, kwargs], sort_keys=True, default=str)


def _is_query(config: Any) -> bool:
    return bool(config.type == "unexpected_rows_expectation")


def _explained(batch: Any, expectation: Any, check: str, masking: Masking) -> Check:
    """A check that did not hold, with examples of what may be shown, and counts only of a personal column."""
    config = expectation.configuration
    if _is_query(config):
        hidden = None
        answer = batch.validate(expectation, result_format={"result_format": "COMPLETE"})
    else:
        hidden = masking.why_hidden(config.type, config.kwargs)
        shown = {"result_format": "BASIC", "partial_unexpected_count": 0 if hidden else _EXAMPLES}
        answer = batch.validate(expectation, result_format=shown)
    exception = _exception_of(answer)
    if exception is not None:
        return Check("error", check, masking.table, exception)
    words = _rows_in_words(answer, masking) if _is_query(config) else _found_in_words(answer, hidden)
    return Check("failed", check, masking.table, words)


def _found_in_words(answer: Any, hidden: str | None) -> str:
    found = answer.result
    if "element_count" in found:
        return _values_in_words(found, answer.expectation_config.type, hidden)
    if "mismatched" in found.get("details", {}):
        mismatch = found["details"]["mismatched"]
        return "; ".join(f"{what}: {', '.join(map(str, names))}" for what, names in mismatch.items())
    return f"found {MASK if hidden else found.get('observed_value')}"


def _rows_in_words(answer: Any, masking: Masking) -> str:
    """What a query found: the number of rows, and the first of them without what is personal."""
    number, rows = answer.result["observed_value"], answer.result["details"]["unexpected_rows"]
    query = str(answer.expectation_config.kwargs["unexpected_rows_query"])
    hidden = masking.hidden_columns(query, [name for row in rows[:1] for name in row])
    examples = [
        ", ".join(f"{name}={MASK if name in hidden else value}" for name, value in row.items())
        for row in rows[:_EXAMPLES]
    ]
    return f"{plural(number, 'row')}, e.g. {'; '.join(examples)}"


def _values_in_words(found: dict[str, Any], kind: str, hidden: str | None) -> str:
    share = f"{found['unexpected_count']:,} of {plural(found['element_count'], 'row')}"
    if kind == "expect_column_values_to_not_be_null":
        return f"{share} without a value"
    if hidden:
        return f"{share} ({hidden})"
    return f"{share}, e.g. {', '.join(map(str, found['partial_unexpected_list'][:_EXAMPLES]))}"


def _exception_of(answer: Any) -> str | None:
    """What the database said, when the check could not be made."""
    info = answer.exception_info or {}
    faults = [info] if "raised_exception" in info else list(info.values())
    messages = [str(fault.get("exception_message")) for fault in faults if fault.get("raised_exception")]
    if not messages:
        return None
    asked_for = names_in(json.dumps(answer.expectation_config.kwargs, default=str))
    return without_values([*first_lines(messages[0]), "unknown error"][0], asked_for)[:_BRIEF]
