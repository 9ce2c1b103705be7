"""The servers that `make up` starts: out of reach of others, without a password in a file, the ones that are tested."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.conftest import REPOSITORY

COMPOSE = REPOSITORY / "docker" / "compose.yml"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "tests.yml"


def services() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def test_only_this_machine_reaches_them() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_passwords_come_from_the_environment() -> None:
    variables = [value for service in services().values() for value in service.get("environment", {}).items()]
    secrets = {name: value for name, value in variables if "PASSWORD" in name}
    assert {"MSSQL_SA_PASSWORD", "POSTGRES_PASSWORD"} <= set(secrets)
    assert [
        name for name, value in secrets.items() if not re.fullmatch(r"\$\{ALMANAC_\w+_PASSWORD(:\?[^}]+)?\}", value)
    ] == []


def test_every_variable_is_explained() -> None:
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    assert named
    assert [name for name in named if f"#{name}=" not in example] == []


def test_the_tests_run_on_the_same_servers() -> None:
    """Which version is written twice, since a workflow cannot read the file."""
    tested = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["servers"]["services"]
    started = services()
    assert {name: service["image"] for name, service in tested.items()} == {
        name: started[name]["image"] for name in tested
    }
