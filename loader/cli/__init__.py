"""The command line: every `make` target is one of these commands. Heavy packages are imported where they are used."""

from loader.cli import completion, contracts, deliveries, reports, samples, versions, warehouse
from loader.cli.app import main

__all__ = ["completion", "contracts", "deliveries", "main", "reports", "samples", "versions", "warehouse"]
