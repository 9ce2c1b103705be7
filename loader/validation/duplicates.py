"""Rows of a delivery that share their key: rejected, or one of them stands for the others, as the contract says.

Which is said in `duplicates` of the contract. Where nothing is said none is taken, since any choice would be a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loader.archive import SOURCE_ROW
from loader.archive.query import in_memory
from loader.contracts import Contract
from loader.contracts.delivery_rules import Keep, MaxOf


@dataclass(frozen=True)
class Repeated:
    """One of the rows that share their key."""

    row: int
    """Its number in the file."""
    stands: int | None
    """The row that stands for all of them; None when they are rejected."""
    key: tuple[Any, ...]

    @property
    def is_dropped(self) -> bool:
        """Whether another row stands for it."""
        return self.stands is not None and self.stands != self.row


def repeated_keys(contract: Contract, parquet: Path) -> list[Repeated]:
    """The rows of a parquet file that share their natural key, by their number."""
    key = ", ".join(f'"{name}"' for name in contract.key)
    top, stands = _stands(contract)
    query = f"""
        with repeated as (select {key} from read_parquet($1) group by all having count(*) > 1),
        candidates as (select *, {top} as _top from read_parquet($1) semi join repeated using ({key})),
        judged as (select {key}, {stands} as _stands from candidates group by {key})
        select {SOURCE_ROW}, _stands, {key} from candidates join judged using ({key}) order by 1
    """
    with in_memory() as connection:
        return [
            Repeated(row, by, tuple(parts)) for row, by, *parts in connection.execute(query, [str(parquet)]).fetchall()
        ]


def _stands(contract: Contract) -> tuple[str, str]:
    """In SQL: what to compare in each row, and of the rows of a key the number of the one that stands for all."""
    columns = ", ".join(f'"{column.name}" := "{column.name}"' for column in contract.columns)
    match contract.duplicates:
        case "identical":
            return "null", f"case when count(distinct struct_pack({columns})) = 1 then min({SOURCE_ROW}) end"
        case Keep(keep="first"):
            return "null", f"min({SOURCE_ROW})"
        case Keep(keep="last"):
            return "null", f"max({SOURCE_ROW})"
        case Keep(keep=MaxOf(max=name)):
            key = ", ".join(f'"{part}"' for part in contract.key)
            is_top = f'"{name}" = max("{name}") over (partition by {key})'
            return is_top, f"case when count(*) filter (where _top) = 1 then min({SOURCE_ROW}) filter (where _top) end"
        case _:
            return "null", "cast(null as bigint)"
