"""Text files as people and programs write them: each value by a rule that is named, or refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.contracts import CsvFormat
from loader.errors import RefusedError
from loader.readers import open_table, text_body
from loader.readers.table import Batch, Fault, Remark, Table
from tests.conftest import Project
from tests.support.deliveries import people_rows, project_with_people, rejects, write_csv
from tests.support.effort import effort


def opened(path: Path, text: str | bytes, **words: object) -> Table:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_table(path, CsvFormat(type="csv", **words))  # type: ignore[arg-type]


def rows_of(batches: list[Batch]) -> dict[int, tuple[str, ...]]:
    """The cells by row in the file."""
    found = {}
    for batch in batches:
        cells = pa.table([*batch.cells], names=[str(at) for at in range(len(batch.cells))]).to_pylist()
        found |= {
            at: tuple(value or "" for value in row.values())
            for at, row in zip(batch.source_rows.to_pylist(), cells, strict=True)
        }
    return found


def test_a_reader_counts_what_it_leaves_out(tmp_path: Path) -> None:
    text = "id,v\na,1\n\n ,\nid,v \nb\nc,3\nTotal,4\n\nd,5\nend\n"
    table = opened(tmp_path / "a.csv", text, totals="^Total", skip_end=1)
    batches = [*table.batches]
    given = sum(len(batch.rows) for batch in batches)
    tally = table.tally
    assert tally.rows == 10 == given + tally.blank + tally.headers + tally.skipped
    assert (tally.blank, tally.headers, tally.skipped) == (3, 1, 1)
    assert [batch.totals for batch in batches] == [[8]]


@pytest.mark.parametrize("header", ["ID;PLZ", "PK;name", "PAR1;PAR2", "Rar!;x"])
def test_a_header_is_no_signature_of_another_kind_of_file(tmp_path: Path, header: str) -> None:
    table = opened(tmp_path / "a.csv", f"{header}\n1;2\n", delimiter=";")
    assert rows_of([*table.batches]) == {2: ("1", "2")}


def test_remarks_are_told_everywhere(new_project: Callable[..., Project]) -> None:
    project = project_with_people(new_project)
    rows = [[*row.values()] for row in people_rows(3)]
    header = [*people_rows(1)[0]]
    path = write_csv(project.landing / "people_2025-01.csv", [*rows[:1], header, *rows[1:]], header=header)
    assert "noted:     header again, left out (1)" in project.loader("plan", path).stdout
    result = project.loader("load", "--json")
    assert json.loads(result.stdout)["files"][0]["notes"] == {"header again, left out": 1}
    assert "; noted: header again, left out (1)" in json.loads(result.stdout)["files"][0]["message"]
    assert rejects(project, "people_2025-01_") == [("3", "", "", "header again, left out")]
    [(summary, listed)] = project.sql("select summary, rejects_path from meta.validation_log")
    assert json.loads(summary) == {"note: header again, left out": 1}
    assert listed is not None
    assert project.sql("select _source_row from stage.people order by 1") == [(2,), (4,), (5,)]


# --- torn rows --------------------------------------------------------------------------------------------------


def read(path: Path, text: str | bytes, **words: object) -> tuple[dict[int, tuple[str, ...]], dict[int, Fault]]:
    """The rows that are given, and what is at fault with others, by row in the file."""
    batches = [*opened(path, text, **words).batches]
    faults = {row.source_row: row.fault for batch in batches for row in batch.misshapen}
    return rows_of(batches), faults


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [4 << 20, 7])
def test_a_torn_row_is_set_aside_and_the_next_line_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, size: int
) -> None:
    monkeypatch.setattr(text_body, "LEAST", size)
    lines = ["id,v,w", '1,"open,x', '2,"b",y', '3,24",z', '4,"b" c,z', "", '5,"a ""b""",z', '6,"x', '7,q,"end"', '8,"']
    found, faults = read(tmp_path / "a.csv", ending.join(lines))
    assert found == {3: ("2", "b", "y"), 4: ("3", '24"', "z"), 7: ("5", 'a "b"', "z"), 9: ("7", "q", "end")}
    assert faults == dict.fromkeys((2, 5, 8, 10), Fault.QUOTES)


def test_the_line_of_a_torn_row_is_what_is_listed(tmp_path: Path) -> None:
    [batch] = opened(tmp_path / "a.csv", 'id,v\n1,"ä\n2,b\n').batches
    assert [(row.cells, row.shown) for row in batch.misshapen] == [(('1,"ä',), '1,"ä')]


def test_where_a_cell_holds_a_line_break_a_torn_row_refuses_the_file(tmp_path: Path) -> None:
    broken = 'id,v\n1,"a\nb"\n2,24"\n'
    assert read(tmp_path / "a.csv", broken) == ({2: ("1", "a\nb"), 3: ("2", '24"')}, {})
    for text in (f'{broken}3,"x\n', f'id,v\n0,"b"x\n{broken[5:]}'):
        with pytest.raises(RefusedError, match="its quotes do not match, so nobody can tell where it ends"):
            read(tmp_path / "a.csv", text)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('1,b,24"', None),
        ('1,7" x 5",c', None),
        ('1,shoes"great, dry"', Fault.DELIMITER),  # 3 cells either way
        ('1,shoes"great",c', None),  # with a delimiter there would be 4
        ('1, "b",c', Fault.DELIMITER),  # the blank is part of the cell, or is none
        ('1,b, "c', None),
        ('1,b,c"d', None),
        ('"1"2,b,c', Fault.QUOTES),
        ('1,"b",c"', None),
    ],
)
def test_a_quote_in_a_cell_is_a_letter_unless_a_delimiter_may_be_lost(
    tmp_path: Path, line: str, fault: Fault | None
) -> None:
    found, faults = read(tmp_path / "a.csv", f'id,v,w\n{line}\n9,"torn,x\n')
    assert faults.get(2) is fault
    assert (2 in found) is (fault is None)


LINE = st.text('ab,"', max_size=9)


@settings(deadline=None, max_examples=effort(100, 5000))
@given(st.lists(LINE, max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from([3, 5, 1 << 20]))
def test_any_lines_are_rows_or_rejected_or_the_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ending: str, size: int
) -> None:
    """Held against a reader that looks at each line by itself, and one that reads the file as a whole."""
    path = tmp_path_factory.mktemp("any") / "a.csv"
    text = ending.join(["id,v", *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_body, "LEAST", size)
        try:
            found, faults = read(path, text)
        except RefusedError:
            assert any(has_line_break(lines, at) for at in range(len(lines)))
            return
    try:
        whole = [*csv.reader(io.StringIO(text, newline=""), strict=True)][1:]
    except csv.Error:
        whole = None
    if whole is None or not any("\n" in cell for row in whole for cell in row):
        for at, line in enumerate(lines, start=2):
            cells = cells_of(line)
            if cells is None:
                assert faults[at] is Fault.QUOTES
            elif not any(cells):
                assert at not in {*found, *faults}
            elif at in found:
                assert found[at] == tuple(cells)
            else:
                assert faults[at] is (Fault.DELIMITER if len(cells) == 2 else Fault.CELLS)
    else:
        rows = {at: tuple(row) for at, row in enumerate(whole, start=2) if len(row) == 2 and "".join(row).strip()}
        assert found == rows


def cells_of(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return None


def has_line_break(lines: list[str], at: int) -> bool:
    """Whether a row that begins with this line goes on soundly over others."""
    for last in range(at + 2, len(lines) + 1):
        try:
            [*csv.reader(io.StringIO("\n".join(lines[at:last]), newline=""), strict=True)]
        except csv.Error:
            continue
        return cells_of(lines[at]) is None
    return False


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"1,b,c', ('"1', "b", "c")),
        ('1,"b,"c, d"', ("1", '"b', "c, d")),
        ('1,""b, c",d', ("1", '"b, c', "d")),
        ('1,"the "cat" sat, on",d', ("1", 'the "cat" sat, on', "d")),
        ('1,"5" Inseam, x",d', ("1", '5" Inseam, x', "d")),
        ('1,"5" Inseam",d', None),  # who knows whether the cell is in quotes
        ('1,b,"', ("1", "b", '"')),
        ('1,"a"b,c"d,e"', None),  # "a"b / c"d,e or "a"b,c / d,e
        ('1,"b","" c","d, e",f', None),  # cells within a cell
        ('1,shoes"great, dry"', None),
        ('1,"b"c, d"', ("1", '"b"c', ' d"')),
        ('1,"b"c', None),
    ],
)
def test_stray_quotes_are_kept_when_there_is_one_way_to_read_them(
    tmp_path: Path, line: str, cells: tuple[str, ...] | None
) -> None:
    batches = [*opened(tmp_path / "a.csv", f"id,v,w\n{line}\n", stray_quotes="keep").batches]
    assert rows_of(batches) == ({2: cells} if cells else {})
    noted = [(one.source_row, one.what, one.text) for batch in batches for one in batch.noted]
    assert noted == ([(2, Remark.QUOTES, line)] if cells else [])


# --- notation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ('id||v\n1||a|b\n2||"c||d"\n', {"delimiter": "||"}, {2: ("1", "a|b"), 3: ("2", "c||d")}),
        ('id¦v\n1¦ä\n2¦"c¦d"\n', {"delimiter": "¦"}, {2: ("1", "ä"), 3: ("2", "c¦d")}),
        ('id, v\n1, "a, b"\n2, c,d\n', {"delimiter": ", "}, {2: ("1", "a, b"), 3: ("2", "c,d")}),
        (
            'id,v\n1,"a \\"b\\" \\\\"\n2,c\\,d\n3,\\N\n"4\\"",C:\\new\n',
            {"escape": "\\"},
            {2: ("1", 'a "b" \\'), 3: ("2", "c,d"), 4: ("3", "\\N"), 5: ('4"', "C:\\new")},
        ),
        ("id||v\n1||a\\||b\n", {"delimiter": "||", "escape": "\\"}, {2: ("1", "a||b")}),
        ('# by "me\nid,v\n#x\n1,a\n# "\n2,#b\n', {"comment": "#"}, {4: ("1", "a"), 6: ("2", "#b")}),
        ('id,v\n1,"a\n#b"\n#c\n2,d\n', {"comment": "#"}, {2: ("1", "a\n#b"), 4: ("2", "d")}),
        ('id,v\n# don"t\n1,"a\n2,d\n', {"comment": "#"}, {4: ("2", "d")}),
        ("1,a\n2,\n\n3,c\n", {"header": "none"}, {1: ("1", "a"), 2: ("2", ""), 4: ("3", "c")}),
        ("sep=,\n1,a\nid,v\n2,b\n", {"header": "none"}, {2: ("1", "a"), 4: ("2", "b")}),
        ("\ufeff1,a\n2\n", {"header": "none"}, {1: ("1", "a")}),
        ("sep=;\nid;v\n1;a\n", {"delimiter": ";"}, {3: ("1", "a")}),
        ('\ufeff"sep=;"\r\nid;v\r\n1;a\r\n', {"delimiter": ";"}, {3: ("1", "a")}),
        ("id,v,\n1,a,\n2,,\n3,b\n4,c,d\n", {"trailing_delimiter": True}, {2: ("1", "a"), 3: ("2", "")}),
        ("id,v\n1,a,\n2,b\n", {"trailing_delimiter": True}, {2: ("1", "a")}),
        (
            "id,v,w\n1,a\n2,,c\n3\n\n,\n4,a,b,c\n",
            {"misshapen": "pad"},
            {2: ("1", "a", ""), 3: ("2", "", "c"), 4: ("3", "", "")},
        ),
        (
            'id,v\n="001",="a ""b"""\n"=""002""","=""x"\n=1,x="3"\n="4,5"\n',
            {"text_formulas": True},
            {2: ("001", 'a "b"'), 3: ("002", '="x'), 4: ("=1", 'x="3"'), 5: ('="4', '5"')},
        ),
    ],
)
def test_a_notation_that_a_contract_can_say(
    tmp_path: Path, text: str, words: dict[str, object], found: dict[int, tuple[str, ...]]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    table = open_table(path, CsvFormat(type="csv", **words), ["id", "v"])  # type: ignore[arg-type]
    assert rows_of([*table.batches]) == found


CELL = st.text('a|,"\\#=¦ \n', max_size=5)


@settings(deadline=None, max_examples=effort(100, 4000))
@given(
    st.lists(st.tuples(CELL, CELL), max_size=5),
    st.fixed_dictionaries(
        {
            "delimiter": st.sampled_from([",", "||", "¦", ", "]),
            "escape": st.sampled_from(["", "\\"]),
            "comment": st.sampled_from(["", "#"]),
            "trailing_delimiter": st.booleans(),
        }
    ),
    st.sampled_from([3, 1 << 20]),
)
def test_any_cells_come_back_in_any_notation(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], words: dict[str, Any], size: int
) -> None:
    """Every cell is written in quotes, with comments between the rows."""

    def quoted(cell: str) -> str:
        escape = words["escape"]
        body = cell.replace(escape, escape * 2).replace('"', f'{escape}"') if escape else cell.replace('"', '""')
        return f'"{body}"'

    end = words["delimiter"] if words["trailing_delimiter"] else ""
    remark = ['# 1" or 2'] if words["comment"] else []
    lines = [words["delimiter"].join(["id", "v"]) + end]
    for row in rows:
        lines += [*remark, words["delimiter"].join(map(quoted, row)) + end]
    path = tmp_path_factory.mktemp("any") / "a.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_body, "LEAST", size)
        found = rows_of([*opened(path, "\n".join(lines), **words).batches])
    assert [*found.values()] == [row for row in rows if "".join(row).strip()]


def test_padded_rows_are_listed_in_their_order(tmp_path: Path) -> None:
    batches = [*opened(tmp_path / "a.csv", "id,v,w\n1,a,b\n2,a\n3,a,b\n4\n", misshapen="pad").batches]
    assert [at for batch in batches for at in batch.source_rows.to_pylist()] == [2, 3, 4, 5]
    noted = [(one.source_row, one.what, one.text) for batch in batches for one in batch.noted]
    assert noted == [(3, Remark.PADDED, "2 cells"), (5, Remark.PADDED, "1 cells")]
    short = 'id,v,w\n1,a"b"\n'
    assert read(tmp_path / "a.csv", short) == ({}, {2: Fault.CELLS})
    assert read(tmp_path / "a.csv", short, misshapen="pad") == ({}, {2: Fault.DELIMITER})


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (
            "sep=,\nid;v\n1;a\n",
            {"delimiter": ";"},
            "its first line says that the delimiter is ',', the contract says ';'",
        ),
        ("id||v\n1||\x1f\n", {"delimiter": "||"}, "holds the control character U.001F"),
    ],
)
def test_a_notation_that_is_not_the_agreed_one(tmp_path: Path, text: str, words: dict[str, object], says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        read(tmp_path / "a.csv", text, **words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"escape": '"'}, "begin alike"),
        ({"delimiter": "||", "quote": "|"}, "begin alike"),
        ({"comment": ",x"}, "begin alike"),
        ({"delimiter": ' "'}, "holds the quote"),
        ({"delimiter": "\n"}, "cannot be the end of a line"),
        ({"quote": "»"}, "is not a character of ASCII"),
        ({"header": "none", "header_row": 2}, "belong to a file with a header"),
    ],
)
def test_a_notation_that_no_contract_can_say(words: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CsvFormat(type="csv", **words)  # type: ignore[arg-type]


# --- encodings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pull", [None, 5])
@pytest.mark.parametrize(
    ("content", "encoding", "likely"),
    [
        ("id,v\n1,ä€\n".encode(), "cp1252", "utf-8"),
        ("id,v\n1,Ä\n".encode(), "latin-1", "utf-8"),
        ("id,v\n1,“smart” €\n".encode("cp1252"), "latin-1", "cp1252"),
        ("id,v\n1,€ ä\n".encode("cp1250"), "iso8859-2", "cp1250"),
        ("id,v\n1,ä\n".encode("utf-8-sig"), "cp1252", "utf-8"),
        ("id,v\n1,a\n".encode("utf-16"), "utf-8", "utf-16"),
        ("id,v\n1,a\n".encode("utf-16"), "latin-1", "utf-16"),
        (b"\xfe\xff" + "id,v\n1,a\n".encode("utf-16-be"), "utf-16-le", "utf-16"),
        ("id,v\n1,ä\n".encode("latin-1"), "latin-1", None),
        ("id,v\n1,“ä”\n".encode("cp1252"), "cp1252", None),
        ("id,v\n1,Ã¼ and ü\n".encode("cp1252"), "cp1252", None),
        (b"id,v\n1,a\n", "cp1252", None),
        ("id,v\n1,ä\n".encode("utf-16-le"), "utf-16-le", None),
        ("id,v\n1,ä\n".encode("utf-8-sig"), "utf_8", None),
        ("id,v\n1,\u0085\n".encode(), "utf-8", None),
        ("id,v\n1,表\n".encode("shift_jis"), "shift_jis", None),
    ],
)
def test_a_text_in_another_encoding_is_told_the_likely_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, encoding: str, likely: str | None, pull: int | None
) -> None:
    if pull:
        monkeypatch.setattr(text_body, "LEAST", pull)
        monkeypatch.setattr(text_body, "MOST_ROW", 50)
    if likely:
        with pytest.raises(RefusedError, match=f"so that it is likely {likely}, not {encoding}"):
            read(tmp_path / "a.csv", content, encoding=encoding)
    else:
        found, _ = read(tmp_path / "a.csv", content, encoding=encoding)
        assert found == {2: tuple(content.decode(encoding).split("\n")[1].lstrip("\ufeff").split(","))}
