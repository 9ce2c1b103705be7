"""Which engines the suite runs on."""

from __future__ import annotations

import os

import pytest

from tests.support.engines import KNOWN, SQLServer, requested_engines


def test_sql_server_is_tested_when_one_is_named() -> None:
    """Skips, with the names of the variables, where a whole engine is left out; the rest of the suite is silent."""
    reason = SQLServer().unavailable()
    if reason:
        pytest.skip(reason)
    assert "sqlserver" in requested_engines() or "ENGINES" in os.environ


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for named in ("oracle", "duckdb,oracle", ","):
        monkeypatch.setenv("ENGINES", named)
        with pytest.raises(ValueError, match=f"known are {', '.join(KNOWN)}"):
            requested_engines()
