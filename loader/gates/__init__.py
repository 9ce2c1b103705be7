"""The suites of Great Expectations, and what of an answer may be shown."""

from loader.gates.named import unnamed_columns
from loader.gates.results import Check, GateRefusedError, GateResult, render
from loader.gates.run import publishable_results, run_gate, run_parquet_gate
from loader.gates.suites import read_suites, suite_files

__all__ = [
    "Check",
    "GateRefusedError",
    "GateResult",
    "publishable_results",
    "read_suites",
    "render",
    "run_gate",
    "run_parquet_gate",
    "suite_files",
    "unnamed_columns",
]
