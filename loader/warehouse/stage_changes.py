"""What is to be done to a stage table so that it matches its contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column, Connection, Dialect, Table, literal, select, table, text
from sqlalchemy import column as sql_column
from sqlalchemy.schema import DropTable

from loader.contracts import ColumnType, Contract, may_become
from loader.errors import UsageError
from loader.warehouse.engines.base import Engine
from loader.warehouse.layers import CORE, STAGE
from loader.warehouse.ledger import applied_load, consumers
from loader.warehouse.meta import dataset_version
from loader.warehouse.stage_table import create_statements, stage_tables
from loader.warehouse.versions import State


@dataclass(frozen=True)
class StageChange:
    """Statements that bring a stage table up to date, and each in words."""

    statements: Sequence[str]
    descriptions: Sequence[str]


def stage_changes(connection: Connection, contracts: Iterable[Contract], engine: Engine) -> Iterator[StageChange]:
    """What is to be done to each stage table so that it matches its contract; all are looked at before the first.

    Raises:
        UsageError: a contract changed in a way that would lose data, or its grain did.
    """
    loaded, tables = _loaded(connection), _tables(connection, STAGE)
    for contract in contracts:
        _refuse_other_grain(contract, loaded[contract.name])
        changes = [
            _table_change(connection, contract, one, engine, tables.get(one.name, {}))
            for one in stage_tables(contract, engine)
        ]
        # what comes with a stage table follows it, and is told of only when it changes alone
        descriptions = next((change.descriptions for change in changes if change.descriptions), ())
        yield StageChange([statement for change in changes for statement in change.statements], descriptions)


def stage_tables_there(connection: Connection, contract: Contract, engine: Engine) -> list[str]:
    """Names of the tables of a dataset in stage that there are, whatever their columns."""
    there = _tables(connection, STAGE)
    return [one.name for one in stage_tables(contract, engine) if one.name in there]


def _table_change(
    connection: Connection, contract: Contract, wanted: Table, engine: Engine, found: Mapping[str, Any]
) -> StageChange:
    dialect = connection.dialect
    if not found:
        return StageChange(create_statements(wanted, dialect), [f"stage.{wanted.name}: created"])
    is_empty: bool | None = None
    statements, descriptions = [], []
    for column in wanted.columns:
        name, place = column.name, f"stage.{wanted.name}: column {column.name}"
        if name not in found:
            statements.append(_added(column, dialect))
            descriptions.append(f"{place} added")
            continue
        was, is_now = _declared_in(found[name], engine), _declared_of(column, engine)
        if _is_same(was, is_now):
            continue
        _refuse_hindered(connection, engine, wanted.name, name, is_now)
        # T-SQL would let go of NOT NULL; a period gets another name only while nothing is loaded
        if column.nullable and may_become(was, is_now, is_key=name in contract.key):
            statements.append(_widened(column, dialect))
            descriptions.append(f"{place} widened to {is_now}")
            continue
        if is_empty is None:
            is_empty = not _has_values(connection, contract, wanted.name)
        if is_empty:
            dropped = str(DropTable(wanted).compile(dialect=dialect)).strip()
            what = f"stage.{wanted.name}: created anew, for {name} is {is_now} now; it had no rows"
            return StageChange([dropped, *create_statements(wanted, dialect)], [what])
        if _has_values(connection, contract, wanted.name, name):
            raise _refusal(contract, wanted.name, name, was, is_now)
        statements += [_dropped(column, dialect), _added(column, dialect)]
        descriptions.append(f"{place} is {is_now} now; it had no values")
    return StageChange(statements, descriptions)


def _added(column: Column[Any], dialect: Dialect) -> str:
    from alembic.ddl.base import AddColumn

    return str(AddColumn(column.table.name, column, schema=STAGE).compile(dialect=dialect))


def _dropped(column: Column[Any], dialect: Dialect) -> str:
    from alembic.ddl.base import DropColumn

    return str(DropColumn(column.table.name, column, schema=STAGE).compile(dialect=dialect))


def _widened(column: Column[Any], dialect: Dialect) -> str:
    from alembic.ddl.base import ColumnType as NewType

    return str(NewType(column.table.name, column.name, column.type, schema=STAGE).compile(dialect=dialect))


def _tables(connection: Connection, schema: str) -> dict[str, dict[str, Any]]:
    """Of each table of a schema the types of its columns, by name."""
    query = text(
        "select TABLE_NAME as table_name, COLUMN_NAME as column_name, DATA_TYPE as data_type, "
        "CHARACTER_MAXIMUM_LENGTH as length, NUMERIC_PRECISION as numeric_precision, NUMERIC_SCALE as numeric_scale "
        "from INFORMATION_SCHEMA.COLUMNS where TABLE_SCHEMA = :schema"
    )
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(query, {"schema": schema}):
        found[row.table_name][row.column_name] = row
    return dict(found)


def _declared_in(found: Any, engine: Engine) -> ColumnType:
    """The type of a column as a contract would say it, of what the catalog says."""
    return _declared(_kind(found.data_type, engine), found.length, found.numeric_precision, found.numeric_scale)


def _declared_of(column: Column[Any], engine: Engine) -> ColumnType:
    """The same of a column that is wanted."""
    wanted = cast("Any", column.type)
    kind = _kind(wanted.compile(dialect=engine.dialect()), engine)
    sizes = (getattr(wanted, name, None) for name in ("length", "precision", "scale"))
    return _declared(kind, *sizes)


def _declared(kind: str, length: int | None, precision: int | None, scale: int | None) -> ColumnType:
    """Without validation: a type that somebody else gave a column may be none of a contract."""
    if kind == "varchar":
        return ColumnType.model_construct(name="varchar", length=length)
    if kind == "decimal":
        return ColumnType.model_construct(name="decimal", precision=precision, scale=scale)
    return ColumnType.model_construct(name=cast("Any", kind))


def _is_same(was: ColumnType, is_now: ColumnType) -> bool:
    """DuckDB's texts have no length, so that there is nothing to change."""
    return was == is_now or (was.name == is_now.name == "varchar" and None in (was.length, is_now.length))


def _kind(declared: str, engine: Engine) -> str:
    """The contract's word for a type, as the catalog or the DDL of an engine has it."""
    plain = declared.lower().partition("(")[0].strip()
    return engine.type_words.get(plain, plain)


def _has_values(connection: Connection, contract: Contract, stage: str, name: str | None = None) -> bool:
    """Whether stage or core holds a row of the dataset; or a value in a column, when one is named."""
    histories = consumers(connection, applied_load.c.dataset == contract.name)
    places = [(STAGE, stage), *((CORE, one.split(".", 1)[1]) for one in histories if one.startswith(f"{CORE}."))]
    for schema, place in places:
        if name is not None and name not in _tables(connection, schema).get(place, {}):
            continue
        rows = select(literal(1)).select_from(table(place, schema=schema)).limit(1)
        if name is not None:
            rows = rows.where(sql_column(name).is_not(None))
        if connection.execute(rows).first() is not None:
            return True
    return False


def _refuse_hindered(connection: Connection, engine: Engine, stage: str, column: str, wanted: ColumnType) -> None:
    views = engine.views_on(connection, f"{STAGE}.{stage}", column)
    if views:
        raise UsageError(
            f"stage.{stage}.{column} becomes {wanted}, which a view on it hinders ({', '.join(views)}): drop what "
            "is named, run the same command again, then make it again"
        )


def _refusal(contract: Contract, stage: str, column: str, was: ColumnType, wanted: ColumnType) -> UsageError:
    what = f"stage.{stage}.{column} is {was} and the contract says {wanted}"
    anew = f"start the dataset again: loader reset --dataset {contract.name}"
    if may_become(was, wanted):
        return UsageError(
            f"{what}, which changes the text of a key, and so all of its history: keep the type, or {anew}"
        )
    rename = "give the column a new name in the contract and load its periods again with --force"
    ways = ["keep the type", *([] if column in contract.key else [rename]), anew]
    return UsageError(f"{what}, which could lose data: {', '.join(ways[:-1])}, or {ways[-1]}")


def _loaded(connection: Connection) -> defaultdict[str, list[Any]]:
    """The periods of each dataset that were ever loaded, and as what."""
    version = dataset_version.c
    loaded = select(version.dataset, version.data_period, version.period_start, version.period_end, version.state)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(loaded.distinct().order_by(version.data_period)):
        found[row.dataset].append(row)
    return found


def _refuse_other_grain(contract: Contract, loaded: Iterable[Any]) -> None:
    """Kind, key and grain are fixed for the life of a dataset; the names of its periods show the grain."""
    for row in loaded:
        try:
            period = contract.period(row.data_period)
        except ValueError:
            raise UsageError(
                f"{contract.name}: grain '{contract.grain}' does not match the loaded period {row.data_period}; the "
                "grain of a dataset never changes: give the new grain a dataset of its own"
            ) from None
        is_kept = row.state not in (State.RESET, State.PURGED)
        if is_kept and (period.start, period.end) != (row.period_start, row.period_end):
            raise UsageError(
                f"{contract.name}: the period {period} was loaded as {row.period_start:%Y-%m-%d %H:%M} to "
                f"{row.period_end:%Y-%m-%d %H:%M}, and the contract now has another calendar; keep the one that it "
                f"had, or `loader reset --dataset {contract.name}` and load its files again"
            )
