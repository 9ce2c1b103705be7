"""How a text file is written is found out, or what else it could be is told."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.codegen.text_form import TextForm, text_form
from loader.contracts import CsvFormat

WORDS = st.text("abcdefghiklmnoprstuvwäöé", min_size=1, max_size=8)
PROSE = st.lists(WORDS, min_size=2, max_size=5).map(", ".join)
CELLS = (
    WORDS,
    st.integers(-9999, 99999).map(str),
    st.decimals(0, 999, places=2).map(str),
    st.dates().map(str),
    st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d %H:%M}"),
    PROSE,
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header of words and rows of one kind of cell for each column, some of them empty."""
    columns = draw(st.lists(st.sampled_from(CELLS), min_size=2, max_size=6))
    header = draw(st.lists(WORDS, min_size=len(columns), max_size=len(columns), unique=True))
    rows = st.tuples(*(st.one_of(cell, cell, cell, st.just("")) for cell in columns))
    return [header, *map(list, draw(st.lists(rows, min_size=4, max_size=12)))]


def written(rows: list[list[str]], delimiter: str = ",", quote: str = '"', quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


@given(tables(), st.sampled_from(",;\t|"), st.sampled_from("\"'"), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_a_program_writes_is_found(rows: list[list[str]], delimiter: str, quote: str, quoting: int) -> None:
    text = written(rows, delimiter, quote, quoting)
    form = text_form(text.encode())
    assert form.delimiter == delimiter
    assert form.encoding == "utf-8"
    assert form.quote == (quote if quote in text else '"')
    width = len(rows[0])
    assert form.evidence["delimiter"] == f"splits {len(rows)} of {len(rows)} rows into {width} cells"


@given(st.binary(max_size=300) | st.text(",;\t|\"'#= \\\r\nab1", max_size=200).map(str.encode))
def test_any_bytes_have_a_form_that_a_contract_can_say(raw: bytes) -> None:
    form = text_form(raw)
    assert form.format() == CsvFormat.model_validate(form.format().model_dump())


def words(form: TextForm) -> dict[str, object]:
    """What is said that is not the default."""
    default = TextForm()
    names = ("encoding", "delimiter", "quote", "escape", "comment", "trailing_delimiter", "text_formulas")
    return {name: getattr(form, name) for name in names if getattr(form, name) != getattr(default, name)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,name\n1,Ann\n2,Bob\n", {}),
        ("name\nAnn\nBob\n", {}),
        ("", {}),
        ("opens\n10:15\n10:30\n10:45\n", {}),
        ("full name\nAnn Miller\nBob Smith\nEve Jones\n", {}),
        ("file\nC:\\a.txt\nC:\\b.txt\nC:\\c.txt\n", {}),
        ("id:name\n1:Ann\n2:Bob\n3:Eve\n", {"delimiter": ":"}),
        ("x y z\n1 2 3\n4 5 6\n7 8 9\n", {"delimiter": " "}),
        ("Population, in thousands; by year\n\nyear;men;women\n2024;1,5;2,5\n2025;1,6;2,6\n", {"delimiter": ";"}),
        ("sep=;\nid;note\n1;a, b, c\n", {"delimiter": ";"}),
        ("sep=|\nid\n1\n", {"delimiter": "|"}),
        ("a\tb\tx\t1,2,3\tc\nd\te\ty\t7,8\tf\n", {"delimiter": "\t"}),
        ("id||name||city\n1||Ann||Rome\n2||||Oslo\n3||Eve||Bern\n", {"delimiter": "||"}),
        ("id|~|name\n1|~|Ann\n2|~|Bob\n3|~|Eve\n", {"delimiter": "|~|"}),
        ("id;name;\n1;Ann;\n2;Bob;\n", {"delimiter": ";", "trailing_delimiter": True}),
        ("id;name\n1;Ann;\n2;Bob;\n", {"delimiter": ";", "trailing_delimiter": True}),
        ("id;name;left\n1;Ann;\n2;Bob;\n", {"delimiter": ";"}),
        ("# made by hand\nid,name\n1,Ann\n# 2 is missing\n3,Eve\n", {"comment": "#"}),
        ("#id,name\n1,Ann\n2,Bob\n", {}),
        ('id,note\n1,"a \\"b\\", c"\n2,"d"\n3,"e, \\"f\\""\n', {"escape": "\\"}),
        ('id,path\n1,"C:\\"\n2,"D:\\"\n3,"E:\\"\n', {}),
        ("id,name\n1,'Ann, the first'\n2,'Bob'\n", {"quote": "'"}),
        ("code,name\n'0012,Ann\n'0013,Bob\n'0014,Eve\n", {}),
        ("id,name\n1,O'Hara\n2,d'Arc\n", {}),
        ('id,size\n1,24"\n2,17"\n', {}),
        ('id,code\n1,="0012"\n2,="0013"\n', {"text_formulas": True}),
        ("at,value\n2025-01-31 10:15:00,1.5\n2025-01-31 10:30:00,1.7\n2025-01-31 10:45:00,1.9\n", {}),
    ],
)
def test_signs_are_found(text: str, found: dict[str, object]) -> None:
    form = text_form(text.encode())
    assert words(form) == found
    assert set(found) <= {*form.evidence}


@pytest.mark.parametrize(
    ("text", "rival"),
    [
        ("a,b|c\nd,e|f\ng,h|k\n", "delimiter: ',' splits 3 of 3 rows into 2 cells"),
        ("id,name\n1,Ann\n#2,Bob\n3,Eve\n", "comment: 1 of 1 row with # in front have as many cells as others"),
        (
            "id     size\n1        24\n2       100\n3         7\n",
            "delimiter: cells stand below each other with several",
        ),
        (
            "Lists: first, second and third.\nThe first\n(see below),\nas you know.\nAnn\n",
            "delimiter: nothing gives rows",
        ),
        ('id, name\n1, "Ann, A."\n2, "Bob, B."\n', "quote: a blank stands before 2 of them, which no reader takes"),
    ],
)
def test_what_comes_close_is_told(text: str, rival: str) -> None:
    [(word, told)] = text_form(text.encode()).rivals.items()
    assert f"{word}: {told}".startswith(rival)


GERMAN = "id;größe;straße\n1;kürzer;Käsweg\n2;länger;Öhrstraße\n"
POLISH = "id;miasto;ulica\n1;Łódź;Świętego Jańa\n2;Kraków;Źródlana\n3;Gdańsk;Żółta\n"
RUSSIAN = "код;город;улица\n1;Москва;Тверская\n2;Казань;Баумана\n3;Тула;Ленина\n"


@pytest.mark.parametrize(
    ("text", "written_in", "encoding"),
    [
        (GERMAN, "utf-8", "utf-8"),
        (GERMAN, "utf-8-sig", "utf-8"),
        (GERMAN, "utf-16", "utf-16"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-32", "utf-32"),
        (GERMAN, "latin-1", "cp1252"),  # the same letters, and more
        (GERMAN.replace("ü", "€"), "cp1252", "cp1252"),
        (POLISH, "cp1250", "cp1250"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN * 300 + "€", "utf-8", "utf-8"),
    ],
)
def test_encodings_are_found(tmp_path: Path, text: str, written_in: str, encoding: str) -> None:
    path = tmp_path / "things.csv.gz"
    path.write_bytes(gzip.compress(text.encode(written_in)))
    form = text_form(path)
    assert (form.encoding, form.delimiter) == (encoding, ";")
    assert form.evidence["encoding"]


def test_a_letter_cut_by_the_end_of_the_sample_is_no_fault() -> None:
    assert text_form(("id;name\n" + "1;ö\n" * 400_000).encode()[: (1 << 20) + 1]).encoding == "utf-8"


def test_an_encoding_that_few_letters_tell_is_asked_for() -> None:
    form = text_form(b"id;x\n1;\x81\n2;\x81\n")  # none of cp1252
    assert form.rivals["encoding"] == "its letters are too few, or not those of a text, to tell"


def test_slips_in_utf8_are_told() -> None:
    form = text_form(GERMAN.encode() * 20 + "1;größer;x\n".encode("latin-1"))
    assert (form.encoding, form.rivals) == ("utf-8", {"encoding": "2 bytes of the text cannot be UTF-8"})
