"""Reads and checks a file of people in this process, and tells the seconds of all its processors."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import yaml

from benchmarks.measure import print_result
from benchmarks.people import CSV
from loader.contracts import Contract
from loader.validation import Outcome, clean_delivery


def main(path: Path) -> None:
    name, fields = next(iter(yaml.safe_load(CSV)["datasets"].items()))
    contract = Contract.model_validate({"name": name, **fields})
    outcome = Outcome()
    started = time.process_time()
    clean_delivery(
        path, contract, contract.period("2025-01"), path.with_suffix(".parquet"), path.with_suffix(".rejects"), outcome
    )
    print_result(time.process_time() - started, rows=outcome.rows_read, rejected=outcome.rows_rejected)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
