"""Wrong header: columns that are missing, unknown, twice, merged or elsewhere; the wrong sheet."""

from __future__ import annotations

from pathlib import Path

from tests.broken.cases import (
    HEADER,
    PEOPLE_CELLS,
    PEOPLE_STAGED,
    book,
    content,
    loaded,
    people,
    refused,
    sheets,
    table,
)

NO_HEADER = "row 1 holds no header of"
NEWLINE = "\n"
WHOLE = [HEADER, *PEOPLE_CELLS]


def wider(*cells: object) -> list[list[object]]:
    """Three people with more cells each."""
    return [[*row, *cells] for row in PEOPLE_CELLS]


def merged(path: Path) -> None:
    import openpyxl

    book()(path)
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].merge_cells("B1:C1")
    workbook.save(path)


CASES = [
    refused("missing column", "xlsx", table(HEADER[:-1], *(row[:-1] for row in PEOPLE_CELLS)), "missing: paid. Found"),
    refused("unknown column", "xlsx", table([*HEADER, "shoe size"], *wider(42)), "unknown: shoe size. Found"),
    refused("column twice", "xlsx", table([*HEADER, "Name\u00a0"], *wider("Anna")), "twice: name. Found"),
    refused("column twice in a text file", "csv", content(people().replace("born", "city")), "twice: city. Found"),
    refused("merged header", "xlsx", merged, "missing: born. Found: person_id, name, (empty), city"),
    refused("no header", "csv", content(people().partition("\n")[2]), NO_HEADER, "is the header missing"),
    refused("header in another row", "xlsx", sheets({"People": [["Register"], [], *WHOLE]}), NO_HEADER),
    refused("blank header", "xlsx", table([" "] * 6), NO_HEADER),
    refused("header of numbers", "xlsx", table([1, 2, 3, 4, 5, 6]), NO_HEADER),
    refused(
        "header in another language", "csv", content(people().replace("name", "nom")), "unknown: nom; missing: name"
    ),
    refused("file twice, header and all", "csv", content(f"{people()}{people()}"), "person_id: unique key (6)"),
    loaded("header again", "csv", content(f"{people()}\ufeff{people().partition(NEWLINE)[0]} \n")),
    loaded("header again in a workbook", "xlsx", table(HEADER, *PEOPLE_CELLS[:1], HEADER, *PEOPLE_CELLS[1:])),
    refused(
        "header over the wrong cells", "csv", content(people().replace("name,born", "born,name")), "born: type date (3)"
    ),
    refused("values without header", "xlsx", table(HEADER, *wider("x")), "row 2: column 7 has values but no header"),
    refused("header that is a formula", "xlsx", table([*HEADER[:-1], '="paid"']), "the formula in cell F1 was never"),
    refused(
        "header with codes for the terminal", "csv", content(people().replace("paid", "\x1b[2Jpaid")), r"\x1b[2Jpaid"
    ),
    refused("header cell of 32,767 letters", "xlsx", table([*HEADER, "x" * 32_767]), f"unknown: {'x' * 60}. Found"),
    refused("16,384 columns in a workbook", "xlsx", table([f"c{n}" for n in range(16_384)], []), NO_HEADER),
    refused(
        "16,378 columns too many", "xlsx", table([*HEADER, *(f"c{n}" for n in range(16_378))]), "and 16,338 more. Found"
    ),
    refused("16,384 columns in a text file", "csv", content(",".join(f"c{n}" for n in range(16_384))), NO_HEADER),
    refused("empty sheet in front", "xlsx", sheets({"Notes": [], "People": WHOLE}), "there is no header row 1"),
    refused("hidden sheets only", "xlsx", sheets({"Cover": [["x"]], "People": WHOLE}, ["People"]), NO_HEADER),
    loaded("hidden sheet in front", "xlsx", sheets({"Lists": [["x"]], "People": WHOLE}, ["Lists"])),
    loaded("hidden sheet in front of an xls", "xls", sheets({"Lists": [["x"]], "People": WHOLE}, ["Lists"])),
    loaded("invisible signs in the header", "xlsx", table([f"\ufeff{cell}\u200b" for cell in HEADER])),
    loaded("columns in another order", "csv", content(people().replace("city,visits", "city ,Visits")), PEOPLE_STAGED),
]
