"""Roles: each account does its whole work, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from loader.warehouse import Target
from tests.conftest import Project
from tests.support import club
from tests.support.club import member, visit
from tests.support.deliveries import change_contract
from tests.support.engines import Engine, Rows
from tests.support.shop import prepared

ROLES = ("loader", "dbt", "reader", "migration")
MEMBERS = [member(number) for number in range(1, 6)]
JOINED = "      joined: {type: date"
CARD = "      card: {type: integer, description: Number of the card., since: 2025-06, tracked: false}"
PURGE = ("purge", "--dataset", "members", "--key", "00000003", "--yes")
REWRITING = {
    "postgres": (
        "revoke maintain on core.members from almanac_migration",
        "grant maintain on core.members to almanac_migration",
    ),
    # the right that nobody has at first
    "sqlserver": ("select 1", "alter role db_owner add member almanac_migration"),
}
"""How the right to rewrite what was purged is taken away, and given."""
REFUSED = re.compile(
    r"permission denied|must be owner|permission was denied|not have permission|without permission", re.IGNORECASE
)

INDEXES = {
    "postgres": "select indexname from pg_indexes where schemaname = 'core' and tablename = 'applied_load'",
    "sqlserver": "select name from sys.indexes where object_id = object_id('core.applied_load') and index_id > 0",
}
"""Of the ledger."""

FORBIDDEN = {
    "loader": [
        "create table {}.mine (a int)",
        "drop table stage.members",
        "alter table stage.members add mine int",
        "truncate table stage.members",
        "drop table meta.dataset_version",
        "insert into core.applied_load select * from core.applied_load",
        "update core.applied_load set fingerprint = fingerprint",
        "delete from core.members",
        "delete from mart.fct_member",
        "delete from meta.etl_audit",
        "truncate table meta.etl_audit",
        "update meta.etl_audit set step = step",
        "update meta.etl_audit set run_id = run_id where status = 'done'",
    ],
    "dbt": [
        "create table stage.mine (a int)",
        "create table meta.mine (a int)",
        "delete from stage.members",
        "insert into stage.members select * from stage.members",
        "drop table stage.members",
        "update meta.dataset_version set state = state",
        "delete from meta.etl_audit",
    ],
    "reader": [
        "create table {}.mine (a int)",
        "select * from stage.members",
        "select * from meta.dataset_version",
        "select * from core.members",
        "select * from core.applied_load",
        "insert into mart.fct_member select * from mart.fct_member",
        "update mart.fct_member set city = city",
        "delete from mart.fct_member",
        "drop table mart.fct_member",
    ],
    "migration": [
        "create table core.mine (a int)",
        "create table mart.mine (a int)",
        "insert into core.applied_load select * from core.applied_load",
        "update core.members set city = city",
        "truncate table core.members",
        "drop table core.members",
        "insert into mart.fct_member select * from mart.fct_member",
        "update mart.fct_member set city = city",
        "truncate table mart.fct_member",
    ],
}
CHANGED_EVENTS = ["update meta.version_event set state = state", "delete from meta.version_event"]
"""What nobody may do with the events, who may add to them."""
OF_NOBODY = ["create table mine (a int)", "create schema mine", "create role mine"]


@dataclass
class Staff:
    """A warehouse whose tools have an account each; `project.sql` is that of the administrator."""

    project: Project
    accounts: dict[str, dict[str, Any]]
    """An output of profiles.yml for each role."""

    def run(self, *args: object) -> str:
        result = self.project.loader(*args)
        assert result.exit_code == 0, result.output
        return result.output

    def sql(self, role: str, query: str) -> Rows:
        return self.project.engine.query(self.accounts[role], query)

    def may_not(self, role: str, statement: str) -> None:
        with pytest.raises(Exception, match=REFUSED):
            self.sql(role, statement)


def employ(project: Project) -> Staff:
    """Run the script, twice, and make the accounts; all of them stand in one output, as the guide says."""
    script = project.loader("ddl", "--roles")
    assert script.exit_code == 0, script.output
    for _ in range(2):
        project.engine.administer(project.profile_output, script.stdout)
    accounts = {role: project.engine.account(project.profile_output, f"almanac_{role}") for role in ROLES}
    output = dict(accounts["dbt"])
    for role in ("loader", "migration"):
        output |= {f"{role}_{word}": accounts[role][word] for word in ("user", "password")}
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    project.env["ALMANAC_READER_ROLE"] = "almanac_reader"
    return Staff(project, accounts)


def deliver_months(project: Project, *periods: str) -> None:
    for period in periods:
        club.deliver(project, "members", period, MEMBERS)
        club.deliver(project, "visits", period, [visit(1, 1)])


def in_use(project: Project) -> None:
    """Loaded and built by one account that may do all."""
    club.open_club(project)
    deliver_months(project, "2025-01")
    for command in ("load", "build"):
        result = project.loader(command)
        assert result.exit_code == 0, result.output


@pytest.fixture
def server(engine: Engine) -> Engine:
    if engine.name == "duckdb":
        pytest.skip("a file has no accounts")
    return engine


def ledger(project: Project) -> Rows:
    columns = "column_name, data_type, character_maximum_length, is_nullable"
    here = "table_schema = 'core' and table_name = 'applied_load'"
    return project.sql(f"select {columns} from information_schema.columns where {here} order by ordinal_position")


@pytest.mark.slow
def test_each_account_does_its_work_and_nothing_else(server: Engine, new_project: Callable[..., Project]) -> None:
    project = new_project(server)
    staff = employ(project)
    club.open_club(project)  # migrates, as every `loader migrate`
    deliver_months(project, "2025-01", "2025-02")
    assert "4 loaded" in staff.run("load")
    staff.run("build")
    staff.run("build", "--full")
    for layer in ("stage", "core", "mart"):
        assert re.search(r"(all|all others) passed", staff.run("gate", layer))
    assert "5 unchanged" in staff.run("plan", project.landing / "members_2025-02.csv")
    staff.run("rollback", "--dataset", "members", "--period", "2025-02", "--to", 0)
    staff.run("build")
    assert "rolled back" in staff.run("status")
    assert staff.sql("reader", "select distinct data_period from mart.fct_member") == [("2025-01",)]
    assert staff.sql("reader", "select sum(members) from mart.agg_member") == [(5,)]

    for role, statements in FORBIDDEN.items():
        for statement in [*statements, *OF_NOBODY]:
            for schema in ("stage", "meta", "core", "mart") if "{}" in statement else ("",):
                staff.may_not(role, statement.format(schema))
    owner = ["migration"] if server.name == "postgres" else []  # nobody can deny the owner anything on SQL Server
    assert staff.sql("loader", "select count(*) from meta.version_event") > [(0,)]
    for role in ("loader", "dbt", "reader", *owner):
        for statement in [*CHANGED_EVENTS, "truncate table meta.version_event"]:
            staff.may_not(role, statement)

    assert "core.members, mart.fct_member still hold it" in staff.run(*PURGE)
    staff.run("build")
    take, give = REWRITING[server.name]
    project.sql(take)
    result = project.loader(*PURGE)
    assert (result.exit_code, "rewritten  " in result.output) == (3, False)
    project.sql(give)
    assert "rewritten" in staff.run(*PURGE)
    assert staff.sql("reader", "select count(*) from mart.fct_member where member_no = '00000003'") == [(0,)]

    assert "mart.fct_member 4 rows" in staff.run("reset", "--dataset", "members", "--yes")
    assert staff.sql("reader", "select count(*) from mart.fct_member") == [(0,)]

    of_script = ledger(project)
    staff.sql("dbt", "drop table core.applied_load")
    staff.run("build")
    assert ledger(project) == of_script
    assert project.sql(INDEXES[server.name]) == [("ix_applied_load",)]


@pytest.mark.slow
def test_a_warehouse_in_use_changes_hands(server: Engine, new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, server, in_use)
    before = club.contents(project)
    staff = employ(project)
    staff.run("build")
    assert club.contents(project) == before
    change_contract(project, JOINED, f"{CARD}\n{JOINED}")
    assert staff.sql("loader", "select card from stage.members") == [(None,)] * 5
    deliver_months(project, "2025-02")
    assert "3 loaded" in staff.run("load")
    staff.run("build")
    assert staff.sql("reader", "select count(*) from mart.fct_member") == [(10,)]
    staff.may_not("loader", "drop table stage.members")
    staff.may_not("loader", CHANGED_EVENTS[0])

    read = "select count(*) from meta.etl_audit where step = 'validate'"
    before = project.sql(read)
    deliver_months(project, "2025-03")
    project.sql("revoke insert on stage.visits from almanac_loader")
    result = project.loader("load")
    assert (result.exit_code, project.sql(read)) == (3, before)
    assert "this account may not load: it lacks insert on stage.visits" in result.output
    staff.may_not("migration", "drop table mart.fct_member")


def test_a_file_has_no_accounts(new_project: Callable[..., Project]) -> None:
    project = new_project("duckdb")
    result = project.loader("ddl", "--roles")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "target 'dev' is a file, which has no accounts" in result.output
    result = project.loader("ddl", "--roles", "--schema", "meta")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--roles is about all schemas" in result.output


def target(**fields: Any) -> Target:
    return Target("prod", "sqlserver", {"host": "here", **fields})


def test_a_tool_works_by_its_account_where_it_has_one() -> None:
    named = target(user="dbt", password="1", loader_user="etl", loader_password="2", migration_user="")
    loader = named.for_account("loader")
    assert (loader.fields["user"], loader.fields["password"], loader.fields["host"]) == ("etl", "2", "here")
    assert named.for_account("migration") is named
    assert target(windows_login=True).for_account("loader").fields == {"host": "here", "windows_login": True}


def test_no_account_gets_the_password_of_another() -> None:
    fields = target(user="dbt", password="1", loader_user="etl").for_account("loader").fields
    assert (fields["user"], fields["password"]) == ("etl", None)


@pytest.mark.parametrize(("user", "password"), [("UID", "PWD"), ("username", "pass"), ("client_id", "client_secret")])
def test_an_account_is_named_by_the_words_of_the_profile(user: str, password: str) -> None:
    named = target(**{user: "dbt", password: "1"}, loader_user="etl", loader_password="2")
    fields = named.for_account("loader").fields
    assert {fields[word] for word in (user, "user")} == {"etl"}
    assert {fields[word] for word in (password, "password")} == {"2"}


def test_passwords_of_accounts_are_never_shown() -> None:
    named = target(user="dbt", password="hunter2", loader_user="etl", loader_password="hunter3")
    assert "hunter" not in "".join(f"{one} {one!r}" for one in (named, named.for_account("loader")))
