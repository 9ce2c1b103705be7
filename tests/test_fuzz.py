"""Deliveries damaged at random: each is refused in one line or loaded as a whole, and nothing is left behind.

`FUZZ_SECONDS=600 pytest tests/test_fuzz.py` goes on for ten minutes; a failure names the FUZZ_SEED that repeats it.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import re
import time
import zipfile
from collections.abc import Callable

from loader.readers.table import BLANKS
from tests.broken.cases import CONTRACTS, people_file
from tests.conftest import Project
from tests.support.deliveries import files_below
from tests.support.effort import effort
from tests.support.shop import open_shop, prepared

SECONDS = float(os.environ.get("FUZZ_SECONDS", effort(4, 600)))
ROUND = 12
"""Deliveries of one `loader load`."""
EXTENSIONS = ("csv", "csv", "csv.gz", "txt", "xlsx", "xlsx", "xlsm", "xlsb", "xls", "ods")
FORGIVING = CONTRACTS.replace("{action: reject_file}", "{action: reject_rows, max_share: 0.9}").replace(
    "{ended: 0.5, changed: 0.5}", "{ended: 1, changed: 1}"
)
WORDS = [
    b'"', b'""', b",", b";", b"\n", b"\r", b"\r\n", b"\0", b"'", b" ", b"\t", b"\x1a", b"\x1b[2J", b"=cmd", b"#REF!",
    b"1e999999999", b"1e-999999999", b"NaN", b"9" * 40, b"31.02.1988", b"00.00.0000", b"2958466", b"-1", b"\xff",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc3", b"<", b"&", b"]]>", b"</c>", b"<c", b"a" * 300, b"0001", b"Total",
]  # fmt: skip
NUMBERS = [b"0", b"-1", b"1", b"255", b"65536", b"16385", b"1048577", b"2147483648", b"4294967296", b"1" * 25, b""]


def damaged(extension: str, chance: random.Random) -> bytes:
    """A good delivery, damaged in one place or a few."""
    whole = people_file(extension)
    if extension == "csv.gz" and chance.random() < 0.6:
        return gzip.compress(struck(gzip.decompress(whole), chance))
    if whole.startswith(b"PK") and chance.random() < 0.8:
        return with_struck_member(whole, chance)
    return struck(whole, chance)


def with_struck_member(whole: bytes, chance: random.Random) -> bytes:
    """An archive with a member damaged, missing, twice, or under another name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        names = source.namelist()
        weights = [1 + 9 * ("sheet1" in name or name == "content.xml") for name in names]
        [hit] = chance.choices(names, weights)
        way = chance.randrange(12)
        for name in names:
            content = source.read(name)
            if name != hit or way:
                target.writestr(
                    name if name != hit or way != 1 else f"{name}x", content if name != hit else struck(content, chance)
                )
            if name == hit and way == 2:
                target.writestr(f"{name}/{name}", content)
    return stream.getvalue()


def struck(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        content = chance.choice(BLOWS)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> tuple[int, int]:
    at = chance.randrange(len(content) + 1)
    return at, at + chance.choice((1, 1, 2, 4, 16, 200))


def flip(content: bytes, chance: random.Random) -> bytes:
    at, end = _place(content, chance)
    return content[:at] + bytes(byte ^ 1 << chance.randrange(8) for byte in content[at:end]) + content[end:]


def replace(content: bytes, chance: random.Random) -> bytes:
    at, end = _place(content, chance)
    return content[:at] + chance.randbytes(len(content[at:end])) + content[end:]


def cut_out(content: bytes, chance: random.Random) -> bytes:
    at, end = _place(content, chance)
    return content[:at] + content[end:]


def double(content: bytes, chance: random.Random) -> bytes:
    at, end = _place(content, chance)
    return content[:end] + content[at:]


def cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)[0]]


def insert_word(content: bytes, chance: random.Random) -> bytes:
    at, _ = _place(content, chance)
    return content[:at] + chance.choice(WORDS) + content[at:]


def change_number(content: bytes, chance: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", content))
    if not numbers:
        return content
    at = chance.choice(numbers)
    return content[: at.start()] + chance.choice(NUMBERS) + content[at.end() :]


def change_tag(content: bytes, chance: random.Random) -> bytes:
    tags = list(re.finditer(rb"<[^<>]{1,200}>|[^\n]*\n", content))
    if not tags:
        return content
    one, other = chance.choice(tags), chance.choice(tags)
    return content[: one.start()] + chance.choice((b"", one[0] * 2, other[0])) + content[one.end() :]


BLOWS = (flip, replace, cut_out, double, cut_off, insert_word, insert_word, change_number, change_tag)


def open_register(project: Project) -> Project:
    return open_shop(project, FORGIVING)


def test_deliveries_damaged_at_random(new_project: Callable[..., Project]) -> None:
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(10**6)))
    project = prepared(new_project, "duckdb", open_register)
    until = time.monotonic() + SECONDS
    number = loaded = 0
    while number == 0 or time.monotonic() < until:
        deliveries: dict[str, bytes] = {}
        for _ in range(ROUND):
            chance = random.Random(f"{seed} {number}")
            extension = chance.choice(EXTENSIONS)
            dataset = {"csv": "text", "csv.gz": "text", "txt": "wide"}.get(extension, "book")
            name = f"{dataset}_{2000 + number // 12}-{1 + number % 12:02}.{extension}"
            deliveries[name] = damaged(extension, chance)
            number += 1
        context = f"FUZZ_SEED={seed}, deliveries {number - ROUND} to {number - 1} in {project.landing}"
        loaded += load_round(project, deliveries, context)
    print(f"FUZZ_SEED={seed}: {number} deliveries, {loaded} loaded, {number - loaded} refused")


def load_round(project: Project, deliveries: dict[str, bytes], context: str) -> int:
    """Load deliveries at once, and check what is said and what is there; returns how many were loaded."""
    for path in project.landing.iterdir():
        path.unlink()
    for name, content in deliveries.items():
        (project.landing / name).write_bytes(content)
    result = project.loader("load")
    *lines, closing = sorted(result.output.splitlines(), key=lambda line: line[:1].isdecimal())
    assert len(lines) == len(deliveries), f"{context}\n{result.output}"
    assert "cannot be processed" not in result.output, f"{context}\n{result.output}"
    rows: dict[str, int] = {}
    for name, content in deliveries.items():
        [line] = [line for line in lines if name in line]
        found = re.match(r"loaded     (\w+ \S+)  ([\d,]+) rows from ", line)
        assert found or line.startswith(f"refused    {name}"), f"{context}\n{line}"
        if found:
            rejected = re.search(r"; ([\d,]+) rejected: ", line)
            read = int(found[2].replace(",", "")) + (int(rejected[1].replace(",", "")) if rejected else 0)
            assert read == rows_in(name, content, read), context
            rows[found[1].replace(" ", "_")] = int(found[2].replace(",", ""))
    refused = len(deliveries) - len(rows)
    assert result.exit_code == (1 if refused else 0), context
    assert closing.startswith(f"{len(rows)} loaded, {refused} refused, 0 unchanged; {sum(rows.values()):,} rows in"), (
        context
    )
    assert_nothing_else(project, {name.partition(".")[0] for name in deliveries}, rows, context)
    return len(rows)


def rows_in(name: str, content: bytes, read: int) -> int:
    """The rows of a text file by another reader; of a workbook, as many as were read."""
    if name.startswith("book"):
        return read
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode(
        "utf-16" if ".txt" in name else "utf-8-sig"
    )
    try:
        rows = [*csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error:  # torn rows, and no cell with a line break: else it would not have been loaded
        rows = [next(csv.reader([line]), []) for line in re.split("\r\n|\n|\r", text)]
    header, *rows = [[cell.strip(BLANKS) for cell in row] for row in rows]
    return sum(any(row) and row != header for row in rows)


def assert_nothing_else(project: Project, asked: set[str], rows: dict[str, int], context: str) -> None:
    """The warehouse and the archive hold what was loaded, and no more."""
    tables = " union all ".join(
        f"select '{name}' as d, _data_period as p from stage.{name}" for name in ("text", "wide", "book")
    )
    staged = dict(project.sql(f"select concat(d, '_', p), count(*) from ({tables}) as s group by concat(d, '_', p)"))
    assert {name: count for name, count in staged.items() if name in asked} == {n: c for n, c in rows.items() if c}, (
        context
    )
    versions = project.sql(
        "select concat(dataset, '_', data_period), row_count, parquet_path, unknown_path from meta.dataset_version"
    )
    assert {name: count for name, count, *_ in versions if name in asked} == rows, context
    assert files_below(project.root / "data/stage/cleaned") == sorted(
        path for *_, rows_of, unknown in versions for path in (rows_of, unknown) if path
    ), context
    strange = [
        name for name in files_below(project.root / "data/stage/rejects") if not name.endswith((".csv", ".xlsx"))
    ]
    assert strange == [], context
