"""What can go wrong, by exit code. Each error is one line: what was wrong, where, and what to do."""

from __future__ import annotations


class AlmanacError(Exception):
    """The root of the errors that reach a person without a traceback."""

    exit_code = 3

    @property
    def message(self) -> str:
        """The one line that a person reads."""
        return str(self)


class RefusedError(AlmanacError):
    """The data was refused; the warehouse is as it was."""

    exit_code = 1


class UsageError(AlmanacError):
    """Wrong usage or configuration: an option, a contract, a profile."""

    exit_code = 2


class EnvironmentFailedError(AlmanacError):
    """The environment failed: the database is locked or out of reach, the disk is full."""

    exit_code = 3
