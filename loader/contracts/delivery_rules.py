"""What a contract says of the deliveries of a dataset as a whole: ends, rules, duplicates, and how much may change."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from loader.contracts.model import Model


class EndMarker(Model):
    """The value by which a delta delivery says that a key has ended."""

    column: str = Field(examples=["state"])
    """The column that holds it; it is not tracked."""
    value: str = Field(examples=["closed"])
    """Its value, after cleaning."""


class RowRule(Model):
    """A condition across columns, in SQL; a row for which it is false is invalid (unknown is not false)."""

    name: str = Field(examples=["moved_in_after_birth"])
    """What the rule is called in rejects and messages."""
    check: str = Field(examples=["moved_in_on >= birth_date"])
    """The condition, in SQL of DuckDB, over the columns of the dataset."""
    description: str = Field(examples=["Nobody moves in before being born."])
    """Why it holds, for people."""


class InvalidRows(Model):
    """What happens to a delivery with invalid rows."""

    action: Literal["reject_file", "reject_rows"] = Field("reject_file", examples=["reject_rows"])
    """`reject_file`: one invalid row refuses the delivery; `reject_rows`: invalid rows are left out."""
    max_share: Annotated[float, Field(ge=0, le=1, examples=[0.02])] = 0.0
    """With `reject_rows`: the share of invalid rows above which the whole file is refused."""

    @model_validator(mode="after")
    def _share_belongs_to_rows(self) -> Self:
        if (self.action == "reject_rows") != (self.max_share > 0):
            raise ValueError("'max_share' belongs to 'action: reject_rows', which needs one above 0")
        return self


class MaxOf(Model):
    """The row with the largest value."""

    max: str = Field(examples=["updated_at"])
    """The column that is compared. Where two rows have the largest value, or none has a value, all are rejected."""


class Keep(Model):
    """Which of the rows that share their key is taken; the others are dropped, each is listed in the rejects."""

    keep: Literal["first", "last"] | MaxOf = Field(examples=["last"])
    """`first` or `last` in the file, or `{max: column}`: the one with the largest value."""


class Guard(Model):
    """Shares of the keys in force (0 to 1) that one delivery may end or change without being forced.

    With both at 1 a load is not compared at all, which suits a delta of many small deliveries: each is compared with
    all before it.
    """

    ended: Annotated[float, Field(ge=0, le=1, examples=[0.1])] = 0.2
    """Share of the keys that may end."""
    changed: Annotated[float, Field(ge=0, le=1, examples=[0.25])] = 0.5
    """Share of the keys whose tracked columns may change."""
