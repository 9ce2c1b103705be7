"""Wrong text: letters, quotes and rows of text files that are not what was agreed."""

from __future__ import annotations

from tests.broken.cases import content, loaded, named, people, quoted, refused

NOT_UTF_8 = "the text is not utf-8; correct 'encoding' in the contract, or the file"
NOT_UTF_16 = "the text is not utf-16"
MIXED = "the text is not utf-8, though letters in other places are: it is damaged, or put together from texts of two"
QUOTES = "its quotes do not match, so nobody can tell where it ends"
TORN = "row: matching quotes (1)"
TOO_LONG = "it is longer than 4 MiB"
WIDTH = "row: 6 cells expected"
MORE = "".join(f"{number:04},Anna,29.02.1988,Dresden,3,12.50\n" for number in range(4, 2000))
AFTER_BREAK = quoted().replace("Anna", "An\nna", 1).replace('"Anna"', '"Anna', 1)

CASES = [
    refused("utf-16 where utf-8 is agreed", "csv", content(people(), "utf-16"), "likely utf-16, not utf-8"),
    refused("utf-16 without a mark", "csv", content(people(), "utf-16-le"), "likely utf-16-le, not utf-8"),
    refused("utf-16-be where utf-16 is agreed", "txt", content(people(), "utf-16-be"), "likely utf-16-be, not utf-16"),
    refused("utf-8 where utf-16 is agreed", "txt", content(people()), NOT_UTF_16, "but likely utf-8; write"),
    refused(
        "utf-8 with a mark where utf-16 is agreed", "txt", content(people(), "utf-8-sig"), "likely utf-8, not utf-16"
    ),
    refused("utf-16 cut in a letter", "txt", content(people().encode("utf-16")[:-1]), NOT_UTF_16),
    refused("utf-16 with a quote that is not closed", "txt", content(people(name='"Anna'), "utf-16"), TORN),
    loaded("utf-16 as agreed", "txt", content(people(name="Jürgen"), "utf-16"), named("Jürgen")),
    refused(
        "cp1252 where utf-8 is agreed",
        "csv",
        content(people(name="Änne"), "cp1252"),
        "line 3: the text is not utf-8, but likely cp1252, in which its letters beyond ASCII are Ä",
        "write 'encoding: cp1252' into its 'format' in the contract, or correct the file",
    ),
    refused(
        "cp1252 far below", "csv", content(lambda: people() + MORE * 30 + "Köln", "cp1252"), "line 59885: the text is"
    ),
    refused("letters of Poland", "csv", content(people(name="Łukasz Żółć święto"), "cp1250"), "likely cp1250"),
    refused("letters of Russia", "csv", content(people(name="Иван Грозный"), "cp1251"), "likely cp1251"),
    refused("letters of Japan", "csv", content(people(name="山田太郎 東京都"), "shift_jis"), "likely shift_jis"),
    refused("letters of DOS, too few to tell", "csv", content(people(name="Jürgen"), "cp850"), NOT_UTF_8),
    refused(
        "two encodings in one file", "csv", content("Ä".encode().join([people().encode(), "ü".encode("cp1252")])), MIXED
    ),
    refused("utf-8 cut in a letter", "csv", content(people(name="Änne").encode() + "ü".encode()[:1]), MIXED),
    refused(
        "half a surrogate pair", "csv", content(people(name="An*na").encode().replace(b"*", b"\xed\xa0\x80")), NOT_UTF_8
    ),
    refused("noise", "csv", content(bytes(range(256)) * 100), NOT_UTF_8),
    loaded("utf-8 encoded twice is text", "csv", content(people(name="JÃ¼rgen")), named("JÃ¼rgen")),
    loaded("byte order mark", "csv", content(people(), "utf-8-sig")),
    loaded("byte order mark before a quote", "csv", content(quoted(), "utf-8-sig")),
    refused("byte order mark and nothing else", "csv", content(b"\xef\xbb\xbf"), "there is no header row 1"),
    refused("two files in one", "csv", content(people().encode("utf-8-sig") * 2), "person_id: unique key (6)"),
    refused("NUL in a cell", "csv", content(people(name="An\0na")), "name: NUL character (1)"),
    refused("NULs at the end", "csv", content(people().encode() + bytes(5000)), WIDTH),
    refused("NULs only", "csv", content(bytes(5000)), "row 1 holds no header"),
    refused("end of file as DOS wrote it", "csv", content(f"{people()}\x1a"), WIDTH),
    refused("line separators of Unicode", "csv", content(people().replace("\n", "\u2028")), "unknown: paid 0001"),
    loaded("lines that end as on old Macs", "csv", content(people().replace("\n", "\r"))),
    loaded("lines that end in two ways", "csv", content(people().replace("\n", "\r\n", 2))),
    loaded("blank lines", "csv", content(people().replace("\n", "\n\n  \n"))),
    loaded("no end of the last line", "csv", content(people()[:-1])),
    loaded("line break in quotes", "csv", content(quoted(name="An\nna")), named("An\nna")),
    loaded("quote in a cell without quotes", "csv", content(people(name='An"na')), named('An"na')),
    loaded("quotes written twice", "csv", content(quoted(name='An ""the cat"" na')), named('An "the cat" na')),
    refused("quotes not written twice", "csv", content(quoted(name='An "the cat" na')), TORN),
    refused("quote that is not closed", "csv", content(people(name='"Anna')), TORN),
    refused("quote that is not closed, of many", "csv", content(quoted().replace('Anna"', "Anna", 1)), TORN),
    refused("quote that hides many rows", "csv", content(people(name='"Anna') + MORE), TORN),
    refused("quote that hides very many rows", "csv", content(lambda: people(name='"Anna') + MORE * 150), TORN),
    refused("quote not closed, line break in quotes", "csv", content(AFTER_BREAK), "row 3", QUOTES),
    refused(
        "line breaks in quotes and a quote not closed far below",
        "csv",
        content(lambda: quoted(name="An\nna") + MORE * 150 + '9,"Anna,29.02.1988,Dresden,3,12.50\n'),
        "row 299405",
        QUOTES,
    ),
    refused(
        "delimiter lost before a quote",
        "csv",
        content(f'{people()}0004,An"na, b",29.02.1988,Dresden,3\n'),
        "row: delimiter before a quote (1)",
    ),
    refused("quote that is not closed in the header", "csv", content(f'"{people()}'), "row 1", QUOTES),
    refused("quote that is not closed in the last cell", "csv", content(f'{people()}0004,"Anna'), TORN),
    refused("quote between a quote and a comma", "csv", content(quoted(name='Anna"')), TORN),
    refused("10 MB in a cell", "csv", content(lambda: people(name="a" * 10_000_000)), "row 3", TOO_LONG),
    refused("1 MB in a cell", "csv", content(lambda: people(name="a" * 1_000_000)), "name: length 20 (1)"),
    refused("10 MB in the header", "csv", content(lambda: "a" * 10_000_000 + people()), "row 1", TOO_LONG),
    refused("everything on one line", "csv", content(lambda: people().replace("\n", ",") * 100_000), "row 1", TOO_LONG),
    refused("16,384 cells in a row", "csv", content(people() + "," * 16_383 + "x\n"), WIDTH),
    refused("another delimiter", "csv", content(people().replace(",", ";")), "row 1 holds no header"),
    refused("row too short and row too long", "csv", content(f"{people()}0004,Anna\n1,2,3,4,5,6,7\n"), f"{WIDTH} (2)"),
]
