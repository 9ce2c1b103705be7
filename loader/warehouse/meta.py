"""The `meta` tables: who loaded what, when, with which result. Timestamps are UTC without zone.

The tables are made by the migrations; what stands here is how the loader reads and writes them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, Sequence, Table

from loader.warehouse.engines.types import Code, moment, words
from loader.warehouse.layers import META

REVISION = "0012"
"""The newest migration, after which the tables are as they stand here; known without importing Alembic."""
MOST_NAME = 255
"""Letters of the name of a file."""
MOST_PATH = 1024
"""Letters of a path."""
metadata = MetaData(schema=META)

file_ids = Sequence("file_id_seq", schema=META)
validation_ids = Sequence("validation_id_seq", schema=META)
load_ids = Sequence("load_id_seq", schema=META)
audit_ids = Sequence("audit_id_seq", schema=META)
event_ids = Sequence("event_id_seq", schema=META)


def _unknown(what: str) -> list[Column[Any]]:
    """The columns about the unknown keys of a delivery or a load."""
    return [
        Column(
            "unknown_keys", BigInteger, doc=f"Keys that only rejected rows have: unknown in this {what}, not absent."
        ),
        Column(
            "unreadable_keys",
            BigInteger,
            doc=f"Rejected rows whose key cannot be read. Above 0 the {what} is incomplete: keys that it does not "
            "state are unknown.",
        ),
        Column("unknown_path", words(1024), doc="Where the unknown keys are kept; empty when there are none."),
        Column("unknown_sha256", Code(64), doc="Hash of that file."),
    ]


ingestion_log = Table(
    "ingestion_log",
    metadata,
    Column(
        "file_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the file; a file that is looked at again keeps it.",
    ),
    Column("dataset", Code(63), doc="Dataset that its name tells; empty when it tells none."),
    Column("data_period", Code(16), doc="Period that its name or the file itself tells; empty when there is none."),
    Column(
        "file_name", words(MOST_NAME), nullable=False, doc="Name of the file, with the folders that the contract names."
    ),
    Column("file_path", words(MOST_PATH), nullable=False, doc="Where it lay when it was last looked at."),
    Column(
        "file_order",
        words(63),
        doc="What the named group `order` of the file name found: which of two deliveries is the later one.",
    ),
    Column("sha256", Code(64), doc="Hash of its bytes."),
    Column("size_bytes", BigInteger, doc="Its size."),
    Column("modified_at", moment(), doc="When the file was last written, by its file system."),
    Column("status", Code(16), nullable=False, doc="`ingested`, or `refused` for its name, form or header."),
    Column("message", words(), doc="Why it was refused."),
    Column("contract_fingerprint", Code(32), doc="Contract under which it was looked at."),
    Column("ingested_at", moment(), nullable=False, doc="When it was last looked at."),
    Column("run_id", Code(32), nullable=False, doc="Command that did it, as in etl_audit."),
    Column("purged_at", moment(), doc="When rows of it were purged last: it is not read again unless forced."),
    comment="Every file that was looked at, and whether its form matches. Grain: content of a file and period.",
)

period_within = Table(
    "period_within",
    metadata,
    Column("sha256", Code(64), primary_key=True, doc="Hash of the bytes of a delivery."),
    Column("dataset", Code(63), primary_key=True, doc="Dataset that its name tells."),
    Column("contract_fingerprint", Code(32), primary_key=True, doc="Contract that says where the period stands."),
    Column("reader_revision", Integer, primary_key=True, autoincrement=False, doc="Revision of the reader."),
    Column("data_period", Code(16), doc="The period that stands there; empty when none does."),
    Column("message", words(), doc="Why none is found, in words that follow the name of the file."),
    comment="The periods that stand within deliveries, so that a file is opened once. Grain: content of a file, "
    "dataset, contract and reader.",
)

validation_log = Table(
    "validation_log",
    metadata,
    Column("validation_id", BigInteger, primary_key=True, autoincrement=False, doc="Number of the row, only grows."),
    Column("file_id", BigInteger, doc="File that was validated; empty for gates of a layer."),
    Column(
        "gate",
        Code(16),
        nullable=False,
        doc="`contract` for the validation of a delivery, else the layer: `stage`, `core`, `mart`.",
    ),
    Column("table_name", Code(63), nullable=False, doc="Table that was asked, without its schema."),
    Column("status", Code(16), nullable=False, doc="`passed` or `refused`."),
    Column("checks", Integer, doc="Checks of the suite."),
    Column("failed", Integer, doc="Checks that do not hold."),
    Column("rows_read", BigInteger, doc="Rows of the file."),
    Column("rows_valid", BigInteger, doc="Rows that go to stage."),
    Column("rows_rejected", BigInteger, doc="Rows that are left out because they are invalid."),
    Column("parquet_path", words(1024), doc="The cleaned rows, below the folder of the archive."),
    Column("parquet_sha256", Code(64), doc="Hash of that file."),
    Column(
        "rejects_path",
        words(1024),
        doc="The rejected cells, below the folder of rejects; empty when there are none.",
    ),
    Column(
        "summary",
        words(),
        doc="JSON: of a delivery, invalid cells by rule, and remarks (`note: …`); of a gate, what each failed check "
        "found. No personal values.",
    ),
    Column("message", words(), doc="Why a delivery was refused."),
    Column("contract_fingerprint", Code(32), doc="Contract under which it was validated."),
    Column("reader_revision", Integer, doc="Revision of the reader that read it; empty before there was one."),
    Column("validated_at", moment(), nullable=False, doc="When."),
    Column("run_id", Code(32), nullable=False, doc="Command that did it, as in etl_audit."),
    Column(
        "conditions",
        Code(64),
        doc="Hash of what else the result hangs on, the stage suite and versions of packages: a load that was killed "
        "is taken up from here while that is the same. Empty when it has to be validated anew.",
    ),
    Column("rows_dropped", BigInteger, doc="Rows that are left out because another row with their key was taken."),
    *_unknown("delivery"),
    comment="Every validation of a delivery, and every run of a gate. Grain: run of a gate and table.",
)

dataset_version = Table(
    "dataset_version",
    metadata,
    Column(
        "load_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the load, only grows. A rollback makes an earlier load active under its old number.",
    ),
    Column("dataset", Code(63), nullable=False, doc="Dataset of the load."),
    Column("data_period", Code(16), nullable=False, doc="Short name of the period, e.g. 2025-06."),
    Column("period_start", moment(), nullable=False, doc="First moment of the period."),
    Column("period_end", moment(), nullable=False, doc="First moment after the period."),
    Column("version_no", Integer, nullable=False, doc="Number of the load within its period."),
    Column("file_id", BigInteger, nullable=False, doc="File of the load in ingestion_log."),
    Column("parquet_path", words(1024), nullable=False, doc="Where the load's rows are kept."),
    Column("parquet_sha256", Code(64), nullable=False, doc="Hash of that file."),
    Column("contract_fingerprint", Code(32), nullable=False, doc="Contract under which the file was read."),
    Column(
        "reader_revision",
        Integer,
        doc="Revision of the reader that gives these values: of the one that read the file, or of a later one that was "
        "found to read the same. Empty for loads of before there was one.",
    ),
    Column("row_count", BigInteger, nullable=False, doc="Rows of the load."),
    Column(
        "state",
        Code(16),
        nullable=False,
        doc="`active`, `superseded` by a later load of the period, `rolled_back`, `reset` with its dataset, so that "
        "its file is new again, or `purged` for good.",
    ),
    Column("loaded_at", moment(), nullable=False, doc="When the load was made (UTC)."),
    Column("state_changed_at", moment(), nullable=False, doc="When its state last changed (UTC)."),
    *_unknown("load"),
    Column("accepted_contract", Code(32), doc="Contract under which somebody accepted the values as they are."),
    Column("accepted_reader", Integer, doc="Revision of the reader at that time."),
    Column("parquet_bytes", BigInteger, doc="Size of the file of its rows; empty for loads of before it was kept."),
    Column("unknown_bytes", BigInteger, doc="Size of the file of its unknown keys."),
    comment="Every load of every period. Grain: load. The delivered periods of a dataset are its rows in state "
    "`active`, at most one for each period.",
)

version_event = Table(
    "version_event",
    metadata,
    Column(
        "event_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the event. Of two events of a dataset, the later one has the higher number.",
    ),
    Column(
        "happened_at",
        moment(),
        nullable=False,
        doc="When (UTC): one moment for all that a transaction changed, never before that of an earlier event of the "
        "dataset.",
    ),
    Column("run_id", Code(32), doc="Command that did it, as in etl_audit; empty when that is not known."),
    Column(
        "step",
        Code(32),
        nullable=False,
        doc="What did it: `load-stage`, `rollback`, `purge` or `reset`, as in etl_audit; or `reconstructed`: a "
        "migration worked it out from what dataset_version still told. States in between are not known then.",
    ),
    Column("dataset", Code(63), nullable=False, doc="Dataset of the load."),
    Column("data_period", Code(16), nullable=False, doc="Period of the load."),
    Column("load_id", BigInteger, nullable=False, doc="Load whose state or rows changed, as in dataset_version."),
    Column(
        "state",
        Code(16),
        nullable=False,
        doc="What became of it: `active`, `superseded`, `rolled_back`, `reset` or `purged`, as in dataset_version; the "
        "same as before when a purge removed some of its rows.",
    ),
    Column("row_count", BigInteger, doc="Rows of the load from then on; empty when that is not known."),
    comment="Every change of every load: rows are added, never changed. The last event of each load up to a moment "
    "tells its state at that moment. Grain: load and transaction that changed it.",
)

etl_audit = Table(
    "etl_audit",
    metadata,
    Column("audit_id", BigInteger, primary_key=True, autoincrement=False, doc="Number of the step, only grows."),
    Column("run_id", Code(32), nullable=False, doc="The command; all its steps share it."),
    Column(
        "step",
        Code(32),
        nullable=False,
        doc="`ingest`, `validate`, `gate`, `load-stage`, `load`, `rollback`, `accept`, `reset`, `purge`, `rewrite` or "
        "`build`.",
    ),
    Column("dataset", Code(63), doc="Dataset of the step, if it has one."),
    Column("data_period", Code(16), doc="Period of the step, if it has one."),
    Column(
        "subject",
        words(1024),
        doc="What it was about: the name of the file, the layer, or what was purged, in numbers.",
    ),
    Column(
        "status",
        Code(16),
        nullable=False,
        doc="`running`, `done`, `refused` (the data was at fault), `failed`, or `interrupted` (its process is gone).",
    ),
    Column("started_at", moment(), nullable=False, doc="When it began."),
    Column("ended_at", moment(), doc="When it ended; of an interrupted step, when that was noticed."),
    Column("duration_seconds", Float, doc="How long it took."),
    Column("rows_in", BigInteger, doc="Rows that went in."),
    Column("rows_out", BigInteger, doc="Rows that came out."),
    Column("error", words(), doc="What was said of its end, if it did not end well. No personal values."),
    Column("host", words(255), doc="Machine on which it ran."),
    Column("pid", Integer, doc="Process that ran it."),
    comment="Every step of every command, with its end, however it ended. Grain: step.",
)
ends_of_audit = ("status", "ended_at", "duration_seconds", "rows_in", "rows_out", "error")
"""The columns of a step that its end fills in; all others stay as they were written."""

build_mark = Table(
    "build_mark",
    metadata,
    Column("mark_id", Integer, primary_key=True, autoincrement=False, doc="1: there is one row."),
    Column(
        "token", Code(32), nullable=False, doc="The build that wrote or will write the mark; `none` when there is none."
    ),
    Column("target", words(255), doc="Target of profiles.yml that was built."),
    Column(
        "inputs",
        words(),
        doc="JSON: a hash of each thing that the build was made of. Empty while there is no mark.",
    ),
    Column("warnings", words(), doc="JSON: what dbt warned of in that build."),
    Column("built_at", moment(), doc="When it ended."),
    comment="The mark of the last complete build: `loader run` builds nothing while all that it was made of is the "
    "same. It is taken away before anything is changed. Grain: the warehouse.",
)

gate_pass = Table(
    "gate_pass",
    metadata,
    Column("layer", Code(16), primary_key=True, doc="`stage`, `core` or `mart`."),
    Column("table_name", Code(127), primary_key=True, doc="Table that was asked, without its schema."),
    Column("state", Code(64), nullable=False, doc="Hash of all that the table and its suite were made of."),
    Column("passed_at", moment(), nullable=False, doc="When its suite passed last."),
    comment="The tables whose gate has passed in a build: it is left out while their state is the same. Grain: table.",
)


def now() -> dt.datetime:
    """The time to record: UTC, without zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
