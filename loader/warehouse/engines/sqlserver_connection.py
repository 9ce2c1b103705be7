"""How SQL Server is reached: the words of dbt-sqlserver's profile as a connection string of Microsoft's ODBC driver.

Two dialects of SQLAlchemy, `mssql+almanac` over mssql-python and `mssql+almanac_pyodbc` over pyodbc, say it in the same
way to the loader and to Great Expectations. The address carries a profile's words; what is secret is its password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import URL, Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mssql.mssqlpython import MSDialect_mssqlpython
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc
from sqlalchemy.engine.interfaces import IsolationLevel

from loader.errors import EnvironmentFailedError, UsageError

MSSQL_PYTHON, PYODBC = "mssql-python", "pyodbc"
DRIVERS = {MSSQL_PYTHON: "mssql+almanac", PYODBC: "mssql+almanac_pyodbc"}
LOCK = "almanac.lock"
"""Where a connection keeps the name of the lock that its transaction holds."""
ALONE = "almanac.alone"
"""Where a connection keeps that its statements shall be in no transaction."""
DEFAULT_DRIVER = "ODBC Driver 18 for SQL Server"

registry.register("mssql.almanac", __name__, "OverMssqlPython")
registry.register("mssql.almanac_pyodbc", __name__, "OverPyodbc")

_SESSION = "set xact_abort on; set language us_english"
"""An error ends the whole transaction; and what the server says of it can be recognised, whatever its language."""
_SQL_ATTR_LOGIN_TIMEOUT = 103
_SYNONYMS = {
    "host": ("server",),
    "user": ("UID", "username"),
    "password": ("PWD", "pass"),
    "windows_login": ("trusted_connection",),
    "authentication": ("auth",),
    "client_id": ("app_id",),
    "client_secret": ("app_secret",),
    "trust_cert": ("TrustServerCertificate",),
}
"""Words of dbt-sqlserver's profile, and the others that it takes for them."""
_AUTHENTICATIONS = {
    "auto": "ActiveDirectoryDefault",
    "default": "ActiveDirectoryDefault",
    "msi": "ActiveDirectoryMSI",
    "adintegrated": "ActiveDirectoryIntegrated",
    "serviceprincipal": "ActiveDirectoryServicePrincipal",
}
"""Short names of Entra ID's ways, as dbt-sqlserver understands them for mssql-python."""
_BY_TOKEN = (
    "cli",
    "auto",
    "environment",
    "serviceprincipal",
    "msi",
    "activedirectorymsi",
    "activedirectoryaccesstoken",
)
"""Those for which dbt-sqlserver fetches a token itself, and hands it to pyodbc."""


def backend_of(fields: Mapping[str, Any]) -> str:
    """The driver that a profile asks for; dbt-sqlserver's own default is pyodbc.

    Raises:
        UsageError: it is none of the two.
    """
    backend = str(fields.get("backend") or PYODBC).replace("_", "-")
    if backend not in DRIVERS:
        raise UsageError(f"profiles.yml: no driver is called '{backend}'; backend is {MSSQL_PYTHON} or {PYODBC}")
    return backend


def address_of(fields: Mapping[str, Any]) -> URL:
    """The address for SQLAlchemy of a target of dbt-sqlserver; its repr hides what is secret.

    Raises:
        UsageError: the profile's words contradict each other, or its way to log in is not known.
    """
    word = {name: _either(fields, name, *others) for name, others in _SYNONYMS.items()}
    backend = backend_of(fields)
    way = str(word["authentication"] or "sql")
    query = {
        "encrypt": _yes(fields.get("encrypt", True)),
        "trust_cert": _yes(word["trust_cert"] or False),
    }
    if fields.get("login_timeout"):
        query["login_timeout"] = str(fields["login_timeout"])
    user, password = word["user"], word["password"]
    if backend == PYODBC:
        query["driver"] = str(fields.get("driver") or DEFAULT_DRIVER)
    if word["windows_login"]:
        query["windows_login"] = "yes"
        user = password = None
    elif _plain(way) != "sql":
        query["authentication"] = way
        if _plain(way) in ("serviceprincipal", "activedirectoryserviceprincipal"):
            user, password = word["client_id"], word["client_secret"]
            query |= {"tenant_id": str(fields["tenant_id"])} if fields.get("tenant_id") else {}
        elif _plain(way) == "activedirectoryaccesstoken":
            user, password = None, fields.get("access_token")
        if backend == MSSQL_PYTHON and _plain(way) in ("cli", "environment", "activedirectoryaccesstoken"):
            raise UsageError(f"profiles.yml: authentication '{way}' needs `backend: {PYODBC}`")
    host, port = str(word["host"] or ""), fields.get("port")
    return URL.create(
        DRIVERS[backend],
        username=str(user) if user else None,
        password=str(password) if password else None,
        host=host,
        port=int(port or 1433) if "\\" not in host else None,
        database=str(fields.get("database") or ""),
        query=query,
    )


def connection_string(url: URL) -> str:
    """What the ODBC driver is told; holds the password."""
    way = str(url.query.get("authentication", "sql"))
    parts = {"Driver": f"{{{url.query['driver']}}}"} if "driver" in url.query else {}
    parts |= {"Server": f"{url.host},{url.port}" if url.port else str(url.host), "Database": _value(url.database)}
    if "windows_login" in url.query:
        parts["Trusted_Connection"] = "yes"
    elif "driver" not in url.query or _plain(way) not in _BY_TOKEN:
        if _plain(way) != "sql":
            parts["Authentication"] = _AUTHENTICATIONS.get(_plain(way), way)
        parts |= {"UID": _value(url.username)} if url.username else {}
        parts |= {"PWD": _value(str(url.password))} if url.password else {}
    parts |= {"Encrypt": str(url.query["encrypt"]), "TrustServerCertificate": str(url.query["trust_cert"])}
    parts["PacketSize"] = "8000"  # as .NET has it; ODBC's 4096 makes bulk copies slower
    return ";".join(f"{name}={value}" for name, value in parts.items())


def is_by_bulk_copy(url: URL) -> bool:
    """Whether mssql-python can copy in bulk: its copies log in by themselves, and do not know every way to."""
    way = _plain(url.query.get("authentication", "sql"))
    return url.drivername == DRIVERS[MSSQL_PYTHON] and way not in (
        "activedirectorypassword",
        "activedirectoryintegrated",
        "adintegrated",
    )


class _Session:
    """What both dialects have in common."""

    supports_statement_cache = True

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        """Its property, not the words of @@version, which differ from product to product."""
        version = connection.exec_driver_sql("select cast(serverproperty('ProductVersion') as varchar(128))").scalar()
        return tuple(int(part) for part in str(version).split(".") if part.isdigit())

    def get_default_isolation_level(self, dbapi_conn: Any) -> IsolationLevel:  # noqa: ARG002
        """That of every new session; the view that SQLAlchemy would ask shows nothing to some accounts."""
        return "READ COMMITTED"

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[IsolationLevel]:
        """Without AUTOCOMMIT, which every connection has: `ALONE` says what is to be in no transaction."""
        levels = super().get_isolation_level_values(dbapi_conn)  # type: ignore[misc]
        return [level for level in levels if level != "AUTOCOMMIT"]

    def on_connect(self) -> Callable[[Any], None]:
        """Transactions are begun by `do_begin`, not by the driver.

        Without autocommit it would set IMPLICIT_TRANSACTIONS ON, by which a statement begins a transaction when it
        touches a table; `exec sp_getapplock` does not, and answers -999 to who wants a lock of his transaction.
        """
        prepare = super().on_connect()  # type: ignore[misc]

        def set_up(connection: Any) -> None:
            if prepare is not None:
                prepare(connection)
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(_SESSION)
            cursor.close()

        return set_up

    def do_begin(self, connection: Any) -> None:
        """Where SQLAlchemy takes it that the driver begins."""
        if not connection.info.get(ALONE):
            _execute(connection, "begin transaction")

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """NULL is written out: the drivers would ask the server for its type, and keep quiet when that fails.

        The server ends the transaction then, and what follows would be one of its own.
        """
        super().do_execute(cursor, *_without_null(statement, parameters), context)  # type: ignore[misc]

    def do_commit(self, connection: Any) -> None:
        """Whatever took a lock still has it, or the server ended the transaction meanwhile and nobody said so.

        Raises:
            EnvironmentFailedError: it did; the rest is rolled back.
        """
        lock = connection.info.pop(LOCK, None)
        if lock is not None:
            (mode,) = _execute(connection, "select applock_mode('public', ?, 'Transaction')", lock)
            if mode != "Exclusive":
                raise EnvironmentFailedError(f"the transaction that held {lock} was ended by the server; run it again")
        if not connection.info.get(ALONE):
            _execute(connection, "commit transaction")

    def do_rollback(self, connection: Any) -> None:
        """An error may have ended the transaction already."""
        _execute(connection, "if @@trancount > 0 rollback transaction")


def _execute(connection: Any, statement: str, *values: object) -> tuple[Any, ...]:
    """Execute a statement beside SQLAlchemy; returns its first row, if it has any."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement, values) if values else cursor.execute(statement)
        return tuple(cursor.fetchone() or ()) if cursor.description else ()
    finally:
        cursor.close()


class OverMssqlPython(_Session, MSDialect_mssqlpython):
    """Microsoft's own driver, which comes in its wheel."""

    supports_statement_cache = True

    def create_connect_args(self, url: URL) -> Any:
        return (connection_string(url),), {"attrs_before": _login_timeout(url)}


class OverPyodbc(_Session, MSDialect_pyodbc):
    """pyodbc, for those who have Microsoft's ODBC driver installed."""

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(fast_executemany=True, **options)  # type: ignore[no-untyped-call]

    @classmethod
    def import_dbapi(cls) -> Any:
        try:
            import pyodbc  # type: ignore[import-not-found]
        except ImportError as error:
            raise EnvironmentFailedError(
                f"pyodbc cannot be loaded ({error}); install it with an ODBC driver manager and Microsoft's driver, "
                f"or take `backend: {MSSQL_PYTHON}`, which brings its own"
            ) from error
        pyodbc.pooling = False  # a lock ends with its connection
        return pyodbc

    def create_connect_args(self, url: URL) -> Any:
        way = str(url.query.get("authentication", "sql"))
        token = _token(url) if _plain(way) in _BY_TOKEN else {}
        return (connection_string(url),), {"attrs_before": token | _login_timeout(url)}


def _without_null(statement: str, parameters: Any) -> tuple[str, Any]:
    if isinstance(parameters, dict):
        for word in [word for word, value in parameters.items() if value is None]:
            statement = statement.replace(f"%({word})s", "null")
        return statement, parameters
    parts = statement.split("?")
    if parameters is None or None not in parameters or len(parts) != len(parameters) + 1:
        return statement, parameters
    marks = ["null" if value is None else "?" for value in parameters]
    kept = type(parameters)(value for value in parameters if value is not None)
    return "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True)), kept


def _login_timeout(url: URL) -> dict[int, Any]:
    """The driver's own is 15 seconds; it tries again until then."""
    return {_SQL_ATTR_LOGIN_TIMEOUT: int(str(url.query["login_timeout"]))} if "login_timeout" in url.query else {}


def _token(url: URL) -> dict[int, Any]:
    """A token of Entra ID, fetched as dbt-sqlserver does it."""
    from dbt.adapters.sqlserver.sqlserver_auth import get_pyodbc_attrs_before_credentials

    secret = str(url.password) if url.password else None
    credentials = SimpleNamespace(
        backend=PYODBC,
        authentication=str(url.query["authentication"]),
        tenant_id=url.query.get("tenant_id"),
        client_id=url.username,
        client_secret=secret,
        access_token=secret,
        access_token_expires_on=0,
        login_timeout=0,
    )
    return get_pyodbc_attrs_before_credentials(credentials)  # type: ignore[no-any-return]


def _either(fields: Mapping[str, Any], *names: str) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _plain(way: object) -> str:
    return str(way).replace("_", "").replace(" ", "").lower()


def _yes(value: object) -> str:
    """dbt takes a boolean; ODBC's own words (`strict`, `optional`) pass as they are."""
    text = str(value).lower()
    return {"true": "yes", "false": "no"}.get(text, text)


def _value(text: str | None) -> str:
    value = text or ""
    return (
        "{" + value.replace("}", "}}") + "}"
        if any(mark in value for mark in ";{}=") or value != value.strip()
        else value
    )
