"""What can go wrong, by exit code. Each error is one line: what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from loader.disclosure import without_credentials


class AlmanacError(Exception):
    """The root of the errors that reach a person without a traceback."""

    exit_code = 3
    kind = "failed"
    """What kind of error it is, in one word."""
    answered: Mapping[str, Any] = MappingProxyType({})
    """What the command had to answer before it failed, as `--json` prints it."""

    @property
    def message(self) -> str:
        """The one line that a person reads, without credentials."""
        return without_credentials(str(self))

    def as_json(self) -> dict[str, Any]:
        """The error as `--json` prints it."""
        return {"kind": self.kind, "exit_code": self.exit_code, "message": self.message}


class RefusedError(AlmanacError):
    """The data was refused; the warehouse is as it was."""

    exit_code = 1
    kind = "refused"


class UsageError(AlmanacError):
    """Wrong usage or configuration: an option, a contract, a profile."""

    exit_code = 2
    kind = "usage"


class EnvironmentFailedError(AlmanacError):
    """The environment failed: the database is locked or out of reach, the disk is full."""

    exit_code = 3
