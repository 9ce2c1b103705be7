"""What dbt has parsed in one scratch project, handed to the next: dbt then parses only the files that differ.

dbt takes it for its own where dbt_project.yml, vars and profile are the same (`ManifestStateCheck`); else it parses
everything, as ever. Profiles of a server differ by the name of the database only, which has one length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from typing import Any

from tests.support.run import made_once


def hand_over(root: Path, output: dict[str, Any], parse: Callable[[], Any]) -> None:
    """Give the project in `root` what was parsed of one with the same dbt_project.yml; the first one parses itself."""
    here = root / "target" / "partial_parse.msgpack"
    if here.exists():
        return
    project = hashlib.sha256((root / "dbt_project.yml").read_bytes()).hexdigest()[:12]

    def make(path: Path) -> None:
        parse()
        content = here.read_bytes() if here.exists() else b""  # a project that cannot be parsed leaves nothing
        path.write_bytes(_of_nobody(content, output))

    parsed = made_once(f"parsed-{output['type']}-{project}", make).read_bytes()
    if parsed and not here.exists():
        here.parent.mkdir(exist_ok=True)
        here.write_bytes(_of(parsed, output))


_NOBODY = "almanac_000000000000"


def _of_nobody(content: bytes, output: dict[str, Any]) -> bytes:
    return _renamed(content, output, {**output, "dbname": _NOBODY}) if output["type"] == "postgres" else content


def _of(content: bytes, output: dict[str, Any]) -> bytes:
    return _renamed(content, {**output, "dbname": _NOBODY}, output) if output["type"] == "postgres" else content


def _renamed(content: bytes, was: dict[str, Any], now: dict[str, Any]) -> bytes:
    """The same of another database, whose name is as long: no length in the file changes."""
    for old, new in ((was["dbname"], now["dbname"]), (_profile_hash(was), _profile_hash(now))):
        assert len(old) == len(new)
        content = content.replace(old.encode(), new.encode())
    return content


def _profile_hash(output: dict[str, Any]) -> str:
    """As dbt makes it of the connection (`ManifestLoader.build_manifest_state_check`)."""
    from dbt.adapters.postgres import PostgresCredentials
    from dbt.artifacts.resources import FileHash

    settings = {name: value for name, value in output.items() if name not in ("type", "threads")}
    credentials = PostgresCredentials.from_dict(PostgresCredentials.translate_aliases(settings))
    return str(FileHash.from_contents(pformat(sorted(credentials.connection_info()))).checksum)
