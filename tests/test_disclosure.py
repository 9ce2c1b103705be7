"""Credentials are in no message, note, log line, table of `meta` or traceback, however a driver writes them."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loader import disclosure
from loader.disclosure import keep_secret, without_credentials, without_values
from tests.conftest import Project
from tests.support.club import open_club
from tests.support.effort import effort
from tests.support.shop import prepared

SECRET = "Zq;x}v'w rd"
PLAIN = "Zqxvword"

FORMS = [
    "host=db port=5432 user=reader password={} dbname=almanac",
    "host=db user=almanac password='{}' connect_timeout=10",
    'invalid connection option "passwd" in "passwd={}"',
    "postgresql://reader:{}@db.example.org:5432/almanac?sslmode=require",
    "postgresql+psycopg2://reader:{}@db/almanac",
    "mssql+pyodbc:///?odbc_connect=DRIVER=x;SERVER=db;UID=reader;PWD={};Encrypt=yes",
    "Server=tcp:db,1433;Database=almanac;Uid=reader;Pwd={{{}}};Encrypt=yes;",
    "DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=db;UID=reader;PWD={{{}}}",
    "Data Source=db;User ID=reader;Password={};Persist Security Info=False",
    "('28000', \"[28000] [Microsoft][ODBC Driver 18 for SQL Server] UID=reader;PWD={}\")",
    "{{'user': 'reader', 'password': '{}', 'host': 'db'}}",
    '{{"client_secret": "{}", "tenant_id": "t"}}',
    'Unable to connect to Postgres at "host=db user=reader password={}": refused',
    "LINE 1: create secret s (type s3, key_id 'AKIAABCDEFGHIJKLMNOP', secret '{}', region 'eu')",
    "attach 'postgres://reader:{}@db/almanac' as other (type postgres)",
    "md:almanac?motherduck_token={}",
    "s3_secret_access_key = {}",
    "aws_session_token={}",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig={}",
    "https://a.blob.core.windows.net/c/f.parquet?sv=2025&sig={}",
    "https://host/api?api_key={}&page=2",
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "access_token: {}",
    "sslkey=/keys/k.pem sslpassword={}",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_credential_is_masked_wherever_it_is_written(form: str) -> None:
    text = without_credentials(form.format(PLAIN))
    assert PLAIN not in text
    assert "***" in text
    for word in ("reader", "AKIA"):
        assert word not in text


@settings(max_examples=effort(30, 1_000))
@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="*"), min_size=8))
def test_any_credential_of_a_profile_is_masked_in_its_own_words(secret: str) -> None:
    before = len(disclosure._known)
    keep_secret([secret])
    for form in ("it was {} that failed", "<{}>", "{}\nnext line"):
        assert secret not in without_credentials(form.format(secret))
    del disclosure._known[before:]


def test_a_short_password_masks_no_word_of_others() -> None:
    keep_secret(["0", "'", "load"])
    assert without_credentials("2 loaded, 0 refused, see 'load'") == "2 loaded, 0 refused, see 'load'"
    assert without_credentials("password=load") == "password=***"


@pytest.mark.parametrize(
    "text",
    [
        'column "name" does not exist',
        "the key of members is member_no",
        "token is expected",
        "profiles.yml: needs the variable ALMANAC_POSTGRES_PASSWORD; set it in the environment or in .env",
        "duplicate key value violates unique constraint",
        "https://docs.getdbt.com/docs/core",
        "could not connect to db.example.org:5432",
        "a row with user_id and login_count",
        "2025-01-02 03:04:05",
        "mail to info@example.org",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("('42S02', \"[42S02] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object name 'meta.x'.",
         "Invalid object name 'meta.x'."),
        ("[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]String 'Zqxv' would be truncated", "String …"),
    ],
)  # fmt: skip
def test_who_speaks_is_no_value(message: str, told: str) -> None:
    assert without_values(message, ["meta.x"]) == told


def with_output(project: Project, **fields: object) -> Project:
    """The project with other fields in its target."""
    path = project.root / "profiles.yml"
    profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
    profiles["almanac"]["outputs"]["dev"] = {**profiles["almanac"]["outputs"]["dev"], **fields}
    path.write_text(yaml.safe_dump(profiles), encoding="utf-8")
    return project


def assert_untold(project: Project, *said: str) -> None:
    for text in said:
        assert PLAIN not in text, text
        assert SECRET not in text, text
    for path in project.root.rglob("*"):
        if path.is_file() and path.name != "profiles.yml":
            content = path.read_bytes().decode("utf-8", "replace")
            assert PLAIN not in content, path
            assert SECRET not in content, path


LOGINS = {
    "postgres": {"host": "127.0.0.1", "port": 1, "user": PLAIN, "password": SECRET, "dbname": "almanac"},
    "postgres-dsn": {"host": f"postgres://{PLAIN}:{SECRET}@h", "port": 1, "user": PLAIN, "password": SECRET},
    "sqlserver": {"server": "127.0.0.1", "port": 1, "user": PLAIN, "password": SECRET, "login_timeout": 1},
    "sqlserver-entra": {"server": f"127.0.0.1;PWD={PLAIN}", "port": 1, "client_id": PLAIN, "client_secret": SECRET,
                        "authentication": "ActiveDirectoryServicePrincipal"},
}  # fmt: skip


@pytest.mark.parametrize("name", LOGINS)
def test_a_login_that_fails_is_told_without_it(new_project: Callable[..., Project], name: str) -> None:
    project = open_club(new_project("duckdb"))
    kind = name.partition("-")[0]
    output = {
        "type": kind,
        "schema": "mart",
        "threads": 1,
        "database": "almanac",
        "backend": "mssql-python",
        **LOGINS[name],
    }
    profiles = {"almanac": {"target": "dev", "outputs": {"dev": output}}}
    (project.root / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    plain = project.loader("status", env={"ALMANAC_LOCK_TIMEOUT": "0"})
    assert plain.exit_code == 3
    debugged = project.loader("--debug", "status", env={"ALMANAC_LOCK_TIMEOUT": "0"})
    assert "Traceback" in debugged.output
    assert_untold(project, plain.output, debugged.output)


@pytest.mark.slow
def test_what_duckdb_attaches_is_told_without_its_login(new_project: Callable[..., Project]) -> None:
    project = prepared(new_project, "duckdb", open_club)
    attached = {"path": f"postgres://reader:{PLAIN}@127.0.0.1:1/db", "type": "postgres", "alias": "other"}
    secret = {"type": "s3", "name": "s", "key_id": PLAIN, "secret": SECRET, "nonsense": PLAIN}
    with_output(project, attach=[attached], secrets=[secret])
    done = project.loader("build")
    assert done.exit_code == 3, done.output
    assert_untold(project, done.output)


def test_duckdb_quotes_a_statement_with_its_secret() -> None:
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect().execute(f"create secret s (type s3, key_id '{PLAIN}', secret '{PLAIN}' nonsense)")
    assert PLAIN in str(caught.value)
    assert PLAIN not in without_credentials(str(caught.value))
