"""What is agreed about a dataset: its file, its columns, its periods."""

from loader.contracts.columns import Column, ColumnType, Header
from loader.contracts.contract import Contract, Contracts
from loader.contracts.delivery_rules import EndMarker, Guard, InvalidRows, RowRule
from loader.contracts.file import find_contract, read_contracts
from loader.contracts.formats import CsvFormat, Format, WorkbookFormat
from loader.contracts.names import LINEAGE, plain_header
from loader.contracts.notation import Notation
from loader.contracts.periods import Grain, Period
from loader.contracts.reserved import RESERVED
from loader.contracts.values import Scalar
from loader.contracts.widening import may_become

__all__ = [
    "LINEAGE",
    "RESERVED",
    "Column",
    "ColumnType",
    "Contract",
    "Contracts",
    "CsvFormat",
    "EndMarker",
    "Format",
    "Grain",
    "Guard",
    "Header",
    "InvalidRows",
    "Notation",
    "Period",
    "RowRule",
    "Scalar",
    "WorkbookFormat",
    "find_contract",
    "may_become",
    "plain_header",
    "read_contracts",
]
