"""From revision 0003 of meta, whose loads know no unknown keys: core stays as it was, what comes later is read anew.

`upgrade/` holds what the code of that revision made of the deliveries there, three times loaded and built. The row of
member 2 in 2025-02 is rejected, which then was an absence.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from loader.warehouse.layers import SCHEMAS
from loader.warehouse.meta import REVISION
from tests.conftest import Project
from tests.support.club import TABLES, contents, deliver, member, open_club
from tests.support.engines import Engine, Rows

UPGRADE = Path(__file__).parent / "upgrade"
WRITTEN = (*TABLES, "core.applied_load", "stage.members", "stage.visits")


@pytest.fixture
def club(engine: Engine, new_project: Callable[..., Project]) -> Project:
    if engine.name == "sqlserver":
        pytest.skip("revision 0003 was never run on a server of this engine")
    club = open_club(new_project(engine))
    shutil.copytree(UPGRADE / "data", club.root / "data", dirs_exist_ok=True)
    club.sql("".join(f"drop schema {schema} cascade;" for schema in SCHEMAS))
    for script in (f"{engine.name}.sql", "rows.sql"):
        club.sql((UPGRADE / script).read_text(encoding="utf-8").replace("{root}", str(club.root)))
    return club


def test_the_history_of_an_older_revision_stays(club: Project) -> None:
    built, marks = contents(club, *WRITTEN), written(club)
    done = club.loader("migrate")
    assert done.output.startswith(f"meta: revision 0003 to {REVISION}\nstage.members__unknown: created\n"), done.output
    assert club.dbt("build", "--exclude-resource-type", "test").success
    assert (contents(club, *WRITTEN), written(club)) == (built, marks)

    said = club.loader("recheck").output
    assert "differs    members 2025-02  version 2: 2 rows then, 2 now, 1 key unknown in one of both" in said
    assert "4 same, 1 differs" in said
    assert club.loader("rollback", "--dataset", "members", "--period", "2025-02", "--to", "1").exit_code == 0
    deliver(club, "members", "2025-04", [member(1), member(2, born="31.02.1970"), member(4), member(5)])
    assert "1 key only in rejected rows and so unknown" in club.loader("load").output
    assert club.dbt("snapshot").success
    fee = {"0130ec17e8ad24be849d8b621e4aef79": Decimal("11.50")}  # of member 1 in the version 1 of 2025-02
    expected = [(*row[:3], fee.get(row[7], row[3]), *row[4:]) for row in built["core.members"]]
    assert contents(club, "core.members")["core.members"] == sorted(expected, key=repr)


def written(club: Project) -> Rows:
    """The last write to each row of core; empty where the engine does not tell."""
    if club.engine.name != "postgres":
        return []
    return club.sql(
        "select ctid::text, xmin::text from core.members union all select ctid::text, xmin::text from core.visits"
    )
